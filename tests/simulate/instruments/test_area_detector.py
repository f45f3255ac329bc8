"""The area detector in a recipe: what it accepts, refuses, and makes of drawn numbers."""

import numpy as np
import pytest

from crystalvision.config import Part
from crystalvision.errors import InputError
from crystalvision_simulate.instruments.detector import BeamStop, Exposure, Inelastic, Readout
from crystalvision_simulate.recipes import Quantity, load_recipe
from crystalvision_simulate.simulator import Simulator

SIZE = "pixel_size_inv_angstrom"
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


def fixed(options):
    """The options with the greatest end of every distribution."""
    return {
        name: max(Quantity.parse(value, name).ends) if Quantity.describes(value) else value
        for name, value in options.items()
    }


def made(catalogue, **options):
    return catalogue.create("instrument", "area-detector", options)


def test_by_default_a_detector_counts_ten_thousand_electrons(catalogue):
    assert made(catalogue).exposure(3600.0) == Exposure(1e4)
    assert made(catalogue, dose_electrons=None).exposure(3600.0) == Exposure(1e4)


def test_every_option_reaches_the_exposure(catalogue):
    assert made(catalogue, **fixed(FULL)).exposure(3600.0) == Exposure(
        dose_electrons=1e6,
        kind="integrating",
        mtf=((0, 1), (0.5, 0.4), (1, 0.1)),
        inelastic=Inelastic(0.3, 0.004, 0.5),
        beam_stop=BeamStop(0.06, 0.03, 135),
        mask_radius_inv_angstrom=0.1,
        readout=Readout(12.5, 0.4, 100, 2, 3, 14),
    )


def test_a_dose_for_each_square_angstrom_takes_the_place_of_the_default(catalogue):
    detector = made(catalogue, dose_electrons_per_angstrom2=20)
    assert detector.dose_electrons is None
    assert detector.dose_option == "dose_electrons_per_angstrom2"
    assert detector.exposure(3600.0).dose_electrons == 72000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"dose_electrons": 1, "dose_electrons_per_angstrom2": 1},
            "dose_electrons and dose_electrons_per_angstrom2 are both given; set one to null",
        ),
        ({"dose_electrons": 0}, "dose_electrons is 0; expected more than 0"),
        ({"dose_electrons_per_angstrom2": -2}, "per_angstrom2 is -2; expected more than 0"),
        ({"dose_electrons": 1e20}, r"dose_electrons is 1e\+20; expected 0 to 1e\+12"),
        ({"point_spread_px": {"uniform": [-1, 1]}}, "point_spread_px is -1; expected 0 to 50"),
        ({"point_spread_px": 500}, "point_spread_px is 500; expected 0 to 50"),
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
        ({"inelastic_fraction": 1.2}, "inelastic_fraction is 1.2; expected 0 to 1"),
        ({"inelastic_fraction": -0.1}, "inelastic_fraction is -0.1; expected 0 to 1"),
        (
            {"inelastic_half_width_inv_angstrom": 0.6},
            "inelastic_cutoff_inv_angstrom is 0.4; expected more than .*, 0.6",
        ),
        (
            {"inelastic_half_width_inv_angstrom": 0},
            "inelastic_half_width.* is 0; expected 1e-06 to 10",
        ),
        (
            {"beam_stop_radius_inv_angstrom": -1},
            "beam_stop_radius_inv_angstrom is -1; expected 0 to 10",
        ),
        ({"gain_counts_per_electron": 0}, "gain_counts_per_electron is 0; expected more than 0"),
        ({"gain_spread": -1}, "gain_spread is -1; expected 0 to 2"),
        ({"dark_counts": -1}, "dark_counts is -1; expected 0 to"),
        ({"dark_counts": 1e30}, r"dark_counts is 1e\+30; expected 0 to 1e\+09"),
        ({"read_noise_counts": float("inf")}, "read_noise_counts is inf; expected 0 to"),
        ({"bit_depth": 24}, "bit_depth=24: Input should be 8, 10, 12, 14 or 16"),
        ({"kind": "film"}, "kind='film': Input should be 'counting', 'integrating' or 'ideal'"),
        ({"dose": 5}, "no option 'dose'"),
    ],
)
def test_wrong_options_are_named_in_one_line(small_recipe, catalogue, data, message):
    recipe = with_detector(small_recipe, data)
    with pytest.raises(InputError, match=message) as caught:
        Simulator(recipe, catalogue)
    assert "\n" not in str(caught.value)


def with_detector(recipe, options):
    """The recipe with these options beside those of its camera."""
    camera = {name: recipe.instrument.options[name] for name in ("pixels", SIZE)}
    return recipe.model_copy(update={"instrument": Part.of("area-detector", **camera, **options)})


def sample_with(small_recipe, catalogue, **options):
    return Simulator(with_detector(small_recipe, options), catalogue).sample(0)


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
        "instrument.dose_electrons=null",
        "instrument.dose_electrons_per_angstrom2={log_uniform: [1, 100]}",
    ]
    recipe = load_recipe("si3n4-four-classes", catalogue, overrides)
    quantities = Simulator(recipe, catalogue).quantities
    assert quantities["dose_electrons_per_angstrom2"].ends == (1, 100)
    assert "dose_electrons" not in quantities
