"""Changes of a page from a coroutine: under the lock of its document, where there is one."""

from collections.abc import Awaitable, Callable

import panel as pn

_SETTLED_MS = 150


def in_document(change: Callable[[], object]) -> None:
    """Change what a page shows, now or as soon as nobody else does."""

    def apply() -> None:
        with pn.io.hold():  # one message, and the browser draws once
            change()

    pn.state.execute(apply, schedule=True)


def once_shown(begin: Callable[[], Awaitable[None]]) -> None:
    """Begin what a page shows first, when the browser has it and listens.

    What changes as the page is loaded, before that, may never reach the browser: where all is known
    already, that is so soon.
    """

    def soon() -> None:
        document = pn.state.curdoc
        if document is None:  # in a notebook, which has the page when it is drawn
            pn.state.execute(begin)
        else:
            document.add_timeout_callback(begin, _SETTLED_MS)

    pn.state.onload(soon)
