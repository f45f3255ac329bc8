"""The page in a real browser, on a desk and on a phone."""

import json
import re
import shutil
import subprocess

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason=f"no browser is there: none of {', '.join(BROWSERS)}"
)

# Runs in the page: opens what is folded, measures, and leaves what it found in the document.
MEASURE = """
<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(each => each.open = true);
  const all = query => [...document.querySelectorAll(query)];
  const size = each => parseFloat(getComputedStyle(each).fontSize);
  const inside = each => each.closest(".scroll, pre, table.comparison");
  const found = {
    width: innerWidth,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    images: all("img").length,
    broken: all("img").filter(i => !i.complete || !i.naturalWidth || !i.clientWidth).length,
    wide: all("img").filter(i => i.getBoundingClientRect().right > innerWidth + 1).length,
    tables: all("table").length,
    unscrolled: all("table").filter(each => !inside(each)).length,
    smallest: Math.min(...all("th, td, .interval, p, figcaption, pre, dd").map(size)),
    narrowest: Math.min(...all("td.value").map(each => each.clientWidth)),
  };
  const told = document.createElement("pre");
  told.id = "found";
  told.textContent = JSON.stringify(found);
  document.body.append(told);
});
</script>
"""


def open_page(page, folder, width):
    """What the browser finds, and what it writes to its console."""
    path = folder / "page.html"
    path.write_text(page.replace("</head>", f"{MEASURE}</head>"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
    options += ["--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [BROWSER, *options, f"--window-size={width},900", "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout)
    assert found, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(found[1]), console


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("which", ["fusion_folder", "dose_folder"])
def test_the_page_is_whole_and_readable(which, width, request, tmp_path):
    page = (request.getfixturevalue(which) / "report.html").read_text(encoding="utf-8")
    found, console = open_page(page, tmp_path, width)
    assert console == []
    assert found["width"] == width
    assert found["overflow"] == 0
    assert found["images"] == page.count("<img") > 5
    assert (found["broken"], found["wide"]) == (0, 0)
    assert found["tables"] >= 1
    assert found["unscrolled"] == 0
    assert found["smallest"] >= 12
    assert found["narrowest"] >= 80


def test_the_measurements_see_what_is_wrong(tmp_path):
    """A page with every fault: the test above can fail."""
    page = (
        "<html><head></head><body><div style='width: 900px'>wide</div>"
        "<img src='data:image/png;base64,AAAA'><table style='font-size: 8px'>"
        "<tr><td class='value'>1</td></tr></table><script>console.error('trouble')</script></body>"
    )
    found, console = open_page(page, tmp_path, 390)
    assert "trouble" in console[0]
    assert found["overflow"] > 400
    assert (found["broken"], found["unscrolled"], found["smallest"]) == (1, 1, 8)
    assert found["narrowest"] < 80
