"""Point defects in ordered arrays, and neighbours that give way."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.specimens import CrystalCutter, SlabCutter

CATALOGUE = Catalogue.load()


def cut_of(name, width=40, thickness=30, axis=(0, 1, 2)):
    crystal = CATALOGUE.create("structure", name, {})
    return CrystalCutter(crystal, zone_axis=axis, width_angstrom=width).cut(thickness)


def apply(name, crystal, seed=0, **options):
    return CATALOGUE.create("defect", name, options).apply(crystal, np.random.default_rng(seed))


def removed(crystal, result):
    distance, _ = cKDTree(result.crystal.positions).query(crystal.positions)
    return crystal.positions[distance > 0.5]


@pytest.mark.parametrize(
    ("name", "repeats", "fraction"),
    [
        ("aluminium", 3, 1 / 108),
        ("aluminium", 2, 0.03125),
        ("iron", 4, 0.0078125),
        ("iron", 3, 0.0185),
    ],
)
def test_one_site_of_each_supercell_is_empty(name, repeats, fraction):
    crystal = cut_of(name)
    result = apply("vacancy", crystal, fraction=fraction, order="periodic")
    gone = removed(crystal, result)
    assert result.degree["vacancy_fraction"] == pytest.approx(fraction, rel=0.35)
    edge = repeats * crystal.parent.unit_cell.cell[0, 0]
    steps = (gone - gone[0]) @ crystal.parent.rotation / edge
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
    assert len(gone) == pytest.approx(crystal.volume_angstrom3 / edge**3, rel=0.4)


def test_arrays_begin_at_a_site_that_is_drawn():
    crystal = cut_of("aluminium")
    places = {
        tuple(
            removed(crystal, apply("vacancy", crystal, seed, fraction=1 / 108, order="periodic"))[0]
        )
        for seed in range(6)
    }
    assert len(places) > 2


def test_substitutes_and_interstitials_form_arrays_too():
    crystal = cut_of("aluminium")
    replaced = apply("substitution", crystal, fraction=1 / 32, replacement="Si", order="periodic")
    assert (replaced.crystal.numbers == 14).sum() == round(
        replaced.degree["substitution_fraction"] * len(crystal)
    )
    added = apply(
        "interstitial",
        crystal,
        fraction=1 / 108,
        element="C",
        site=(0.25, 0.25, 0.25),
        order="periodic",
    )
    carbon = added.crystal.positions[added.crystal.numbers == 6]
    edge = 3 * crystal.parent.unit_cell.cell[0, 0]
    steps = (carbon - carbon[0]) @ crystal.parent.rotation / edge
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
    distance, _ = cKDTree(crystal.positions).query(carbon)
    assert distance == pytest.approx(4.04958 * np.sqrt(3) / 4, abs=1e-6)


def test_an_array_follows_the_strain_of_its_crystal():
    crystal = cut_of("aluminium")
    strained = apply("strain", crystal, axial=0.04, direction=(1, 0, 0)).crystal
    gone = removed(strained, apply("vacancy", strained, fraction=1 / 32, order="periodic"))
    steps = (gone - gone[0]) @ np.linalg.inv(2 * strained.parent.vectors)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)


@pytest.mark.parametrize(("name", "shells"), [("aluminium", (12, 6)), ("iron", (8, 6))])
def test_shells_of_neighbours_move_as_far_as_is_said(name, shells):
    crystal = cut_of(name, width=60, thickness=40)
    moves = (-0.08, 0.03)
    options = {"fraction": 1 / 500 if name == "aluminium" else 1 / 432, "order": "periodic"}
    ideal = apply("vacancy", crystal, **options).crystal
    given = apply("vacancy", crystal, **options, relaxation_angstrom=moves).crystal
    shift = given.positions - ideal.positions
    inner = removed(crystal, apply("vacancy", crystal, **options))
    box = np.diag(crystal.cell)
    inner = inner[((inner > 8) & (inner < box - 8)).all(axis=1)]
    assert len(inner)
    for centre in inner:
        away = ideal.positions - centre
        distance = np.linalg.norm(away, axis=1)
        order = np.argsort(distance)
        first, second = order[: shells[0]], order[shells[0] : sum(shells)]
        for atoms, move in zip((first, second), moves, strict=True):
            along = (shift[atoms] * away[atoms]).sum(axis=1) / distance[atoms]
            np.testing.assert_allclose(along, move, atol=1e-9)
            np.testing.assert_allclose(np.linalg.norm(shift[atoms], axis=1), abs(move), atol=1e-9)
    assert (np.linalg.norm(shift, axis=1) < 1e-9).sum() > 0.5 * len(ideal)


def test_neighbours_across_the_side_of_a_slab_give_way():
    crystal = CATALOGUE.create("structure", "aluminium", {})
    slab = SlabCutter(crystal, width_angstrom=16).cut(16)
    ideal, given = (
        apply("vacancy", slab, fraction=0.01, relaxation_angstrom=moves).crystal
        for moves in ((), (-0.05,))
    )
    moved = np.linalg.norm(given.positions - ideal.positions, axis=1)
    count = len(slab) - len(ideal)
    assert 6 * count < (moved > 1e-9).sum() <= 12 * count


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"fraction": 0.01, "order": "periodic"},
            r"not one defect in a supercell.*1/108 \(0\.0092593\)",
        ),
        (
            {"fraction": 0.01, "order": "diagonal"},
            "order='diagonal': Input should be 'random' or 'periodic'",
        ),
        (
            {"fraction": 0.01, "relaxation_angstrom": [2]},
            r"relaxation_angstrom has 2; expected -1 to 1",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(InputError, match=message) as caught:
        apply("vacancy", cut_of("aluminium", 24, 12), **options)
    assert "\n" not in str(caught.value)


def test_a_slab_that_repeats_takes_no_array():
    crystal = CATALOGUE.create("structure", "aluminium", {})
    slab = SlabCutter(crystal, width_angstrom=16).cut(16)
    with pytest.raises(InputError, match=r"set specimen\.aperture_diameter_angstrom"):
        apply("vacancy", slab, fraction=1 / 108, order="periodic")
