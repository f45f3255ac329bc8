"""Takes the pictures of the explorer in a real browser: `python docs/images/explore.py`.

It needs Chromium and the extra `test`.
"""

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

_LARGEST = 300_000  # bytes
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))

from _explorer.browser import browser, explorer, open_page  # noqa: E402 - of the benchmarks


def main() -> None:
    """The bench with electrons, with a powder, and on a phone in the dark."""
    with explorer() as (url, _), browser() as chromium:
        page = open_page(chromium, url, height=1000)
        _take(page, "explore-bench.png")
        phone = open_page(chromium, url, width=390, height=844, dark=True)
        _take(phone, "explore-phone.png")
    with explorer("powder-library") as (url, _), browser() as chromium:
        page = open_page(chromium, url, height=1000)
        page.get_by_label("phase", exact=True).select_option("MgAl2O4 Fd-3m")
        page.wait_for_selector('[data-name="phase"]:has-text("MgAl2O4")')
        page.wait_for_selector("[data-state=exact]")
        _take(page, "explore-powder.png")


def _take(page: Any, name: str) -> None:
    page.wait_for_timeout(1500)  # what was drawn last is on the screen
    with Image.open(BytesIO(page.screenshot())) as taken:
        picture = taken.convert("RGB")
        picture.save(HERE / name, optimize=True)
        if (HERE / name).stat().st_size > _LARGEST:  # as many colours as a colour map has
            few = picture.quantize(256, method=Image.Quantize.MEDIANCUT)
            few.save(HERE / name, optimize=True)
    print(f"{name}: {(HERE / name).stat().st_size / 1e3:.0f} kB")  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
