"""A backbone, or an input, is one new file and one line, and the battery picks it up."""

import difflib
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

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
                chosen = torch.arange(0, images.shape[dim], 2)
                images = images.index_select(dim, chosen)
                seen = None if seen is None else seen.index_select(dim, chosen)
            return images, seen
'''


@pytest.mark.parametrize(
    ("package", "text", "passed"),
    [("backbones", BACKBONE, "14 passed, 1 deselected"), ("inputs", INPUT, "9 passed")],
)
def test_one_file_and_one_line_add_what_the_battery_tests(tmp_path, package, text, passed):
    original = Path(importlib.import_module(f"crystalvision_{package}").__file__).parent
    package = tmp_path / original.name
    shutil.copytree(original, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "one_file.py").write_text(dedent(text).lstrip())
    registration = package / "__init__.py"
    before = registration.read_text().splitlines(keepends=True)
    assert before[-1].strip() == "}"
    line = f'        "one-file": "{original.name}.one_file:OneFile",\n'
    after = [*before[:-1], line, before[-1]]
    registration.write_text("".join(after))

    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert changed == [f"+ {line}"]
    files = {path.name for path in package.iterdir()}
    assert files - {path.name for path in original.iterdir()} == {"one_file.py"}

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    command += ["--pyargs", "crystalvision.testing", "--crystalvision-only", "one-file"]
    told = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
        cwd=tmp_path,
        # Before the installed package.
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert passed in told.stdout
