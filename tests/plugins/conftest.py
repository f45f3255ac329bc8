"""What all tests of plugins share."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks are quickest on one thread, and the machine is shared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


_SLOW = {f"test_battery[input-lattice-{to}_export]" for to in ("onnx", "torch")}
"""What takes a minute on its own: the Fourier transforms of its search for the net, traced."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what takes a minute to the slow run."""
    for item in items:
        if item.name in _SLOW:
            item.add_marker(pytest.mark.slow)
