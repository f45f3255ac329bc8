"""What varies from one powder of a phase to the next."""

import numpy as np
import pytest

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.sources import SourceSpec
from crystalvision_simulate.powder import reflections, ring_axis
from crystalvision_simulate.powder._nuisance import DrawnCrystal, Families, rings_of_sample

CUBIC = Crystal(np.zeros((1, 3)), np.array([14]), np.eye(3) * 4.0, np.ones(3, dtype=bool))


def drawn(**changes: float) -> DrawnCrystal:
    plain = {"thermal_rms_angstrom": 0.0, "cell_error": 0.0, "cell_spread": 0.0}
    return DrawnCrystal(**{**plain, "march_dollase": 1.0, "intensity_spread": 0.0, **changes})


def rings(seed: int = 0, **changes: float) -> np.ndarray:
    axis = ring_axis(1.0)
    found = Families.of(CUBIC, reflections(CUBIC, 1.0))
    return rings_of_sample(found, drawn(**changes), axis, np.random.default_rng(seed))


def test_a_few_grains_change_the_reflections_of_one_length_alike():
    plain = rings()
    spread = np.stack([rings(seed, intensity_spread=0.3) for seed in range(300)])
    strong = plain > 0
    assert (spread[:, ~strong] == 0).all()
    ratio = np.log(spread[:, strong] / plain[strong])
    assert ratio.std(axis=0) == pytest.approx(0.3, abs=0.05)
    assert np.corrcoef(ratio[:, 0], ratio[:, -1])[0, 1] == pytest.approx(0, abs=0.2)


def test_reflections_beyond_the_axis_change_nothing_but_what_is_stretched_into_it():
    axis = ring_axis(1.0)
    many, all_of_them = (Families.of(CUBIC, reflections(CUBIC, band)) for band in (1.06, 1.5))
    for cell_error in (0.0, 0.04):
        some, more = (
            rings_of_sample(each, drawn(cell_error=cell_error), axis, np.random.default_rng(0))
            for each in (many, all_of_them)
        )
        assert np.array_equal(some, more)
        expected = many.intensity[many.length_inv_angstrom < 1.00005 * (1 + cell_error)].sum()
        assert some.sum() == pytest.approx(expected)


def opened(**changes: object):
    recipe = {
        "name": "few",
        "samples": 6,
        "candidates": {"structures": ["aluminium", "silicon", "sodium-chloride"]},
        "crystal": changes,
        "instrument": {
            "name": "powder-diffractometer",
            "two_theta_min_deg": 20,
            "two_theta_max_deg": 80,
            "step_deg": 0.05,
            "counting": False,
        },
    }
    return SourceSpec("powder", recipe).open(Catalogue.load())


def image(source, index: int) -> np.ndarray:
    (sample,) = source.samples([index])
    return sample.image[0] / sample.image.sum()


def test_lines_of_another_phase_are_as_strong_as_they_are_said_to_be():
    plain = [image(opened(), index) for index in range(3)]
    mixed = image(opened(foreign_share=0.5), 0)
    fits = []
    for other in (1, 2):
        basis = np.stack([plain[0], plain[other]], axis=1)
        weights, rest, *_ = np.linalg.lstsq(basis, mixed, rcond=None)
        fits.append((float(rest[0]), weights))
    rest, weights = min(fits, key=lambda fit: fit[0])
    assert rest < 1e-8
    assert 0.1 < weights[1] / weights[0] < 2  # of what is scattered, before Lorentz's factor
    assert weights.sum() == pytest.approx(1, abs=1e-3)


def test_what_is_drawn_for_the_cell_is_what_the_column_says():
    source = opened(cell_spread={"uniform": [0.001, 0.002]}, foreign_share={"choice": [0, 0.1]})
    columns = [sample.columns for sample in source.samples(range(6))]
    assert all(0.001 <= each["crystal_cell_spread"] <= 0.002 for each in columns)
    assert {each["crystal_foreign_share"] for each in columns} <= {0, 0.1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intensity_spread": -0.1}, "intensity_spread is -0.1; expected 0 or more"),
        ({"foreign_share": 2}, "foreign_share reaches 2; expected 1 or less"),
    ],
)
def test_nuisance_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        opened(**changes)
