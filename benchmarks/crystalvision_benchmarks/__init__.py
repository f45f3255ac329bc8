"""Suites of benchmarks: the paper's experiments, what lies between them, and how far they carry."""

from collections.abc import Mapping
from pathlib import Path

from crystalvision import hookimpl

_SUITES = Path(__file__).parent / "suites"


@hookimpl
def crystalvision_suites() -> Mapping[str, Path]:
    """The suites that come with the toolkit."""
    return {path.stem: path for path in sorted(_SUITES.glob("*.yaml"))}
