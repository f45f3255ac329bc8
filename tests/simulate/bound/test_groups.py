"""Specimens of all classes that differ in nothing but what makes their class."""

import numpy as np
import pytest
import torch

from crystalvision_simulate.bound._groups import draw_group, rates_of
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.simulator import Simulator


@pytest.fixture(scope="module")
def simulator(small_recipe, catalogue):
    return Simulator(small_recipe, catalogue)


def changed(recipe, **groups):
    """The recipe with other values in its groups."""
    data = recipe.model_dump()
    for group, values in groups.items():
        if isinstance(values, dict):
            data[group].update(values)
        else:
            data[group] = values
    return Recipe.model_validate(data)


def test_all_classes_share_the_nuisance(simulator):
    group = draw_group(simulator, 3, seed=0, specimens=2)
    columns = [scene.columns for row in group.scenes for scene in row]
    for name in simulator.nuisance:
        assert len({one[name] for one in columns}) == 1, name
    other = draw_group(simulator, 4, seed=0, specimens=2)
    assert other.nuisance[0]["rotation_deg"] != group.nuisance[0]["rotation_deg"]


def test_specimens_differ_where_the_class_has_randomness(simulator):
    group = draw_group(simulator, 0, seed=0, specimens=3)
    assert [scene.columns["label"] for scene, *_ in group.scenes] == [0, 1, 2, 3]
    assert len({id(scene) for scene in group.scenes[0]}) == 1  # no_defect: rendered once
    for row in group.scenes[1:]:
        assert len({scene.specimens[0].positions.tobytes() for scene in row}) == 3
    degrees = {scene.columns["displacement_rms_angstrom"] for scene in group.scenes[2]}
    assert len(degrees) == 3


def test_a_group_depends_on_seed_and_index_alone(simulator):
    one, again = (rates_of(simulator, draw_group(simulator, 5, seed=1, specimens=2)) for _ in "ab")
    assert np.array_equal(one, again)
    assert one.shape == (4, 2, 32 * 32)
    other = rates_of(simulator, draw_group(simulator, 5, seed=2, specimens=2))
    assert not np.array_equal(one, other)


def test_classes_of_different_crystals_share_the_rest(small_recipe, catalogue):
    data = small_recipe.model_dump()
    data["structure"] = None
    names = ("si3n4-beta", {"choice": ["si3n4-alpha", "si3n4-beta"]}, "si3n4-alpha", "si3n4-beta")
    for settings, name in zip(data["classes"], names, strict=True):
        settings["structure"] = name
    simulator = Simulator(Recipe.model_validate(data), catalogue)
    group = draw_group(simulator, 0, seed=0, specimens=2)
    columns = [row[0].columns for row in group.scenes]
    assert columns[0]["structure"] != columns[2]["structure"]
    assert len({one["rotation_deg"] for one in columns}) == 1
    rates_of(simulator, group)


@pytest.mark.parametrize(
    "detector",
    [
        {"point_spread_px": 0.8, "beam_stop_radius_inv_angstrom": 0.1},
        {"inelastic_fraction": 0.4, "mask_radius_inv_angstrom": 0.3},
        {"dose_electrons": None, "dose_electrons_per_angstrom2": 5e3},
        {"kind": "integrating", "point_spread_px": 0.0, "mtf": ((0.0, 1.0), (1.0, 0.6))},
    ],
    ids=["stop", "mask", "dose per area", "mtf"],
)
def test_rates_times_dose_are_what_the_simulator_counts(small_recipe, catalogue, detector):
    """Counts of the simulator scatter about them as Poisson numbers do."""
    settings = {"dose_electrons": 1e6} | detector
    simulator = Simulator(changed(small_recipe, instrument=settings), catalogue)
    group = draw_group(simulator, 0, seed=0, specimens=1)
    per_area = settings["dose_electrons"] is None
    dose = group.nuisance[0]["dose_electrons_per_angstrom2" if per_area else "dose_electrons"]
    rates = rates_of(simulator, group)
    scenes = [row[0] for row in group.scenes]
    counts = [sample.image.astype(float) for sample in simulator.expose(simulator.render(scenes))]
    if detector.get("kind") == "integrating":  # neighbours are correlated; their sum is not
        sums = rates.sum(axis=2)[:, 0] * dose
        totals = np.array([image.sum() for image in counts])
        assert np.abs(totals - sums).max() < 5 * np.sqrt(sums.max()) + 0.01 * sums.max()
        return
    for image, expected in zip(counts, rates[:, 0] * dose, strict=True):
        kept = image.ravel()
        if "mask_radius_inv_angstrom" in detector:
            assert len(expected) < kept.size
            assert abs(kept.sum() - expected.sum()) < 5 * np.sqrt(expected.sum())
            continue
        assert kept[expected == 0].sum() == 0
        lit = expected > 1
        deviation = ((kept[lit] - expected[lit]) ** 2 / expected[lit]).mean()
        assert deviation == pytest.approx(1, abs=6 * np.sqrt(2 / lit.sum()))


def test_another_dose_needs_no_other_images(small_recipe, catalogue):
    low, high = (
        Simulator(changed(small_recipe, instrument={"dose_electrons": dose}), catalogue)
        for dose in (1e2, 1e5)
    )
    rates = [rates_of(one, draw_group(one, 0, seed=0, specimens=1)) for one in (low, high)]
    assert np.array_equal(*rates)
    assert torch.get_num_threads() == 1


def test_places_have_nuisances_of_one_part_of_each_range(simulator):
    quantity = simulator.quantities["rotation_deg"]
    low, high = quantity.ends
    drawn = []
    for index in range(12):
        group = draw_group(simulator, index, seed=0, specimens=3, untold=["rotation_deg"], parts=4)
        rotations = [one["rotation_deg"] for one in group.nuisance]
        assert len(set(rotations)) == 3
        assert len({int((angle - low) / (high - low) * 4) for angle in rotations}) == 1
        assert len({one["thickness_angstrom"] for one in group.nuisance}) == 1
        drawn += rotations
    assert len({int((angle - low) / (high - low) * 4) for angle in drawn}) == 4


def test_a_perfect_crystal_is_rendered_for_each_nuisance(simulator):
    group = draw_group(simulator, 0, seed=0, specimens=3, untold=["rotation_deg"], parts=2)
    assert len({id(scene) for scene in group.scenes[0]}) == 3
    columns = [[scene.columns["rotation_deg"] for scene in row] for row in group.scenes]
    assert all(row == columns[0] for row in columns)  # a place has one nuisance in all classes
    assert rates_of(simulator, group).shape == (4, 3, 32 * 32)
