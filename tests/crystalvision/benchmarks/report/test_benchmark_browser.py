"""The page in a real browser, on a desk and on a phone."""

import json
import re
import shutil
import subprocess

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)

# What a page looks like only a browser knows, and not every machine has one.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason=f"no browser: none of {', '.join(BROWSERS)}"),
]

DESK, PHONE = 1280, 390
# Runs in the page: opens what is folded, measures, and tells the frame around it.
MEASURE = """
<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(each => each.open = true);
  const all = query => [...document.querySelectorAll(query)];
  const size = each => parseFloat(getComputedStyle(each).fontSize);
  const inside = each => each.closest(".scroll, pre, table.comparison");
  parent.postMessage({
    width: innerWidth,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    images: all("img").length,
    broken: all("img").filter(i => !i.complete || !i.naturalWidth || !i.clientWidth).length,
    wide: all("img").filter(i => i.getBoundingClientRect().right > innerWidth + 1).length,
    tables: all("table").length,
    unscrolled: all("table").filter(each => !inside(each)).length,
    smallest: Math.min(...all("th, td, .interval, p, figcaption, pre, dd").map(size)),
    narrowest: Math.min(...all("td.value").map(each => each.clientWidth)),
  }, "*");
});
</script>
"""
# A window cannot be as narrow as a phone, but a frame can. The document is done when both are.
AROUND = """
<!DOCTYPE html><body><pre id="found"></pre><script>
addEventListener("message", event => {
  document.getElementById("found").textContent += JSON.stringify(event.data) + "\\n";
});
</script>FRAMES</body>
"""


def open_page(page, folder, widths=(DESK, PHONE)):
    """What the browser finds at each width, and what it writes to its console."""
    (folder / "page.html").write_text(page.replace("</head>", f"{MEASURE}</head>"))
    frames = [f'<iframe src="page.html" style="width: {w}px; border: 0"></iframe>' for w in widths]
    (folder / "around.html").write_text(AROUND.replace("FRAMES", "".join(frames)))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
    options += ["--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}"]
    options += ["--virtual-time-budget=10000", "--window-size=1400,900"]
    done = subprocess.run(
        [BROWSER, *options, "--dump-dom", (folder / "around.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told, done.stderr[-2000:]
    found = [json.loads(line) for line in told[1].splitlines() if line]
    assert len(found) == len(widths), done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return {each["width"]: each for each in found}, console


@pytest.mark.parametrize("which", ["fusion_folder", "dose_folder"])
def test_the_page_is_whole_and_readable(which, request, tmp_path):
    page = (request.getfixturevalue(which) / "report.html").read_text(encoding="utf-8")
    found, console = open_page(page, tmp_path)
    assert console == []
    assert set(found) == {DESK, PHONE}
    for at in found.values():
        assert at["overflow"] == 0
        assert at["images"] == page.count("<img") > 5
        assert (at["broken"], at["wide"]) == (0, 0)
        assert at["tables"] >= 1
        assert at["unscrolled"] == 0
        assert at["smallest"] >= 12
        assert at["narrowest"] >= 80


def test_the_measurements_see_what_is_wrong(tmp_path):
    """A page with every fault: the test above can fail."""
    page = (
        "<html><head></head><body><div style='width: 900px'>wide</div>"
        "<img src='data:image/png;base64,AAAA'><table style='font-size: 8px'>"
        "<tr><td class='value'>1</td></tr></table><script>console.error('trouble')</script></body>"
    )
    found, console = open_page(page, tmp_path, [PHONE])
    assert "trouble" in console[0]
    at = found[PHONE]
    assert at["overflow"] > 400
    assert (at["broken"], at["unscrolled"], at["smallest"]) == (1, 1, 8)
    assert at["narrowest"] < 80
