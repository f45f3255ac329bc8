"""The detector in a recipe: what it accepts, refuses, and makes of drawn numbers."""

import numpy as np
import pytest

from crystalvision.config import validate
from crystalvision.errors import InputError
from crystalvision_simulate.detector import BeamStop, Exposure, Inelastic, Readout
from crystalvision_simulate.recipes import DetectorSettings, Quantity, load_recipe
from crystalvision_simulate.simulator import Simulator

FULL = {
    "kind": "integrating",
    "dose_electrons": {"log_uniform": [1e4, 1e6]},
    "mtf": [[0, 1], [0.5, 0.4], [1, 0.1]],
    "inelastic_fraction": {"uniform": [0, 0.3]},
    "inelastic_half_width_inv_angstrom": 0.004,
    "inelastic_cutoff_inv_angstrom": 0.5,
    "beam_stop_radius_inv_angstrom": 0.06,
    "beam_stop_arm_width_inv_angstrom": 0.03,
    "beam_stop_arm_angle_deg": 135,
    "mask_radius_inv_angstrom": 0.1,
    "gain_counts_per_electron": 12.5,
    "gain_spread": 0.4,
    "offset_counts": 100,
    "dark_counts": 2,
    "read_noise_counts": 3,
    "bit_depth": 14,
}


def drawn(settings, seed=0):
    rng = np.random.default_rng(seed)
    values = {name: getattr(settings, name) for name in DetectorSettings.model_fields}
    return {name: q.draw(rng) for name, q in values.items() if isinstance(q, Quantity)}


def test_by_default_a_detector_counts_ten_thousand_electrons():
    settings = DetectorSettings()
    assert settings.exposure(drawn(settings), 3600.0) == Exposure(1e4)


def test_every_setting_reaches_the_exposure():
    settings = DetectorSettings.model_validate(FULL)
    numbers = drawn(settings)
    assert 1e4 <= numbers["dose_electrons"] <= 1e6
    assert settings.exposure(numbers, 3600.0) == Exposure(
        dose_electrons=numbers["dose_electrons"],
        kind="integrating",
        mtf=((0, 1), (0.5, 0.4), (1, 0.1)),
        inelastic=Inelastic(numbers["inelastic_fraction"], 0.004, 0.5),
        beam_stop=BeamStop(0.06, 0.03, 135),
        mask_radius_inv_angstrom=0.1,
        readout=Readout(12.5, 0.4, 100, 2, 3, 14),
    )


def test_a_dose_for_each_square_angstrom_takes_the_place_of_the_default():
    settings = DetectorSettings.model_validate({"dose_electrons_per_angstrom2": 20})
    assert settings.dose_electrons is None
    assert settings.exposure(drawn(settings), 3600.0).dose_electrons == 72000


@pytest.mark.parametrize("data", [FULL, {"dose_electrons_per_angstrom2": 5.0}, {}])
def test_settings_survive_being_stored(data):
    settings = DetectorSettings.model_validate(data)
    assert DetectorSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"dose_electrons": 1, "dose_electrons_per_angstrom2": 1},
            "dose_electrons and dose_electrons_per_angstrom2 are both given; set one to null",
        ),
        ({"dose_electrons": None}, "are both null; give one of them"),
        ({"dose_electrons": 0}, "dose_electrons is 0; expected more than 0"),
        ({"dose_electrons_per_angstrom2": -2}, "per_angstrom2 is -2; expected more than 0"),
        ({"dose_electrons": 1e20}, r"dose_electrons reaches 1e\+20; expected 1e\+12 or less"),
        ({"point_spread_px": {"uniform": [-1, 1]}}, "point_spread_px is -1; expected 0 or more"),
        ({"point_spread_px": 500}, "point_spread_px reaches 500; expected 50 or less"),
        (
            {"point_spread_px": 0.5, "mtf": [[0, 1], [1, 0.4]]},
            "point_spread_px and mtf are both given",
        ),
        ({"mtf": [[0, 0.9], [1, 0.4]]}, r"mtf is \[\[0, 0.9\], \[1, 0.4\]\]; expected rising"),
        ({"mtf": [[0, 1], [0.9, 0.4]]}, r"\[0.9, 0.4\]\]; expected rising .* between 1 and 1.5"),
        ({"mtf": [[0, 1], [2, 0.4]]}, "between 1 and 1.5 Nyquist frequencies"),
        ({"mtf": [[0, 1], [0.7, 0.4], [0.5, 0.4], [1, 0.3]]}, "expected rising frequencies"),
        (
            {"mtf": [[0, 1], [1, 0.7]]},
            "mtf is 0.7 at 1 of the Nyquist frequency; expected 0 to 0.637, that of a perfect",
        ),
        ({"mtf": [[0, 1], [1, -0.1]]}, "mtf is -0.1 at 1 of"),
        ({"inelastic_fraction": 1.2}, "inelastic_fraction reaches 1.2; expected 1 or less"),
        ({"inelastic_fraction": -0.1}, "inelastic_fraction is -0.1; expected 0 or more"),
        (
            {"inelastic_half_width_inv_angstrom": 0.6},
            "inelastic_cutoff_inv_angstrom is 0.4; expected more than .*, 0.6",
        ),
        (
            {"inelastic_half_width_inv_angstrom": 0},
            "inelastic_half_width.*greater than or equal to",
        ),
        ({"beam_stop_radius_inv_angstrom": -1}, "beam_stop_radius.*greater than or equal to 0"),
        ({"gain_counts_per_electron": 0}, "gain_counts_per_electron is 0; expected more than 0"),
        ({"gain_spread": -1}, "gain_spread=-1: Input should be greater than or equal to 0"),
        ({"dark_counts": -1}, "dark_counts is -1; expected 0 or more"),
        ({"dark_counts": 1e30}, r"dark_counts reaches 1e\+30; expected 1e\+09 or less"),
        ({"read_noise_counts": float("inf")}, "read_noise_counts=inf: Input should be a finite"),
        ({"bit_depth": 24}, "bit_depth=24: Input should be 8, 10, 12, 14 or 16"),
        ({"kind": "film"}, "kind='film': Input should be 'counting' or 'integrating'"),
        ({"dose": 5}, r"unknown key 'dose' \(keys here: kind, dose_electrons,"),
    ],
)
def test_wrong_settings_are_named_in_one_line(data, message):
    with pytest.raises(InputError, match=message) as caught:
        validate(DetectorSettings, data, "recipe.yaml: detector")
    assert "\n" not in str(caught.value)


def sample_with(small_recipe, catalogue, **detector):
    data = small_recipe.model_dump()
    data["detector"] = detector
    return Simulator(type(small_recipe).model_validate(data), catalogue).sample(0)


def test_a_sample_is_exposed_as_its_settings_say(small_recipe, catalogue):
    for_each = sample_with(small_recipe, catalogue, dose_electrons_per_angstrom2=40)
    area = for_each.image.sum() / 40  # nearly all electrons fall on the detector
    assert area == pytest.approx(16**2, rel=0.3)
    clear = sample_with(small_recipe, catalogue, dose_electrons=1e6, bit_depth=12)
    assert clear.image.max() == 4095
    offset = sample_with(small_recipe, catalogue, dose_electrons=1e4, offset_counts=50)
    assert offset.image.min() == 50


def test_a_full_detector_makes_repeatable_samples(small_recipe, catalogue):
    first, again = (sample_with(small_recipe, catalogue, **FULL) for _ in range(2))
    assert np.array_equal(first.image, again.image)
    assert first.columns == again.columns
    assert first.image.dtype == np.uint16
    assert first.image.max() <= 2**14 - 1


def test_settings_can_be_set_on_a_shipped_recipe(catalogue):
    overrides = [
        "detector.dose_electrons=null",
        "detector.dose_electrons_per_angstrom2={log_uniform: [1, 100]}",
    ]
    recipe = load_recipe("si3n4-four-classes", catalogue, overrides)
    assert recipe.detector.dose_electrons_per_angstrom2.ends == (1, 100)
