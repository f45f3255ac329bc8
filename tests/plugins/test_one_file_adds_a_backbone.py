"""A backbone is one new file and one line, and the battery picks it up."""

import difflib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import crystalvision_backbones

NEW = '''
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
LINE = '        "one-file": "crystalvision_backbones.one_file:OneFile",\n'


def test_one_file_and_one_line_add_a_backbone_that_the_battery_tests(tmp_path):
    original = Path(crystalvision_backbones.__file__).parent
    package = tmp_path / original.name
    shutil.copytree(original, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "one_file.py").write_text(dedent(NEW).lstrip())
    registration = package / "__init__.py"
    before = registration.read_text().splitlines(keepends=True)
    assert before[-1].strip() == "}"
    after = [*before[:-1], LINE, before[-1]]
    registration.write_text("".join(after))

    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert changed == [f"+ {LINE}"]
    files = {path.name for path in package.iterdir()}
    assert files - {path.name for path in original.iterdir()} == {"one_file.py"}

    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    line += ["--pyargs", "crystalvision.testing", "--crystalvision-only", "one-file"]
    line += ["-k", "not export"]  # what takes longest, and says no more of how it is found
    told = subprocess.run(
        line,
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
        cwd=tmp_path,
        # Before the installed package.
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "12 passed, 3 deselected" in told.stdout
