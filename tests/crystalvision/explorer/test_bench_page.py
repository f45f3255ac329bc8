"""The page "Bench" in a real browser: it opens, answers, and what it shows can be made again."""

import json

import numpy as np
import pytest

import crystalvision as cv

pytestmark = pytest.mark.slow  # a browser and a server: a step of its own in CI

CIF = """data_rock_salt
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na 0 0 0
Cl 0.5 0.5 0.5
"""
# What the page holds of its last picture: the counts.
COUNTS = """() => {
  for (const model of Bokeh.documents[0]._all_models.values()) {
    if (model.type !== "Figure" || !(model.title?.text || "").startsWith("Recorded")) continue
    const image = model.renderers[0].data_source.data.image[0]
    return [image.shape, Array.from(image)]
  }
}"""
INK = """() => {
  for (const model of Bokeh.documents[0]._all_models.values())
    if (model.type === "LinearAxis") return model.axis_label_text_color
}"""


@pytest.fixture
def bench(served, opened):
    """The bench as it stands at first."""
    watched = opened(served.url)
    shown(watched.page)
    return watched


def shown(page) -> None:
    """Wait for the sample itself."""
    page.wait_for_selector("[data-state=exact]")


def changed(page, act) -> None:
    """Do something, and wait until the sample that follows from it is there."""
    before = int(page.locator("p.state").get_attribute("data-said"))
    act()
    page.wait_for_function(
        "before => { const find = root => { for (const one of root.querySelectorAll('*')) {"
        " if (one.matches('p.state')) return one;"
        " const inside = one.shadowRoot && find(one.shadowRoot); if (inside) return inside } };"
        " const line = find(document);"
        " return line && line.dataset.state === 'exact' && Number(line.dataset.said) > before }",
        arg=before,
    )


def number(page, name: str) -> str:
    return page.locator(f'[data-name="{name}"]').inner_text()


def counts(page) -> np.ndarray:
    shape, values = page.evaluate(COUNTS)
    return np.array(values, dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_opens_without_errors_and_asks_this_machine_only(served, opened, width, scheme):
    watched = opened(served.url, width=width, scheme=scheme)
    shown(watched.page)
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.errors == []
    elsewhere = [
        url for url in watched.requests if not url.startswith((served.origin, "data:", "blob:"))
    ]
    assert elsewhere == []
    ground = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = scheme == "dark"
    assert ground == ("rgb(20, 23, 29)" if dark else "rgb(255, 255, 255)")
    watched.page.wait_for_function(f"({INK})() === '{'#e4e7ee' if dark else '#1f2430'}'")
    assert "token" not in watched.page.url


def test_a_key_on_a_slider_changes_the_picture_and_the_numbers(bench):
    page, before = bench.page, counts(bench.page)
    assert number(page, "vacancy_fraction") == "0.09999"
    slider = page.get_by_role("slider").nth(10)
    handle = page.locator(".number", has_text="fraction").get_by_role("slider").first
    assert handle.count() or slider.count()
    changed(page, lambda: handle.press("ArrowRight"))
    assert float(number(page, "vacancy_fraction")) == pytest.approx(0.105, abs=1e-3)
    assert not np.array_equal(counts(page), before)
    assert bench.errors == []


def test_a_dropped_crystal_is_shown_and_its_recipe_makes_the_same(bench, tmp_path, monkeypatch):
    page = bench.page
    (tmp_path / "salt.cif").write_text(CIF)
    changed(page, lambda: page.locator("input[type=file]").set_input_files(tmp_path / "salt.cif"))
    assert "NaCl" in number(page, "crystal") or "ClNa" in number(page, "crystal")
    recipe = page.locator("textarea").nth(0).input_value()
    command = page.locator("textarea").nth(1).input_value()
    assert command == "crystalvision simulate bench.yaml -o bench.zarr"
    monkeypatch.chdir(tmp_path)  # where the dropped file lies
    (tmp_path / "bench.yaml").write_text(recipe)
    data = cv.simulate("bench.yaml", "bench.zarr", card=False)
    np.testing.assert_array_equal(data.images([0])[0][0], counts(page))


def test_a_broken_crystal_says_what_is_wrong_and_the_last_stays(bench, tmp_path):
    page, before = bench.page, counts(bench.page)
    (tmp_path / "broken.cif").write_text(CIF.replace("_cell_length_b 5.64\n", ""))
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.cif")
    page.wait_for_selector("[data-state=error]")
    said = page.locator("p.state").inner_text()
    assert said.startswith("broken.cif: ")  # and not with where its copy lies
    assert "_cell_length_b" in said
    np.testing.assert_array_equal(counts(page), before)
    changed(page, lambda: page.get_by_label("structure").select_option("gold"))
    assert number(page, "crystal").startswith("Au")
    assert json.dumps(bench.errors) == "[]"


def test_a_powder_recipe_has_a_bench_whose_sliders_change_it(bench):
    page = bench.page
    begin = page.get_by_label("Begin with")
    changed(page, lambda: begin.select_option("powder-theoretical"))
    assert number(page, "phase") == "Si3N4 P31c"
    before = number(page, "counts in all")
    strain = page.locator(".number", has_text="microstrain").get_by_role("slider").first
    page.get_by_text("Instrument: all else", exact=True).click()
    changed(page, lambda: strain.press("ArrowRight"))
    assert number(page, "counts in all") != before  # wider peaks under one height
    command = page.locator("textarea").nth(0).input_value()
    assert "microstrain: 0.0" in command
    assert "candidates:" in command
    assert bench.errors == []
