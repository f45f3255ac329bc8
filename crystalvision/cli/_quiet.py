"""Keeps libraries' warnings off the user's screen."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_libraries(debug: bool) -> Iterator[None]:
    """Within it, Python warnings and unhandled log records are not shown, unless `debug`.

    Filters are left as they are: where warnings are errors, as in our tests, they still are.
    """
    if debug:
        yield
        return
    handler = logging.NullHandler()  # any handler keeps logging from writing to stderr by itself
    root = logging.getLogger()
    root.addHandler(handler)
    with warnings.catch_warnings():
        warnings.showwarning = _discard
        try:
            yield
        finally:
            root.removeHandler(handler)


def _discard(*_arguments: object, **_named: object) -> None:
    """Takes the place of `warnings.showwarning`."""
