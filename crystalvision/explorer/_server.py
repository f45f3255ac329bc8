"""Serves the explorer on this machine alone."""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

from bokeh.core.validation import silence
from bokeh.core.validation.warnings import EMPTY_LAYOUT
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from panel.io.application import build_applications
from panel.io.resources import COMPONENT_PATH
from panel.io.server import ComponentResourceHandler
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import RedirectHandler

from crystalvision.errors import InputError
from crystalvision.explorer._guard import TOKEN, Guard

HOST = "127.0.0.1"
_SWITCH_S = 0.5e-3
_LARGEST_MESSAGE = 128 * 2**20  # bytes: of a dropped file


class LocalServer:
    """Pages at an address of this machine, for whoever has the token.

    Attributes:
        url: The address, with the token.
        port: The port.
    """

    def __init__(self, pages: Mapping[str, Callable[[], Any]], *, home: str, port: int = 0) -> None:
        """Listen at a port; 0 for one that is free.

        Args:
            pages: Path → makes the page, anew for each tab.
            home: Name of the page that the address leads to.
            port: The port.

        Raises:
            InputError: The port is taken.
        """
        try:
            listening = socket.create_server((HOST, port))
        except OSError as error:
            raise InputError(
                f"--port {port}: {error.strerror or error}; choose another, or 0 for any free one"
            ) from error
        silence(EMPTY_LAYOUT)  # columns that are filled later are no mistake
        self._listening = listening
        self._listening.setblocking(False)
        self.port = int(listening.getsockname()[1])
        self._tornado = BokehTornado(
            build_applications(dict(pages)),
            extra_websocket_origins=[f"{name}:{self.port}" for name in (HOST, "localhost")],
            extra_patterns=[
                (rf"/{COMPONENT_PATH}(.*)", ComponentResourceHandler, {}),
                (r"/", RedirectHandler, {"url": f"/{home}", "permanent": False}),
            ],
            websocket_max_message_size_bytes=_LARGEST_MESSAGE,
            # A tab that was closed keeps nothing, and one that loads slowly finds what was made.
            check_unused_sessions_milliseconds=5000,
            unused_session_lifetime_milliseconds=60_000,
            ico_path="none",
            use_index=False,
            redirect_root=False,
        )
        self._guard = Guard(self._tornado, self.port)
        self.url = f"http://{HOST}:{self.port}/?{TOKEN}={self._guard.token}"
        logging.getLogger("tornado.access").setLevel(logging.ERROR)  # a refusal is no warning

    def run(self) -> None:
        """Answer until interrupted, in an event loop of its own."""
        sys.setswitchinterval(_SWITCH_S)  # what is computed beside it must not make a page wait
        try:
            asyncio.run(self._answer())
        finally:
            self.close()

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()

    async def _answer(self) -> None:
        http = HTTPServer(self._guard, max_buffer_size=_LARGEST_MESSAGE)
        http.add_socket(self._listening)
        server = BaseServer(IOLoop.current(), self._tornado, http)
        server.start()
        try:
            await asyncio.Event().wait()
        finally:
            server.stop()
            http.stop()
