"""Who may talk to the explorer: whoever has its token, from this machine, from its own page."""

import hmac
import secrets
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application, RequestHandler

TOKEN = "token"  # noqa: S105 - the name of a parameter, not a secret
_REFUSED = (
    "This page is for whoever started it: open the address that `crystalvision explore` printed."
)


class Guard(Router):
    """Hands requests to an application if they may be answered.

    A request must come from a page at this address (`Host`, and `Origin` where the browser gives
    it), so that neither another site nor a name that points here can talk to it, and it must have
    the token: once in the address, from then on in a cookie. That holds for sockets and scripts as
    for pages.

    Attributes:
        token: The token.
    """

    def __init__(self, application: Application, port: int, token: str | None = None) -> None:
        """Guard an application that is served at a port."""
        self.token = token or secrets.token_urlsafe(24)
        self._application = application
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        # Cookies of one machine are not told apart by port.
        self._cookie = f"crystalvision-{port}"
        entry = {"cookie": self._cookie, "token": self.token}
        self._entry = Application([(r".*", _Entry, entry)])
        self._refusing = Application([(r".*", _Refusal)])

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """Who answers a request."""
        if not self._is_from_here(request):
            return self._refusing.find_handler(request, **kwargs)
        cookie = request.cookies.get(self._cookie)
        if cookie is not None and self._is_token(cookie.value):
            return self._application.find_handler(request, **kwargs)
        given = request.query_arguments.get(TOKEN, [b""])[-1].decode("utf-8", "replace")
        if request.method == "GET" and self._is_token(given):
            return self._entry.find_handler(request, **kwargs)
        return self._refusing.find_handler(request, **kwargs)

    def _is_from_here(self, request: HTTPServerRequest) -> bool:
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            return False
        return request.host in self._hosts

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())


class _Entry(RequestHandler):
    """Keeps the token in a cookie, and leads to the page without it in the address."""

    def initialize(self, cookie: str, token: str) -> None:
        self._name, self._token = cookie, token

    def get(self) -> Awaitable[None] | None:
        # Not `strict`: then a link in a terminal that runs in a browser would lead nowhere.
        self.set_cookie(self._name, self._token, httponly=True, samesite="lax", path="/")
        self.redirect(self.request.path)
        return None


class _Refusal(RequestHandler):
    """Says no."""

    def prepare(self) -> None:
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(_REFUSED)

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here that a forged request could ask for."""
