"""Progress of work that has several steps, each with a bar of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from crystalvision.console import Advance, progress


@contextmanager
def steps() -> Iterator[Callable[[str, int], Advance]]:
    """Draw one bar at a time.

    Yields:
        A function `begin(what, total)` that ends the bar before and gives what moves the new one.
    """
    with ExitStack() as bars:

        def begin(what: str, total: int) -> Advance:
            bars.pop_all().close()
            return bars.enter_context(progress(what.capitalize(), total))

        yield begin
