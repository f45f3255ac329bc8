"""The bench of powders: that what it shows is what its recipe makes, and what its controls are."""

import json

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.samples import Curves, DotMap
from crystalvision.sources import SourceSpec, find_recipe, read_recipe, source_of
from crystalvision_simulate.powder.bench import open_bench

RECIPE = {
    "name": "three",
    "samples": 9,
    "seed": 7,
    "candidates": {"structures": ["aluminium", "silicon", "gold"]},
    "crystal": {
        "march_dollase": {"log_uniform": [0.25, 4]},
        "cell_error": {"normal": [0, 0.004]},
    },
    "instrument": {
        "name": "powder-diffractometer",
        "two_theta_min_deg": 20,
        "two_theta_max_deg": 79.9,
        "step_deg": 0.05,
        "zero_shift_deg": {"uniform": [-0.3, 0.1]},
        "background_counts": 20,
        "size_angstrom": 300,
    },
}
# Copper and gold on one site, which no ordinary crystal may have.
ALLOY = """data_alloy
_cell_length_a 3.9
_cell_length_b 3.9
_cell_length_c 3.9
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Cu1 Cu 0 0 0 0.5
Au1 Au 0 0 0 0.5
"""


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.load()


@pytest.fixture(scope="module")
def bench(catalogue):
    return open_bench(RECIPE, catalogue)


def settled(bench, **changes):
    """Settings with changes, as the page makes them, one after the other."""
    settings, _ = bench.settle(bench.settings())
    for name, value in changes.items():
        settings, _ = bench.settle({**settings, name: value})
    return settings


def controls(bench, settings):
    return {one.name: one for group in bench.settle(settings)[1] for one in group.controls}


def simulated(bench, settings, catalogue):
    """Sample 0 of the copied recipe, made as any dataset is."""
    recipe = json.loads(json.dumps(bench.recipe(settings)))
    source = SourceSpec(source_of(dict(recipe), "bench", catalogue), recipe).open(catalogue)
    (sample,) = source.samples([0])
    return sample


def same_sample(bench, settings, catalogue):
    shown, made = bench.view(settings).sample, simulated(bench, settings, catalogue)
    np.testing.assert_array_equal(shown.image, made.image)
    assert shown.columns.keys() == made.columns.keys()


CHANGES = {
    "as it is": {},
    "another phase, textured": {"phase": "Au Fm-3m", "crystal.march_dollase": 0.3, "seed": 3},
    "strained, of few grains": {"crystal.cell_spread": 0.01, "crystal.intensity_spread": 0.5},
    "with lines of another": {"crystal.foreign_share": 0.2, "second phase": "Au Fm-3m"},
    "expected counts": {"instrument.counting": False, "instrument.hump_counts": 50.0},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_shown_is_what_its_recipe_makes_bit_for_bit(bench, catalogue, name):
    same_sample(bench, settled(bench, **CHANGES[name]), catalogue)


def test_a_recipe_begins_at_the_middle_and_reaches_its_ends(bench):
    settings = settled(bench)
    found = controls(bench, settings)
    assert settings["crystal.march_dollase"] == pytest.approx(1.0)
    assert found["crystal.march_dollase"].low == 0.1
    assert found["crystal.cell_error"].high == pytest.approx(0.024)  # six sigma
    assert settings["instrument.zero_shift_deg"] == pytest.approx(-0.1)
    zero = found["instrument.zero_shift_deg"]
    assert zero.low <= -0.3
    assert zero.high >= 0.1
    assert found["phase"].choices == ("Al Fm-3m", "Si Fd-3m", "Au Fm-3m", "dropped file")


def test_the_view_has_the_lattice_and_three_patterns_on_one_scale(bench):
    lattice, pattern = bench.view(settled(bench, **{"crystal.march_dollase": 1.0})).figures
    assert isinstance(lattice, DotMap)
    assert [dots.name for dots in lattice.dots] == ["Al"]
    assert isinstance(pattern, Curves)
    ideal, recorded, expected = pattern.curves
    assert pattern.x_label == "2θ [°]"
    # Counts scatter about what is expected by their root.
    pulls = (recorded.y - expected.y) / np.sqrt(expected.y)
    assert np.std(pulls) == pytest.approx(1, abs=0.1)
    # As much is scattered by the ideal powder, into narrower peaks, at the right place.
    step = ideal.x[1] - ideal.x[0]
    areas = [np.nansum(curve.y - floor) * step for curve, floor in ((ideal, 0), (expected, 20))]
    assert areas[0] == pytest.approx(areas[1], rel=0.02)
    assert np.nanmax(ideal.y) > 1.2 * expected.y.max()
    highest = [curve.x[np.nanargmax(curve.y)] for curve in (ideal, expected)]
    assert highest[1] - highest[0] == pytest.approx(-0.1, abs=0.06)
    names = {mark.text: mark.x for mark in pattern.marks}
    assert {"111", "200", "220", "311"} <= names.keys()
    assert names["111"] == pytest.approx(38.47, abs=0.05)  # of aluminium, PDF 00-004-0787


def test_a_slider_of_wear_moves_the_pattern_and_leaves_the_ideal_one(bench):
    before = bench.view(settled(bench)).figures[1].curves
    for change in (
        {"instrument.microstrain": 0.004},
        {"instrument.zero_shift_deg": 0.2},
        {"crystal.thermal_rms_angstrom": 0.25},
        {"crystal.cell_error": 0.01},
    ):
        after = bench.view(settled(bench, **change)).figures[1].curves
        shape = [one[0].y / np.nansum(one[0].y) for one in (before, after)]
        np.testing.assert_allclose(*(each[np.isfinite(sum(shape))] for each in shape), rtol=1e-3)
        assert np.abs(after[2].y - before[2].y).max() > 0.05 * before[2].y.max(), change


def test_a_mixture_names_the_peaks_of_each_phase_and_their_shares(catalogue):
    bench = open_bench({**RECIPE, "mixture": {"phases": {"choice": [2, 3]}}}, catalogue)
    settings = settled(bench, **{"mixture.phases": 2, "second phase": "Si Fd-3m"})
    seen = bench.view(settings)
    shares = {name: value for name, value in seen.numbers.items() if name.startswith("share of")}
    assert set(shares) == {"share of Al Fm-3m", "share of Si Fd-3m"}
    assert sum(float(value.rstrip("%")) for value in shares.values()) == pytest.approx(100, abs=0.2)
    assert {mark.text.split()[0] for mark in seen.figures[1].marks} == {"Al", "Si"}
    same_sample(bench, settings, catalogue)


def test_a_dropped_crystal_may_be_an_alloy(bench, catalogue, tmp_path):
    path = tmp_path / "alloy.cif"
    path.write_text(ALLOY)
    settings = settled(bench, **{"phase.file": str(path)})
    assert settings["phase"] == "dropped file"
    seen = bench.view(settings)
    assert seen.numbers["phase"].startswith("Cu0.5Au0.5")
    assert {dots.name for dots in seen.figures[0].dots} == {"Cu (0.5)", "Au (0.5)"}
    same_sample(bench, settings, catalogue)


def test_phases_of_a_library_are_told_by_their_names_even_if_two_share_one(catalogue, tmp_path):
    library = tmp_path / "library.jsonl"
    lines = [
        {"formula": "Po", "space_group": 221, "lattice": [edge] * 3 + [90] * 3,
         "sites": [["Po", 0, 0, 0]]}
        for edge in (3.3, 3.4, 3.5)
    ]  # fmt: skip
    library.write_text("\n".join(map(json.dumps, lines)))
    bench = open_bench({**RECIPE, "candidates": {"json_lines": str(library)}}, catalogue)
    names = controls(bench, settled(bench))["phase"].choices
    assert names[:3] == tuple(f"Po no. 221 ({number})" for number in (1, 2, 3))
    settings = settled(bench, **{"phase": names[2], "second phase": names[0]})
    settings["crystal.foreign_share"] = 0.3
    assert bench.recipe(settings)["candidates"]["only"] == [names[2], names[0]]
    assert bench.view(settings).numbers["a, b, c"].startswith("3.5000")
    same_sample(bench, settings, catalogue)
    path = tmp_path / "alloy.cif"
    path.write_text(ALLOY)
    same_sample(bench, settled(bench, **{"phase.file": str(path)}), catalogue)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"phase": "dropped file"}, "no file was dropped yet"),
        ({"phase": "Al of a kind"}, "there is none of that name; there are Al Fm-3m"),
        ({"crystal.march_dollase": 0.0}, "march_dollase is 0; expected more than 0"),
        ({"instrument.step_deg": 0.0}, "step_deg"),
        ({"instrument": "area-detector"}, "a powder has intensities"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(bench, changes, said):
    with pytest.raises(InputError, match=said) as caught:
        bench.view(settled(bench, **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["powder-library", "powder-mixtures", "powder-theoretical"])
def test_shipped_recipes_have_a_bench(catalogue, name):
    recipe = read_recipe(find_recipe(name, catalogue), catalogue)
    source_of(recipe, name, catalogue)
    bench = open_bench(recipe, catalogue)
    same_sample(bench, settled(bench), catalogue)


def test_the_ideal_twin_of_a_sample_is_without_noise_and_wear(catalogue):
    source = SourceSpec("powder", RECIPE, threads=1).open(catalogue)
    ideal = [source.ideal(index) for index in (0, 3)]  # both of aluminium
    np.testing.assert_allclose(*ideal, atol=1e-6)
    assert ideal[0].shape == source.header.image_shape
