"""The explorer in Chromium."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import sync_playwright

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 120_000


@contextmanager
def explorer(*arguments: str) -> Iterator[tuple[str, int]]:
    """`crystalvision explore` in a process of its own: its address with the token, and its pid."""
    command = [sys.executable, "-m", "crystalvision", "explore", "--no-browser", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = ""
            for line in process.stderr or ():
                said += line.strip()
                if found := re.search(r"http://\S+", said):
                    yield found[0], process.pid
                    return
            sys.exit(f"the explorer did not start: {said}")
        finally:
            process.terminate()


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium, as it is installed."""
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        sys.exit("no chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--enable-precise-memory-info", "--js-flags=--expose-gc"],
        )
        yield opened
        opened.close()


def open_page(
    browser: Any, url: str, *, width: int = 1280, height: int = 900, dark: bool = False
) -> Any:
    """A page that shows its sample."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("[data-state=exact]")
    return page
