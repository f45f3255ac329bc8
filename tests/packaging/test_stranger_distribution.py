"""A stranger's distribution: installed with pip beside our wheel, used by name, and removed."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from textwrap import dedent

import pytest

PROJECT = """
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [project]
    name = "stranger-nets"
    version = "4.2"
    dependencies = ["crystalvision"]

    [project.entry-points.crystalvision]
    stranger = "stranger_nets"
"""

PLUGIN = """
    from crystalvision import hookimpl


    @hookimpl
    def crystalvision_backbones():
        return {"strangernet": "stranger_nets.net:StrangerNet"}
"""

NET = '''
    from torch import nn

    from crystalvision.contracts import Backbone


    class StrangerNet(Backbone):
        """One strided convolution."""

        def __init__(self, in_channels: int, width: int = 8) -> None:
            super().__init__()
            self.num_features, self.stride = width, 2
            self.conv = nn.Conv2d(in_channels, width, 3, stride=2, padding=1)

        def forward(self, images):
            return self.conv(images).relu()
'''

ONE_STEP = """
    import torch

    import crystalvision
    from crystalvision.contracts import Target
    from crystalvision.models import SystemConfig, build_system
    from crystalvision.plugins import Catalogue

    catalogue = Catalogue.load()
    config = SystemConfig.model_validate(
        {"branches": {"only": {"backbone": {"name": "strangernet", "width": 4}, "head": "softmax"}}}
    )
    torch.manual_seed(0)
    label = Target(name="label", task="classification", classes=("a", "b", "c", "d"))
    system = build_system(
        config, catalogue, in_channels=1, targets={"label": label}, grid=(16, 16)
    )
    branch = system.branches["only"]
    images = torch.randn(8, 1, 16, 16)
    targets = {"label": torch.arange(8) % 4}
    optimiser = torch.optim.SGD(system.parameters(), lr=0.1)
    losses = []
    for _ in range(2):
        loss = branch.head.loss(branch(images).outputs, targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    print(crystalvision.__file__)
    print(type(branch.backbone).__module__)
    print(losses[1] < losses[0])
"""


class Environment:
    """A virtual environment that has our wheel, and everything else from the running one."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
        self.pip("install", "--no-deps", wheel)
        # The dependencies, without a download. A path in a .pth file brings no .pth file of that
        # path into play, so an editable installation of ours there stays out of sight.
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def pip(self, *arguments: object) -> None:
        self.run("-m", "pip", "--disable-pip-version-check", *arguments)

    def run(self, *arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run Python away from the checkout."""
        names = ("PYTHONPATH", "CRYSTALVISION_PLUGINS", "COLUMNS")
        result = subprocess.run(
            [self.python, *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
            env={key: value for key, value in os.environ.items() if key not in names},
        )
        assert result.returncode == status, result.stdout + result.stderr
        return result

    def command(self, *arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the installed program."""
        return self.run(self.folder / "bin" / "crystalvision", *arguments, status=status)


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Environment:
    return Environment(tmp_path_factory.mktemp("fresh"), wheel)


@pytest.fixture(scope="module")
def stranger_wheel(tmp_path_factory) -> Path:
    source = tmp_path_factory.mktemp("stranger")
    package = source / "stranger_nets"
    package.mkdir()
    (source / "pyproject.toml").write_text(dedent(PROJECT))
    (package / "__init__.py").write_text(dedent(PLUGIN))
    (package / "net.py").write_text(dedent(NET))
    line = [sys.executable, "-m", "build", "--wheel", "--no-isolation", source]
    result = subprocess.run(line, check=False, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = (source / "dist").glob("*.whl")
    return path


@pytest.mark.slow  # two wheels are built and installed
def test_a_strangers_backbone_trains_by_name_and_is_missed_when_removed(
    environment, stranger_wheel
):
    environment.pip("install", "--no-deps", "--no-index", stranger_wheel)
    line = ["plugins", "show", "backbone", "strangernet", "--no-measure", "--json"]
    row = json.loads(environment.command(*line).stdout)
    assert (row["distribution"], row["version"]) == ("stranger-nets", "4.2")
    assert row["summary"] == "One strided convolution."

    told = environment.run("-c", dedent(ONE_STEP)).stdout.splitlines()
    assert Path(told[0]).is_relative_to(environment.folder), "not the installed wheel"
    assert told[1:] == ["stranger_nets.net", "True"]

    environment.pip("uninstall", "--yes", "stranger-nets")
    missed = environment.command("plugins", "show", "backbone", "strangernet", status=2).stderr
    assert missed.startswith("error: no backbone is called 'strangernet'; there are: ")
    assert "dnsnet" in missed
    assert missed.count("\n") == 1
