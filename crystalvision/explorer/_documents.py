"""Changes of a page from a coroutine: under the lock of its document, where there is one."""

from collections.abc import Callable

import panel as pn


def in_document(change: Callable[[], object]) -> None:
    """Change what a page shows, now or as soon as nobody else does."""

    def apply() -> None:
        with pn.io.hold():  # one message, and the browser draws once
            change()

    pn.state.execute(apply, schedule=True)
