"""What tests of exports share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crystalvision.export import _export


@pytest.fixture(scope="session")
def captured() -> dict[str, Callable[..., None]]:
    """The captures of the shared run, by format."""
    return {}


@pytest.fixture
def captured_once(captured: dict[str, Callable[..., None]]) -> Iterator[None]:
    """Torch captures the shared run once for each format, which takes seconds.

    For tests of what is done with a file, whatever the run is: nothing of it may be changed.
    """
    capture = _export._captured

    def once(run: Any, graph: Any, to: Any) -> Callable[..., None]:
        if to not in captured:
            captured[to] = capture(run, graph, to)
        return captured[to]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_export, "_captured", once)
        yield
