"""Modules that tests of structures share."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


def _module(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def written_cif() -> ModuleType:
    """Structures of every space group, and CIFs of them."""
    return _module("written_cif")


@pytest.fixture(scope="session")
def mutants(written_cif: ModuleType) -> ModuleType:
    """Damaged crystal files."""
    return _module("mutants")
