"""Who is answered: whoever has the token, from a page at this address."""

import http.client

import pytest

WEBSOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "bokeh, token",
}
PLACES = ("/", "/bench", "/bench/ws", "/static/js/bokeh.min.js", "/bench/autoload.js", "/nothing")


@pytest.fixture
def ask(served):
    """Asks the server: `ask(path, **headers)` gives the status and the headers."""

    def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str]]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        connection.request(method, path, headers=given)
        answer = connection.getresponse()
        connection.close()
        return answer.status, dict(answer.getheaders())

    return ask


@pytest.fixture
def cookie(served):
    return f"crystalvision-{served.port}={served.token}"


@pytest.mark.parametrize("path", PLACES)
def test_without_the_token_nothing_is_answered(ask, path):
    assert ask(path)[0] == 403
    assert ask(f"{path}?token=wrong")[0] == 403
    assert ask(path, **WEBSOCKET)[0] == 403
    assert ask(path, "POST")[0] == 403


def test_the_token_becomes_a_cookie_that_scripts_cannot_read(ask, served, cookie):
    status, headers = ask(f"/bench?token={served.token}")
    assert (status, headers["Location"]) == (302, "/bench")
    assert headers["Set-Cookie"].startswith(cookie)
    assert "HttpOnly" in headers["Set-Cookie"]
    assert ask("/static/js/bokeh.min.js", Cookie=cookie)[0] == 200
    assert ask("/static/js/bokeh.min.js", Cookie=cookie + "x")[0] == 403


def test_another_origin_and_another_name_of_this_machine_are_refused(ask, served, cookie):
    path = "/static/js/bokeh.min.js"
    assert ask(path, Cookie=cookie, Origin=served.origin)[0] == 200
    for origin in ("http://example.org", "null", f"http://127.0.0.1:{served.port + 1}"):
        assert ask(path, Cookie=cookie, Origin=origin)[0] == 403
        assert ask("/bench/ws", Cookie=cookie, Origin=origin, **WEBSOCKET)[0] == 403
    # A name that an attacker lets point to this machine.
    assert ask(path, Cookie=cookie, Host=f"evil.example:{served.port}")[0] == 403
    assert ask(f"/bench?token={served.token}", Origin="http://example.org")[0] == 403


def test_a_socket_from_the_page_itself_is_opened(ask, served, cookie):
    status, _ = ask("/bench/ws", Cookie=cookie, Origin=served.origin, **WEBSOCKET)
    assert status != 403


def test_only_this_machine_can_reach_it(served):
    assert served.url.startswith("http://127.0.0.1:")
