"""What every defect that we register must do; its options are all that is written down here."""

from itertools import product

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.crystals import Box, Crystals
from crystalvision_simulate.defects_of_classes import Defects
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.specimens import CrystalCutter, SlabCutter

OPTIONS = {
    "displacement": {"sigma_angstrom": 0.05},
    "edge-dislocation": {},
    "interstitial": {"fraction": 0.02, "element": "C"},
    "strain": {"axial": 0.02, "direction": [0, 0, 1]},
    "substitution": {"fraction": 0.1, "replacement": "Cu"},
    "thermal-vibration": {"debye_temperature_kelvin": 428},
    "twin": {},
    "vacancy": {"fraction": 0.1},
}
NOTHING = {
    "displacement": {"sigma_angstrom": 0.0},
    "interstitial": {"fraction": 0.0, "element": "C"},
    "strain": {},
    "substitution": {"fraction": 0.0, "replacement": "Cu"},
    "thermal-vibration": {"b_iso_angstrom2": {"Al": 0.0}},
    "vacancy": {"fraction": 0.0},
}
APERIODIC = {"edge-dislocation", "twin"}

CATALOGUE = Catalogue.load()
NAMES = [
    entry.name
    for entry in CATALOGUE.of_kind("defect")
    if entry.plugin.distribution == "crystalvision"
]


def aluminium():
    return CATALOGUE.create("structure", "aluminium", {})


@pytest.fixture(scope="module")
def cut():
    return CrystalCutter(aluminium(), zone_axis=(1, -1, 0), width_angstrom=40).cut(20)


@pytest.fixture(scope="module")
def slab():
    return SlabCutter(aluminium(), zone_axis=(0, 0, 1), width_angstrom=20).cut(12)


def make(name, options=None):
    return CATALOGUE.create("defect", name, OPTIONS[name] if options is None else options)


def test_every_registered_defect_has_its_options_here():
    assert set(OPTIONS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_defect_measures_what_it_says_and_leaves_its_input_alone(name, cut):
    kept_arrays = cut.positions.copy(), cut.numbers.copy(), cut.cell.copy()
    result = make(name).apply(cut, np.random.default_rng(3))
    for array, kept in zip((cut.positions, cut.numbers, cut.cell), kept_arrays, strict=True):
        assert np.array_equal(array, kept)
    assert tuple(result.degree) == tuple(one.name for one in make(name).measures)
    assert all(np.isfinite(value) for value in result.degree.values())
    assert any(value != 0 for value in result.degree.values())
    for uvw in np.eye(3):  # [uvw] still means the same, but for what a strain does to it
        before, after = (crystal.parent.direction(uvw) for crystal in (cut, result.crystal))
        np.testing.assert_allclose(after, before, atol=0.1)
    box = np.diag(result.crystal.cell)
    assert (result.crystal.positions > -0.5).all()
    assert (result.crystal.positions < box + 0.5).all()
    assert result.crystal.periodic.sum() == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_same_generator_gives_the_same_crystal(name, cut):
    one, other = (make(name).apply(cut, np.random.default_rng(9)).crystal for _ in range(2))
    assert np.array_equal(one.positions, other.positions)
    assert np.array_equal(one.numbers, other.numbers)


@pytest.mark.parametrize("name", sorted(NOTHING))
def test_a_degree_of_zero_changes_no_atom(name, cut, slab):
    for crystal in (cut, slab):
        result = make(name, NOTHING[name]).apply(crystal, np.random.default_rng(0))
        np.testing.assert_allclose(result.crystal.positions, crystal.positions, atol=1e-12)
        assert np.array_equal(result.crystal.numbers, crystal.numbers)
        assert set(result.degree.values()) == {0.0}


@pytest.mark.parametrize("name", NAMES)
def test_slabs_take_what_repeats_and_refuse_the_rest(name, slab):
    if name in APERIODIC:
        with pytest.raises(InputError, match=r"set specimen\.aperture_diameter_angstrom") as caught:
            make(name).apply(slab, np.random.default_rng(0))
        assert "\n" not in str(caught.value)
    else:
        make(name).apply(slab, np.random.default_rng(0))


def ideal_and_defects(data):
    """The ideal crystal of a recipe, cut, and what puts its defects in."""
    recipe = Recipe.model_validate(data)
    specimen, crystals = recipe.specimen, Crystals(recipe, CATALOGUE)
    seeds = np.random.SeedSequence(0)
    cut = crystals.draw_cut(0, np.random.default_rng(seeds), seeds)
    sizes = ("thickness_angstrom", "width_angstrom", "aperture_diameter_angstrom")
    ideal = crystals.cut(cut, Box(*(getattr(specimen, name).ends[0] for name in sizes)))
    return ideal, Defects(recipe, CATALOGUE)


@pytest.mark.parametrize(("first", "second"), list(product(NAMES, NAMES)))
def test_any_two_defects_go_together_in_any_order(first, second):
    """As in a recipe: both are measured, and no two atoms come unphysically near."""
    parts = [{"name": name, **OPTIONS[name]} for name in (first, second)]
    data = {
        "name": "pair",
        "samples": 1,
        "structure": "aluminium",
        "specimen": {"zone_axis": [1, -1, 0], "width_angstrom": 32, "thickness_angstrom": 12},
        "classes": [{"name": "both", "severity": 1, "defects": parts}],
    }
    data["specimen"]["aperture_diameter_angstrom"] = 20
    ideal, defects = ideal_and_defects(data)
    if first == second == "twin":
        with pytest.raises(InputError, match="this crystal is twinned already"):
            defects.put_in(ideal, 0, np.random.default_rng(1))
        return
    (crystal,), degree = defects.put_in(ideal, 0, np.random.default_rng(1))
    for name in (first, second):
        assert any(degree[measure.name] != 0 for measure in make(name).measures)
    assert np.isfinite(crystal.positions).all()
    apart = crystal.positions[:, None] - crystal.positions[None, :]
    distances = np.linalg.norm(apart, axis=-1) + 9 * np.eye(len(crystal))
    assert distances.min() > 0.9


def test_the_order_of_stages_is_not_the_recipes():
    """A twin fills its side anew, so it must come before vacancies wherever it is written."""
    counts = []
    for names in (("vacancy", "twin"), ("twin", "vacancy")):
        parts = [{"name": name, **OPTIONS[name]} for name in names]
        data = {
            "name": "order",
            "samples": 1,
            "structure": "aluminium",
            "specimen": {
                "zone_axis": [1, -1, 0],
                "width_angstrom": 40,
                "aperture_diameter_angstrom": 20,
                "thickness_angstrom": 20,
            },
            "classes": [{"name": "both", "severity": 1, "defects": parts}],
        }
        ideal, defects = ideal_and_defects(data)
        (crystal,), _ = defects.put_in(ideal, 0, np.random.default_rng(1))
        counts.append(len(crystal) / len(ideal))
    assert counts == pytest.approx([0.9, 0.9], abs=0.005)
