"""Recipes: what they accept, and what they say of what they do not."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from crystalvision.config import Part
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.sources import read_recipe, source_of
from crystalvision_simulate.recipes import Quantity, load_recipe
from crystalvision_simulate.recipes.shares import class_of_samples
from crystalvision_simulate.simulator import Simulator
from crystalvision_simulate.source import SimulationSource

CATALOGUE = Catalogue.load()
SHIPPED = [
    name
    for name in CATALOGUE.names("recipe")
    if source_of(read_recipe(CATALOGUE.path("recipe", name), CATALOGUE), name, CATALOGUE)
    == "crystalvision:simulation"
]
LIKE_ANOTHER = {"sadp-study", "sadp-neighbours"}  # as `sadp-five-groups`, in larger numbers
CURVES = {"powder-si3n4-defects": (2000,)}


def is_whole(simulator, index):
    sample = simulator.sample(index)
    assert sample.image.shape[1:] == CURVES.get(simulator.recipe.name, (256, 256))
    assert np.ptp(sample.image) > 0
    further = simulator.targets.columns
    assert set(sample.columns) == {"label", "severity", *simulator.columns, *further}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in LIKE_ANOTHER else [])
        for name in SHIPPED
    ],
)
def test_every_class_of_every_shipped_recipe_can_be_made(catalogue, name):
    """Classes differ in their crystals; renderer and camera, which take a second, are the same."""
    simulator = Simulator(load_recipe(name, catalogue), catalogue)
    *others, last = simulator.first_of_each_class()
    for index in others:
        assert simulator.scene(index).specimens
    is_whole(simulator, last)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_a_sample_of_every_class_of_every_shipped_recipe_is_whole(catalogue, name):
    simulator = Simulator(load_recipe(name, catalogue), catalogue)
    for index in simulator.first_of_each_class():
        is_whole(simulator, index)


def test_the_shipped_recipes(catalogue):
    assert set(SHIPPED) >= {
        "si3n4-four-classes",
        "si3n4-fingerprint",
        "si3n4-converged",
        "si3n4-dose-series",
        "si3n4-robust",
        "si3n4-robust-one-instrument",
        "sadp-five-groups",
        "sadp-defects",
        "sadp-study",
        "sadp-neighbours",
    }


def test_the_four_classes_are_the_papers(catalogue):
    recipe = load_recipe("si3n4-four-classes", catalogue)
    assert recipe.samples == 16000
    labels = class_of_samples([settings.share for settings in recipe.classes], recipe.samples)
    assert np.bincount(labels).tolist() == [3500, 4500, 4000, 4000]
    assert [settings.severity for settings in recipe.classes] == [0.0, 0.3, 0.6, 0.9]
    assert recipe.instrument.options["pixels"] == 256
    assert recipe.instrument.options["dose_electrons"] == 1e4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["thicknes=5"], r"unknown key 'thicknes'.*keys here: name,"),
        (["samples=0"], r"samples=0: Input should be greater than 0"),
        (["samples=many"], r"samples='many': Input should be a valid integer"),
        (["beam.mistilt_mrad=200"], r"mistilt_mrad reaches 200; expected 100 or less"),
        (["classes.1.name=no_defect"], r"two classes have one name"),
        (["specimen.thickness_angstrom={uniform: [9, 5]}"], r"low 9 is above high 5"),
        (["specimen.thickness_angstrom={unifrom: [5, 9]}"], r"'unifrom' is no distribution"),
        (["beam.energy_kev=.nan"], r"expected a finite number"),
        (["configurations=0"], r"configurations=0: 0 is out of range; expected 1 to 10,000"),
        (["configurations={uniform: [1, 4]}"], r"gives no whole numbers; .*\{choice: \[1, 2, 4\]"),
        (["configurations={choice: [1, 2.5]}"], r"gives no whole numbers"),
        (["configurations={choice: [2, 20000]}"], r"20000 is out of range"),
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
        (
            ["structure=nacl"],
            r"no structure is called 'nacl'; did you mean 'nickel'\? there are: alu",
        ),
        (["structure={name: cif, path: absent.cif}"], r"absent\.cif: no such file"),
        (["renderer.slice_thickness_angstrom=0"], r"slice_thickness_angstrom is 0"),
        (
            ["instrument.dose_electron=5"],
            r"no option 'dose_electron'; did you mean 'dose_electrons'\?",
        ),
        (["instrument.dose_electrons=-5"], r"dose_electrons is -5; expected more than 0"),
        (
            ["instrument.dose_electrons={uniform: [-1, 5]}"],
            r"dose_electrons is -1; expected more than 0",
        ),
        (["instrument.camera_length_error=2"], r"camera_length_error is 2; expected -0.5 to 0.5"),
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
        _ = SimulationSource(simulator).header


def test_the_robust_recipe_draws_what_differs_between_instruments(catalogue):
    """Alike in all classes, and on one axis: the camera's is known."""
    simulator = Simulator(load_recipe("si3n4-robust", catalogue), catalogue)
    drawn = [simulator.draw_nuisance(*_streams(seed)) for seed in range(40)]
    fixed = {name for name in drawn[0] if len({one[name] for one in drawn}) == 1}
    assert fixed == {"offset_counts", "read_noise_counts"} & set(drawn[0])
    assert {one["specimen_width_angstrom"] for one in drawn} == {38, 46, 53, 61, 68, 76, 84}
    assert {one["configurations"] for one in drawn} == {1, 2, 4}
    energies = [one["energy_kev"] for one in drawn]
    assert min(energies) < 100
    assert max(energies) > 280
    assert simulator.nuisance == tuple(name for name in simulator.nuisance if name in drawn[0])


def _streams(seed):
    seeds = np.random.SeedSequence(seed)
    return np.random.default_rng(seeds), seeds


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


def test_a_recipe_extends_another_value_by_value(catalogue, tmp_path):
    (tmp_path / "base.yaml").write_text(
        "extends: si3n4-four-classes\nname: base\ninstrument: {pixels: 64}\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "extends: base.yaml\nname: mine\nstructure: {name: si3n4-beta, a_angstrom: 7.6}\n"
        "instrument: {dose_electrons: 5}\n"
    )
    shipped = load_recipe("si3n4-four-classes", catalogue)
    recipe = load_recipe(str(tmp_path / "mine.yaml"), catalogue, ["instrument.pixels=32"])
    assert recipe.name == "mine"
    changed = {"pixels": 32, "dose_electrons": 5}
    assert recipe.instrument.name == "area-detector"
    assert recipe.instrument.options == shipped.instrument.options | changed
    assert recipe.structure == (Part.of("si3n4-beta", a_angstrom=7.6),)
    assert recipe.classes == shipped.classes


def test_recipes_that_extend_each_other_are_refused(catalogue, tmp_path):
    (tmp_path / "one.yaml").write_text("extends: two.yaml\n")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\n")
    with pytest.raises(InputError, match=r"two\.yaml: extends one\.yaml, which extends it in turn"):
        load_recipe(str(tmp_path / "one.yaml"), catalogue)
    (tmp_path / "one.yaml").write_text("extends: [a, b]\n")
    with pytest.raises(InputError, match=r"extends is \['a', 'b'\]; expected the name or file"):
        load_recipe(str(tmp_path / "one.yaml"), catalogue)


def test_choices_of_structures_and_zone_axes_survive_a_dataset_header(catalogue):
    recipe = load_recipe(
        "si3n4-four-classes",
        catalogue,
        [
            "structure={choice: [si3n4-beta, {name: aluminium, a_angstrom: 4}]}",
            "specimen.zone_axis={choice: [[0, 0, 1], [1, 1, 1]]}",
            "classes.0.structure=iron",
        ],
    )
    assert recipe.specimen.zone_axis == ((0, 0, 1), (1, 1, 1))
    assert recipe.classes[0].structure == (Part.of("iron"),)
    assert type(recipe).model_validate_json(recipe.model_dump_json()) == recipe


def test_each_sample_draws_among_the_choices_of_its_class(catalogue):
    recipe = load_recipe("sadp-five-groups", catalogue, ["samples=60", "classes.1.share=2"])
    simulator = Simulator(recipe, catalogue)
    names = [part.name for part in simulator.crystals.structures]
    drawn = [simulator.scene(index).columns for index in range(60)]
    for columns in drawn:
        own = [part.name for part in recipe.classes[int(columns["label"])].structure]
        assert names[int(columns["structure"])] in own
    assert len({columns["structure"] for columns in drawn}) > 12
    assert len({tuple(columns[f"zone_axis_{k}"] for k in "uvw") for columns in drawn}) > 10


def test_without_instrument_the_image_is_the_renderers(catalogue, small_recipe):
    data = small_recipe.model_dump() | {"instrument": "none"}
    sample = Simulator(type(small_recipe).model_validate(data), catalogue).sample(0)
    assert sample.image.dtype == np.float32
    assert sample.image.sum() == pytest.approx(1, abs=0.02)
    assert "rotation_deg" not in sample.columns


def test_a_class_without_any_structure_is_named(catalogue):
    with pytest.raises(InputError, match="class 'pm3m' has no structure, and neither has the rec"):
        load_recipe("sadp-five-groups", catalogue, ["classes.1.structure=null"])


@pytest.mark.parametrize(
    "value",
    [
        2.5,
        {"uniform": [-1, 3]},
        {"log_uniform": [1, 100]},
        {"normal": [1, 0.2]},
        {"choice": [3, 1, 8]},
    ],
)
def test_quantiles_of_even_shares_are_distributed_as_draws(value):
    quantity = Quantity.parse(value, "value")
    rng = np.random.default_rng(0)
    drawn = np.sort([quantity.draw(rng) for _ in range(4000)])
    even = np.sort(quantity.quantiles((np.arange(4000) + 0.5) / 4000))
    spread = drawn.std()
    assert np.abs(drawn[200:-200] - even[200:-200]).max() <= 0.1 * spread or set(drawn) == set(even)
    assert even.min() >= min(quantity.ends)
    assert even.max() <= max(quantity.ends)
