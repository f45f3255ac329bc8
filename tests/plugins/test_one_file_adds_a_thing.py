"""A thing is one new file and one line, and the battery picks it up where there is one."""

import difflib
import importlib
import os
import re
import shutil
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest

from crystalvision.testing.battery import CHECKS

BACKBONE = '''
    """A network for this test."""

    import torch
    from torch import nn

    from crystalvision.contracts import Backbone


    class OneFile(Backbone):
        """One strided convolution."""

        def __init__(self, in_channels: int, width: int = 8) -> None:
            super().__init__()
            self.num_features, self.stride = width, 2
            self.conv = nn.Conv2d(in_channels, width, 5, stride=2, padding=2)
            self.mix = nn.Conv2d(width, width, 5, padding=2)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.mix(self.conv(images).relu()).relu()
'''
INPUT = '''
    """A step for this test."""

    import torch

    from crystalvision.contracts import Input


    class OneFile(Input):
        """Every second point along each axis."""

        def axes(self, axes):
            return tuple(
                axis.model_copy(update={"size": -(-axis.size // 2), "scale": 2 * axis.scale})
                for axis in axes
            )

        def forward(self, images, seen=None):
            for dim in range(2, images.ndim):
                chosen = torch.arange(0, images.shape[dim], 2, device=images.device)
                images = images.index_select(dim, chosen)
                seen = None if seen is None else seen.index_select(dim, chosen)
            return images, seen
'''


HEAD = '''
    """A head for this test."""

    import torch
    from torch import nn
    from torch.nn import functional

    from crystalvision.contracts import Estimate, Head


    class OneFile(Head):
        """One linear layer to a score for each class."""

        targets = ("label",)

        def __init__(self, num_features: int, num_classes: int) -> None:
            super().__init__()
            self.linear = nn.Linear(num_features, num_classes)

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return self.linear(features)

        def loss(self, outputs, targets):
            return functional.cross_entropy(outputs, targets["label"])

        def predict(self, outputs):
            return {"label": Estimate.of_classes(outputs.softmax(dim=1))}
'''
TASK = '''
    """A task for this test."""

    from crystalvision.contracts import Task


    class OneFile(Task):
        """Whether a number has the right sign."""

        score_name = "sign"
        higher_is_better = True

        def check(self, target):
            pass

        def score(self, estimate, truth, target):
            return (estimate.value.sign() == truth.sign()).float()

        def metrics(self, judged):
            return {"sign": float(((judged.value > 0) == (judged.truth > 0)).mean())}
'''
DEFECT = '''
    """A defect for this test."""

    from dataclasses import replace

    from crystalvision.contracts import Defect, DefectiveCrystal, Measure


    class OneFile(Defect):
        """All atoms moved along x."""

        measures = (Measure("moved_angstrom", "angstrom", "measured: how far"),)

        def __init__(self, by_angstrom: float = 1.0) -> None:
            self.by_angstrom = by_angstrom

        def apply(self, crystal, rng):
            moved = replace(crystal, positions=crystal.positions + [self.by_angstrom, 0, 0])
            return DefectiveCrystal(moved, {"moved_angstrom": self.by_angstrom})
'''
MAKE = """
from crystalvision.plugins import Catalogue
catalogue = Catalogue.load()
for kind in ("task", "defect"):
    made = catalogue.create(kind, "one-file", {})
    print(type(made).__module__, catalogue.entry(kind, "one-file").plugin.distribution)
"""


def with_one_more(folder, package, function, text):
    """A copy of a package with one new file, and one line in the hook that offers it."""
    original = Path(importlib.import_module(package).__file__).parent
    copy = folder / original.name
    shutil.copytree(original, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "one_file.py").write_text(dedent(text).lstrip())
    registration = copy / "__init__.py"
    before = registration.read_text().splitlines(keepends=True)
    hook = next(n for n, line in enumerate(before) if line.startswith(f"def {function}("))
    end = next(n for n in range(hook, len(before)) if before[n] == "    }\n")
    line = f'        "one-file": "{original.name}.one_file:OneFile",\n'
    after = [*before[:end], line, *before[end:]]
    registration.write_text("".join(after))
    assert [each for each in difflib.ndiff(before, after) if each[0] in "+-"] == [f"+ {line}"]
    files = {path.name for path in copy.iterdir()}
    assert files - {path.name for path in original.iterdir()} == {"one_file.py"}
    # Before the installed package.
    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def run(run_python, tmp_path):
    """Runs Python with some packages that have one more thing; their texts by package and hook."""

    def run(things, *arguments):
        for package, hook, text in things:
            environment = with_one_more(tmp_path, package, hook, text)
        done = run_python(*arguments, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_one_file_and_one_line_add_a_thing(run):
    things = [
        ("crystalvision_tasks", "crystalvision_tasks", TASK),
        ("crystalvision_simulate", "crystalvision_defects", DEFECT),
    ]
    assert run(things, "-c", MAKE).split() == [
        *("crystalvision_tasks.one_file", "crystalvision"),
        *("crystalvision_simulate.one_file", "crystalvision"),
    ]


def test_one_file_and_one_line_add_what_the_battery_tests(run):
    texts = {"backbone": BACKBONE, "input": INPUT, "head": HEAD}
    names = {kind: f"crystalvision_{kind}s" for kind in texts}
    things = [(names[kind], names[kind], text) for kind, text in texts.items()]
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow", "-rA", "--crystalvision-only"]
    printed = run(things, "-m", "pytest", *options, "one-file", "--pyargs", "crystalvision.testing")
    passed = re.findall(r"PASSED .*\[(\w+)-one-file-", printed)
    expected = {
        kind: [not check.is_slow(1) for check in CHECKS[kind]].count(True) for kind in texts
    }
    assert Counter(passed) == expected
