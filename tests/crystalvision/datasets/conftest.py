import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "numbered.py"


@pytest.fixture(scope="session")
def numbered():
    """The module `numbered.py`, which pytest's importlib mode does not let tests import."""
    spec = importlib.util.spec_from_file_location("numbered_dataset", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def written(numbered, tmp_path):
    """A finished dataset of 11 samples in 3 shards."""
    return numbered.write(tmp_path / "numbers.zarr")
