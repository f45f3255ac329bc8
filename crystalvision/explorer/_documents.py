"""Changes of a page from a coroutine: under the lock of its document, where there is one."""

import asyncio
from collections.abc import Awaitable, Callable

import panel as pn

_SETTLED_S = 0.15


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

    async def soon() -> None:
        await asyncio.sleep(_SETTLED_S)
        await begin()

    pn.state.onload(soon)
