"""Builds what we ship."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


def build(source: Path, output: Path, *options: str) -> None:
    """Run `python -m build` without a network."""
    line = [sys.executable, "-m", "build", "--no-isolation", "--outdir", output, *options, source]
    result = subprocess.run(line, check=False, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the checkout."""
    if not (CHECKOUT / "pyproject.toml").exists():
        pytest.skip("these tests build from a checkout")
    return CHECKOUT


@pytest.fixture(scope="session")
def wheel(checkout, tmp_path_factory) -> Path:
    """Our wheel, built from our source distribution, so that both are known to be whole."""
    output = tmp_path_factory.mktemp("dist")
    build(checkout, output)
    (path,) = output.glob("crystalvision-*.whl")
    return path
