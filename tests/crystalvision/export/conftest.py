"""What tests of exports share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from crystalvision.export import _export

CapturingOnce = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="session")
def capturing_once() -> CapturingOnce:
    """Within it, torch captures the shared run once for each format, which takes seconds.

    For what is done with a file, whatever the run is: nothing of the run may be changed.
    """
    capture, captured = _export._captured, {}

    def once(run: Any, graph: Any, to: str) -> Callable[..., None]:
        if to not in captured:
            captured[to] = capture(run, graph, to)
        return captured[to]

    @contextmanager
    def capturing() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_export, "_captured", once)
            yield

    return capturing


@pytest.fixture
def captured_once(capturing_once: CapturingOnce) -> Iterator[None]:
    """The same for a whole test."""
    with capturing_once():
        yield
