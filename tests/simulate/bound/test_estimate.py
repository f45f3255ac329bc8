"""The bound of a small recipe: what must hold of it whatever the numbers are."""

import numpy as np
import pytest

from crystalvision.config import Part
from crystalvision.errors import InputError
from crystalvision_simulate.bound import estimate_bound
from crystalvision_simulate.recipes import Quantity, Recipe
from crystalvision_simulate.simulator import Simulator

DOSES = [1e-3, 1e3, 1e4, 1e5, 1e9]
IDEAL = Part.of("area-detector", kind="ideal", pixels=32, pixel_size_inv_angstrom=0.045)
LARGEST_SHARE = 4500 / 16000


def with_detector(recipe, **values):
    data = recipe.model_dump()
    data["instrument"].update(values)
    return Recipe.model_validate(data)


@pytest.fixture(scope="module")
def series(small_recipe, catalogue):
    """A simulator whose patterns are taken at several doses."""
    return Simulator(with_detector(small_recipe, dose_electrons={"choice": DOSES}), catalogue)


@pytest.fixture(scope="module")
def by_dose(series):
    """Its bound."""
    return estimate_bound(series, patterns=8, specimens=3, column="dose_electrons")


def test_there_is_a_point_for_each_dose(by_dose, series):
    assert [point.value for point in by_dose.points] == DOSES
    assert by_dose.class_names == tuple(settings.name for settings in series.recipe.classes)
    assert max(by_dose.class_shares) == pytest.approx(LARGEST_SHARE)
    assert by_dose.seconds > 0


def test_the_bound_rises_from_the_largest_share_to_one(by_dose):
    uppers = [point.upper for point in by_dose.points]
    assert uppers[0] == pytest.approx(LARGEST_SHARE, abs=1e-3)
    assert uppers == sorted(uppers)
    assert uppers[-1] == pytest.approx(1, abs=1e-6)
    assert uppers[1] + 0.1 < uppers[2] < uppers[3] - 0.1


def test_the_reference_stays_below_the_bound(by_dose):
    for point in by_dose.points:
        assert point.informed_low <= point.upper_high
        assert np.array(point.confusion).sum(axis=1) == pytest.approx(1)
    middle = by_dose.points[3]
    assert middle.informed < middle.upper


def test_threads_change_nothing(series):
    one, three = (
        estimate_bound(series, patterns=4, specimens=2, column="dose_electrons", threads=threads)
        for threads in (1, 3)
    )
    assert one.points == three.points


def test_more_specimens_lower_the_bound(small_recipe, catalogue):
    simulator = Simulator(with_detector(small_recipe, dose_electrons=1e5), catalogue)
    one, more = (estimate_bound(simulator, patterns=6, specimens=specimens) for specimens in (1, 5))
    assert more.points[0].upper < one.points[0].upper - 0.02
    assert one.points[0].informed is None
    assert one.points[0].confusion is None


def test_without_a_column_patterns_are_taken_as_drawn(series, by_dose):
    """The mean over doses that are equally probable."""
    (point,) = estimate_bound(series, patterns=24, specimens=1).points
    assert point.value is None
    mean = np.mean([one.upper for one in by_dose.points])
    assert point.upper == pytest.approx(mean, abs=0.15)
    assert point.upper_high - point.upper_low > 0.05  # doses differ from draw to draw


def test_other_columns_get_a_point_for_each_value(small_recipe, catalogue):
    data = small_recipe.model_dump()
    data["specimen"]["thickness_angstrom"] = {"choice": [12, 3]}
    data["instrument"]["dose_electrons"] = 3e5
    simulator = Simulator(Recipe.model_validate(data), catalogue)
    found = estimate_bound(simulator, patterns=6, specimens=2, column="thickness_angstrom")
    thin, thick = found.points
    assert (thin.value, thick.value) == (3, 12)
    assert thin.upper < thick.upper - 0.05  # fewer atoms tell less


def test_a_classifier_that_learnt_the_patterns_stays_below(small_recipe, catalogue):
    """The likelihood of mean patterns, all nuisance known: good enough to come near."""
    data = small_recipe.model_dump()
    data["samples"] = 200
    data["specimen"]["thickness_angstrom"] = 9
    data["beam"].update(mistilt_mrad=5, mistilt_azimuth_deg=30)
    data["instrument"].update(rotation_deg=0, centre_offset_x_px=0, centre_offset_y_px=0)
    data["instrument"].update(camera_length_error=0)
    data["instrument"].update(dose_electrons=2e4, point_spread_px=0.5)
    simulator = Simulator(Recipe.model_validate(data), catalogue)
    (point,) = estimate_bound(simulator, patterns=6, specimens=4).points
    samples = [simulator.sample(index) for index in range(200)]
    counts = np.array([sample.image.ravel() for sample in samples], dtype=np.float64)
    labels = np.array([int(sample.columns["label"]) for sample in samples])
    half = len(labels) // 2
    means = np.array([counts[:half][labels[:half] == c].mean(axis=0) + 0.01 for c in range(4)])
    scores = counts[half:] @ np.log(means).T - means.sum(axis=1)
    accuracy = (scores.argmax(axis=1) == labels[half:]).mean()
    spread = np.sqrt(accuracy * (1 - accuracy) / half)
    assert accuracy < point.upper_high + 2 * spread
    assert accuracy > LARGEST_SHARE + 0.1  # it did learn something


@pytest.mark.parametrize(
    ("change", "arguments", "complaint"),
    [
        ({}, {"patterns": 1}, "patterns=1"),
        ({}, {"specimens": 0}, "specimens=0"),
        ({}, {"parts": 0}, "parts=0"),
        ({}, {"parts": 4}, "say what is untold"),
        ({}, {"untold": ["all"]}, "at least 2, better 16"),
        ({}, {"untold": ["dose_electrons"]}, "anyone knows it"),
        ({}, {"untold": ["thickness"]}, "did you mean 'thickness_angstrom'"),
        ({}, {"seed": -1}, "seed=-1"),
        ({}, {"column": "dose_electron"}, "did you mean 'dose_electrons'"),
        ({}, {"column": "thickness_angstrom"}, "--set 'specimen.thickness_angstrom="),
        ({"instrument": Part(name="none")}, {}, "its instrument is 'none'"),
        ({"instrument": IDEAL}, {}, "without noise"),
    ],
)
def test_what_makes_no_sense_is_refused(small_recipe, catalogue, change, arguments, complaint):
    simulator = Simulator(small_recipe.model_copy(update=change), catalogue)
    with pytest.raises(InputError, match=complaint) as error:
        estimate_bound(simulator, **{"patterns": 2, "specimens": 1, **arguments})
    assert "\n" not in str(error.value)


def test_one_class_has_nothing_to_be_told_from(small_recipe, catalogue):
    recipe = small_recipe.model_copy(update={"classes": small_recipe.classes[:1]})
    with pytest.raises(InputError, match="one class, 'no_defect'"):
        estimate_bound(Simulator(recipe, catalogue), patterns=2, specimens=1)


def test_what_the_detector_hides_is_among_the_assumptions(small_recipe, catalogue):
    detector = {"read_noise_counts": 2.0, "bit_depth": 12, "dose_electrons": 10.0}
    simulator = Simulator(with_detector(small_recipe, **detector), catalogue)
    text = " ".join(estimate_bound(simulator, patterns=2, specimens=1).assumptions)
    for words in ("4,095 counts", "the noise of reading", "rotation_deg", "true one is among them"):
        assert words in text
    for words in ("gain", "dose_electrons", "energy_kev"):
        assert words not in text


def test_choices_of_a_quantity():
    assert Quantity(2.0).choices == (2.0,)
    assert Quantity.model_validate({"choice": [3, 1, 3]}).choices == (1, 3)
    assert Quantity.model_validate({"uniform": [0, 1]}).choices is None


def test_who_is_told_less_of_the_nuisance_does_worse(small_recipe, catalogue):
    """Thickness alone varies, and the dose is such that it hides the displacements."""
    data = small_recipe.model_dump()
    data["specimen"]["thickness_angstrom"] = {"uniform": [3, 24]}
    data["beam"].update(mistilt_mrad=0, mistilt_azimuth_deg=0)
    data["instrument"].update(rotation_deg=0, centre_offset_x_px=0, centre_offset_y_px=0)
    data["instrument"].update(camera_length_error=0, dose_electrons=3e3, point_spread_px=0.5)
    simulator = Simulator(Recipe.model_validate(data), catalogue)
    told, partly, untold = (
        estimate_bound(simulator, patterns=6, specimens=6, untold=hidden, parts=parts)
        for hidden, parts in (([], 1), (["thickness_angstrom"], 12), (["all"], 1))
    )
    assert (told.untold, untold.untold) == ((), ("thickness_angstrom",))
    assert untold.points[0].upper < told.points[0].upper - 0.02
    assert untold.points[0].informed < told.points[0].informed - 0.02
    assert untold.points[0].upper < partly.points[0].upper
    assert any("not told: thickness_angstrom" in text for text in untold.assumptions)
    assert any("which of 12 equally probable" in text for text in partly.assumptions)
