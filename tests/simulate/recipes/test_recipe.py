"""Recipes: what they accept, and what they say of what they do not."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from crystalvision.errors import InputError
from crystalvision_simulate.recipes import Quantity, load_recipe
from crystalvision_simulate.recipes.shares import class_of_samples
from crystalvision_simulate.simulator import Simulator


def test_every_shipped_recipe_is_valid(catalogue):
    names = catalogue.names("recipe")
    assert "si3n4-four-classes" in names
    for name in names:
        Simulator(load_recipe(name, catalogue, ["samples=2"]), catalogue)


def test_the_four_classes_are_the_papers(catalogue):
    recipe = load_recipe("si3n4-four-classes", catalogue)
    assert recipe.samples == 16000
    labels = class_of_samples([settings.share for settings in recipe.classes], recipe.samples)
    assert np.bincount(labels).tolist() == [3500, 4500, 4000, 4000]
    assert [settings.severity for settings in recipe.classes] == [0.0, 0.3, 0.6, 0.9]
    assert recipe.camera.pixels == 256
    assert recipe.detector.dose_electrons.root == 1e4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["thicknes=5"], r"unknown key 'thicknes'.*keys here: name,"),
        (
            ["detector.dose_electron=5"],
            r"unknown key 'detector\.dose_electron'; did you mean 'dose_electrons'\?",
        ),
        (["detector.dose_electrons=-5"], r"dose_electrons is -5; expected more than 0"),
        (
            ["detector.dose_electrons={uniform: [-1, 5]}"],
            r"dose_electrons is -1; expected more than 0",
        ),
        (["samples=0"], r"samples=0: Input should be greater than 0"),
        (["samples=many"], r"samples='many': Input should be a valid integer"),
        (["beam.mistilt_mrad=200"], r"mistilt_mrad reaches 200; expected 100 or less"),
        (["camera.camera_length_error=2"], r"camera_length_error reaches"),
        (["classes.1.name=no_defect"], r"two classes have one name"),
        (["specimen.thickness_angstrom={uniform: [9, 5]}"], r"low 9 is above high 5"),
        (["specimen.thickness_angstrom={unifrom: [5, 9]}"], r"'unifrom' is no distribution"),
        (["beam.energy_kev=.nan"], r"expected a finite number"),
    ],
)
def test_wrong_settings_are_named(catalogue, settings, message):
    with pytest.raises(InputError, match=message) as caught:
        load_recipe("si3n4-four-classes", catalogue, settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["classes.3.defects.0.fraction=1.2"],
            r"class 'vacancies_25': .*fraction is 1\.2; expected a fraction from 0 to 1",
        ),
        (
            ["classes.1.defects.0.fraction={uniform: [0, 1.5]}"],
            r"class 'pristine': .*fraction is 1\.5; expected a fraction",
        ),
        (["classes.3.defects.0.name=vacancies"], r"no defect is called 'vacancies'; did you mean"),
        (["classes.3.defects.0.part=1"], r"'vacancy' has no option 'part'"),
        (["structure=nacl"], r"no structure is called 'nacl'; there are: cif, si3n4-beta"),
        (["structure={name: cif, path: absent.cif}"], r"absent\.cif: no such file"),
        (["renderer.slice_thickness_angstrom=0"], r"slice_thickness_angstrom is 0"),
        (["renderer.slices=5"], r"'multislice' has no option 'slices'"),
        (["specimen.zone_axis=[1, 2, 3]"], r"no orthogonal cell narrower than 90 Å"),
    ],
)
def test_wrong_parts_are_named_before_work_starts(catalogue, settings, message):
    recipe = load_recipe("si3n4-four-classes", catalogue, settings)
    with pytest.raises(InputError, match=message) as caught:
        Simulator(recipe, catalogue)
    assert "\n" not in str(caught.value)


def test_a_camera_beyond_the_band_is_refused(catalogue, small_recipe):
    data = small_recipe.model_dump()
    data["renderer"]["band_limit_inv_angstrom"] = 0.5
    simulator = Simulator(type(small_recipe).model_validate(data), catalogue)
    with pytest.raises(InputError, match=r"the camera reaches 0\.8.* only 0\.5 1/Å: raise"):
        simulator.sample(0)


def test_files_and_names(catalogue, tmp_path):
    with pytest.raises(InputError, match="no recipe is called 'si3n4-four-clases'; did you mean"):
        load_recipe("si3n4-four-clases", catalogue)
    with pytest.raises(InputError, match=r"mine\.yaml: no such file"):
        load_recipe(str(tmp_path / "mine.yaml"), catalogue)
    path = tmp_path / "mine.yaml"
    shipped = catalogue.path("recipe", "si3n4-four-classes")
    path.write_text(Path(shipped).read_text(encoding="utf-8"), encoding="utf-8")
    assert load_recipe(str(path), catalogue) == load_recipe("si3n4-four-classes", catalogue)


def test_a_recipe_survives_being_stored(small_recipe):
    text = yaml.safe_dump(small_recipe.model_dump(mode="json"))
    assert type(small_recipe).model_validate(yaml.safe_load(text)) == small_recipe


@pytest.mark.parametrize(
    ("value", "low", "high", "mean"),
    [
        (1.5, 1.5, 1.5, 1.5),
        ({"uniform": [1, 3]}, 1, 3, 2),
        ({"log_uniform": [1, 100]}, 1, 100, 99 / np.log(100)),
        ({"normal": [2, 0.5]}, -1, 5, 2),
        ({"choice": [1, 2, 6]}, 1, 6, 3),
    ],
)
def test_quantities_draw_what_they_say(value, low, high, mean):
    quantity = Quantity.model_validate(value)
    rng = np.random.default_rng(0)
    drawn = np.array([quantity.draw(rng) for _ in range(4000)])
    assert (min(quantity.ends), max(quantity.ends)) == (low, high)
    assert low <= drawn.min() <= drawn.max() <= high
    assert drawn.mean() == pytest.approx(mean, abs=4 * max(drawn.std(), 1e-9) / np.sqrt(4000))


@pytest.mark.parametrize(
    "value", [{"uniform": [1]}, {"log_uniform": [0, 1]}, {"normal": [1, -1]}, {"choice": []}, {}]
)
def test_distributions_that_make_no_sense_are_refused(value):
    with pytest.raises(ValidationError):
        Quantity.model_validate(value)


def test_shares_hold_for_every_beginning():
    shares = [3500, 4500, 4000, 4000]
    labels = class_of_samples(shares, 3200)
    for count in (32, 320, 3200):
        counts = np.bincount(labels[:count], minlength=4)
        assert abs(counts - count * np.array(shares) / 16000).max() < 1
    assert np.array_equal(class_of_samples(shares, 100), labels[:100])
