"""The pages "Dataset", "Runs" and "Benchmarks" in a real browser."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from crystalvision.datasets import Dataset

pytestmark = pytest.mark.slow  # a browser and a server: a step of its own in CI

SUITE = Path(__file__).parents[3] / "benchmarks" / "results" / "suites" / "fusion-quick"
SETTLED = {"dataset": "shown", "runs": "answered", "benchmarks": "shown"}


@pytest.fixture(scope="module")
def served_all(serve, dataset_path, run_path):
    return serve(str(dataset_path), str(run_path), str(SUITE))


@pytest.fixture
def show(served_all, opened):
    """Opens a page, and waits until it is at rest."""

    def visit(slug, **options):
        watched = opened(served_all.url.replace("/?", f"/{slug}?"), **options)
        watched.page.wait_for_selector(f"[data-state={SETTLED[slug]}]")
        return watched

    return visit


def no_complaint(watched, origin):
    assert watched.errors == []
    outside = [url for url in watched.requests if not url.startswith((origin, "data:", "blob:"))]
    assert outside == []
    overflow = "document.documentElement.scrollWidth - innerWidth"
    assert watched.page.evaluate(overflow) <= 0


@pytest.mark.parametrize(("slug", "width"), [(each, 390) for each in SETTLED])
def test_each_page_opens_on_a_phone_in_the_dark(show, served_all, slug, width):
    no_complaint(show(slug, width=width, scheme="dark"), served_all.origin)


def test_filters_and_thumbnails_answer_the_keyboard(show, served_all):
    watched = show("dataset")
    page = watched.page
    page.get_by_label("pristine", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_text("of 40 samples that are chosen, of 160").wait_for()
    page.get_by_role("button", name="1 pristine", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-state=sample]")
    page.get_by_text("Ideal twin: no source can make it again").wait_for()
    no_complaint(watched, served_all.origin)


def test_a_dropped_pattern_is_asked_about_and_a_broken_one_says_what_is_wrong(
    show, served_all, dataset_path
):
    watched = show("runs")
    page = watched.page
    said = page.locator("[data-name=severity]").first.inner_text()
    file = io.BytesIO()
    tifffile.imwrite(file, Dataset.open(dataset_path).images([3])[0, 0], photometric="minisblack")
    drop = page.locator("input[type=file]")
    drop.set_input_files({"name": "new.tif", "mimeType": "image/tiff", "buffer": file.getvalue()})
    page.get_by_text(re.compile("new.tif, asked 1 runs")).wait_for()
    assert page.locator("[data-name=severity]").first.inner_text() != said
    drop.set_input_files({"name": "bad.tif", "mimeType": "image/tiff", "buffer": b"nothing"})
    page.wait_for_selector("[data-state=error]")
    assert page.locator("[data-state=error]").inner_text().startswith("bad.tif")
    assert page.locator("[data-name=severity]").count() == 1  # what was valid last stays
    no_complaint(watched, served_all.origin)


def test_headings_put_systems_in_order(show, served_all):
    watched = show("benchmarks")
    page = watched.page
    heading = page.get_by_role("button", name="accuracy", exact=True)
    for wanted in (1, -1):
        heading.focus()
        page.keyboard.press("Enter")
        cells = page.locator(".sortable td:nth-child(2)").all_inner_texts()
        numbers = wanted * np.array(list(map(float, cells)))
        assert (np.diff(numbers) >= 0).all()
    no_complaint(watched, served_all.origin)
