"""One sample: repeatable from its index alone, with nuisance that gives no class away."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

from crystalvision.config import Part
from crystalvision.errors import InputError
from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.simulator import Simulator


@pytest.fixture(scope="module")
def simulator(small_recipe, catalogue):
    return Simulator(small_recipe, catalogue)


def test_a_sample_depends_on_its_index_alone(simulator, small_recipe, catalogue):
    first = [simulator.sample(index) for index in (3, 4, 5)]
    again = [Simulator(small_recipe, catalogue).sample(index) for index in (5, 3, 4)]
    for one, other in zip(first, (again[1], again[2], again[0]), strict=True):
        assert np.array_equal(one.image, other.image)
        assert one.columns == other.columns
    assert not np.array_equal(first[0].image, first[1].image)


def test_a_longer_dataset_begins_like_a_shorter_one(simulator, small_recipe, catalogue):
    longer = Simulator(small_recipe.model_copy(update={"samples": 400}), catalogue)
    assert np.array_equal(longer.sample(7).image, simulator.sample(7).image)


def test_another_seed_gives_other_samples(simulator, small_recipe, catalogue):
    other = Simulator(small_recipe.model_copy(update={"seed": 1}), catalogue)
    assert not np.array_equal(other.sample(0).image, simulator.sample(0).image)


def test_measured_degrees_are_those_of_the_class(simulator):
    by_label = {int(s.columns["label"]): s.columns for s in map(simulator.sample, range(8))}
    assert sorted(by_label) == [0, 1, 2, 3]
    assert by_label[0]["thermal_displacement_rms_angstrom"] == 0
    for label in (1, 2, 3):
        assert 0.05 < by_label[label]["thermal_displacement_rms_angstrom"] < 0.07
    assert by_label[3]["vacancy_fraction"] == pytest.approx(0.25, abs=0.002)
    assert by_label[1]["vacancy_fraction"] <= 0.012
    assert 0.05 < by_label[2]["displacement_rms_angstrom"] < 0.11


def test_nuisance_alone_does_not_tell_the_classes_apart(small_recipe, catalogue):
    """A forest trained on every nuisance value that a dataset stores finds chance."""
    recipe = small_recipe.model_copy(update={"samples": 600})
    simulator = Simulator(recipe, catalogue)
    # What is drawn needs no rendering.
    assert simulator.scene(7).columns == simulator.sample(7).columns
    stored = [simulator.scene(index).columns for index in range(recipe.samples)]
    rows = np.array([[columns[name] for name in simulator.nuisance] for columns in stored])
    labels = np.array([columns["label"] for columns in stored])
    forest = RandomForestClassifier(100, random_state=0)
    accuracy = cross_val_score(forest, rows, labels, cv=4).mean()
    assert accuracy == pytest.approx(0.26, abs=0.06)  # the largest class holds 28 %
    with_degree = np.column_stack([rows, [c["vacancy_fraction"] for c in stored]])
    assert cross_val_score(forest, with_degree, labels, cv=4).mean() > 0.6  # it could have told
    drawn = dict(zip(simulator.nuisance, rows.T, strict=True))
    assert drawn["rotation_deg"].max() > 350
    assert 0 <= drawn["mistilt_mrad"].min() <= drawn["mistilt_mrad"].max() <= 17


def test_two_vacancy_parts_measure_what_both_removed(small_recipe, catalogue):
    data = small_recipe.model_dump()
    data["classes"][0]["defects"] = [
        {"name": "vacancy", "fraction": 0.2, "element": "Si"},
        {"name": "vacancy", "fraction": 0.4, "element": "N"},
    ]
    simulator = Simulator(type(small_recipe).model_validate(data), catalogue)
    index = next(i for i in range(8) if simulator.label(i) == 0)
    expected = (0.2 * 6 + 0.4 * 8) / 14
    assert simulator.sample(index).columns["vacancy_fraction"] == pytest.approx(expected, abs=0.01)


def test_the_classes_differ_in_their_patterns_as_physics_says(small_recipe, catalogue):
    """Without nuisance: disorder takes intensity from the Bragg beams at high angles."""
    data = small_recipe.model_dump()
    data["specimen"]["thickness_angstrom"] = 12
    data["beam"].update(mistilt_mrad=0)
    data["instrument"].update(rotation_deg=0, centre_offset_x_px=0, centre_offset_y_px=0)
    data["instrument"].update(camera_length_error=0)
    data["instrument"].update(dose_electrons=1e8, point_spread_px=0)
    recipe = type(small_recipe).model_validate(data)
    simulator = Simulator(recipe, catalogue)
    bragg: dict[int, float] = {}
    strong = None
    for index in range(8):
        sample = simulator.sample(index)
        if strong is None and sample.columns["label"] == 0:
            strong = sample.image[0] > np.quantile(sample.image[0], 0.97)
    for index in range(8):
        sample = simulator.sample(index)
        bragg[int(sample.columns["label"])] = float(sample.image[0][strong].sum())
    assert bragg[0] > bragg[1] > bragg[2] > bragg[3]


def test_configurations_smooth_the_thermal_diffuse_scattering(small_recipe, catalogue):
    one, many = (
        Simulator(small_recipe.model_copy(update={"configurations": n}), catalogue).sample(1)
        for n in (1, 4)
    )
    assert one.columns["rotation_deg"] == many.columns["rotation_deg"]
    assert not np.array_equal(one.image, many.image)
    assert 0.05 < many.columns["thermal_displacement_rms_angstrom"] < 0.07


def test_the_number_of_configurations_may_be_drawn(small_recipe, catalogue):
    settings = small_recipe.model_dump() | {"configurations": {"choice": [1, 3]}}
    simulator = Simulator(type(small_recipe).model_validate(settings), catalogue)
    fixed = Simulator(small_recipe, catalogue)
    scenes = [simulator.scene(index) for index in range(16)]
    drawn = [int(scene.columns["configurations"]) for scene in scenes]
    assert set(drawn) == {1, 3}
    for index, (scene, count) in enumerate(zip(scenes, drawn, strict=True)):
        moves = scene.columns["label"] != 0  # of the class without defects all would be the same
        assert len(scene.specimens) == (count if moves else 1)
        assert scene.columns["rotation_deg"] == fixed.scene(index).columns["rotation_deg"]


def test_float64_gives_nearly_the_same_counts(small_recipe, catalogue):
    single = Simulator(small_recipe, catalogue).sample(2).image.astype(float)
    double = Simulator(small_recipe, catalogue, dtype=torch.float64).sample(2).image.astype(float)
    assert (single != double).mean() < 1e-3


def test_a_recipe_that_names_its_crystal_takes_no_other(simulator, small_recipe, catalogue):
    pinned = small_recipe.model_copy(
        update={"structure_sha256": simulator.crystals.structure_sha256}
    )
    assert np.array_equal(Simulator(pinned, catalogue).sample(1).image, simulator.sample(1).image)
    changed = (Part.of("si3n4-beta", a_angstrom=7.7),)
    with pytest.raises(InputError, match="is not the crystal that the recipe was written for"):
        Simulator(pinned.model_copy(update={"structure": changed}), catalogue)


def test_a_fingerprint_is_no_pattern_for_a_camera(small_recipe, catalogue):
    changed = small_recipe.model_copy(update={"renderer": Part(name="fingerprint")})
    with pytest.raises(InputError, match=r"'fingerprint' gives an intensity.*instrument=none"):
        Simulator(changed, catalogue)
    Simulator(changed.model_copy(update={"instrument": Part(name="none")}), catalogue)


def test_the_cluster_of_the_fingerprint_recipe_is_what_it_says(catalogue):
    recipe = load_recipe("si3n4-fingerprint", catalogue)
    assert "8 × 10 × 20 cells" in " ".join(recipe.description.split())
    scenes = map(Simulator(recipe, catalogue).scene, range(100))
    scene = next(each for each in scenes if each.columns["label"] == 0)
    assert len(scene.specimens[0].numbers) == 8 * 10 * 20 * 14


def test_an_index_beyond_the_dataset_is_refused(simulator):
    with pytest.raises(InputError, match="sample 40 is none of this recipe's; expected 0 to 39"):
        simulator.sample(40)
