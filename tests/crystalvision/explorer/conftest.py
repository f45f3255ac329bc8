"""A real browser, and the explorer as the command serves it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pn = pytest.importorskip("panel", reason="the explorer needs the extra `explore`")
sync_api = pytest.importorskip("playwright.sync_api", reason="drives the browser; in `test`")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
SHOWN_MS = 180_000  # on a busy machine


@pytest.fixture(autouse=True)
def _nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that no server shows begin nothing.

    Panel would run what they begin in an event loop that stays open, which warns when it is
    collected, in the middle of whatever runs then.
    """
    monkeypatch.setattr(type(pn.state), "onload", lambda *arguments: None)


@pytest.fixture(scope="session")
def tiny_recipe() -> Callable[[int, float], dict[str, Any]]:
    """A crystal with vacancies that is made in a blink: `tiny_recipe(pixels, pixel_size)`."""

    def recipe(pixels: int, pixel_size_inv_angstrom: float) -> dict[str, Any]:
        camera = {"pixels": pixels, "pixel_size_inv_angstrom": pixel_size_inv_angstrom}
        holes = [{"name": "vacancy", "fraction": 0.3}]
        return {
            "name": "tiny",
            "samples": 2,
            "seed": 5,
            "structure": "si3n4-beta",
            "specimen": {"zone_axis": [0, 0, 1], "width_angstrom": 16, "thickness_angstrom": 6},
            "beam": {"energy_kev": 200},
            "renderer": {"name": "kinematic", "band_limit_inv_angstrom": 1.0},
            "instrument": {"name": "area-detector", "dose_electrons": 1e5, **camera},
            "classes": [{"name": "holes", "severity": 1.0, "defects": holes}],
        }

    return recipe


@dataclass
class Served:
    """An explorer that runs.

    Attributes:
        url: Its address, with the token.
        port: Its port.
    """

    url: str

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].split("/")[0])

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return self.url.rpartition("token=")[2]


@contextmanager
def explorer(*arguments: str, cwd: Path) -> Iterator[Served]:
    """Run `crystalvision explore` in a process of its own."""
    command = [sys.executable, "-m", "crystalvision", "explore", "--no-browser", *arguments]
    environment = os.environ | {"COLUMNS": "1000"}
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            said = ""
            for line in process.stderr:
                said += line
                if found := re.search(r"http://\S+", line):
                    yield Served(found[0])
                    break
            else:
                pytest.fail(f"the explorer did not start: {said}")
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """Serves an explorer for the tests of a module: call it with the command's arguments."""
    running = []

    def start(*arguments: str) -> Served:
        running.append(explorer(*arguments, cwd=tmp_path_factory.mktemp("explorer")))
        return running[-1].__enter__()

    yield start
    for one in running:
        one.__exit__(None, None, None)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An explorer that was given nothing to open, for all tests that need no other."""
    with explorer(cwd=tmp_path_factory.mktemp("explorer")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests; skips where there is none."""
    if not CHROMIUM:
        pytest.skip("no chromium is installed (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page with all that it said and asked for.

    Attributes:
        page: The page.
        errors: Errors and warnings of its console, and failed requests.
        requests: Addresses that it asked for.
    """

    page: object
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def opened(chromium) -> Iterator[Callable[..., Watched]]:
    """Opens an address in a browser of its own: its cookies are those of no other test."""
    contexts = []

    def visit(url: str, *, width: int = 1280, scheme: str = "light") -> Watched:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        contexts.append(context)
        context.set_default_timeout(SHOWN_MS)
        watched = Watched(context.new_page())
        page = watched.page
        page.on("request", lambda request: watched.requests.append(request.url))
        page.on(
            "console",
            lambda said: (
                watched.errors.append(said.text) if said.type in {"error", "warning"} else None
            ),
        )
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on(
            "response",
            lambda got: (
                watched.errors.append(got.url) if not got.ok and got.status != 302 else None
            ),
        )
        page.goto(url)
        return watched

    yield visit
    for context in contexts:
        context.close()
