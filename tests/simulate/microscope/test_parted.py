"""What specimens scatter diffusely is not taken for the microscope's background."""

import numpy as np
import pytest
from scipy import ndimage

import crystalvision as cv
from crystalvision.api.datasets import plan_dataset
from crystalvision.config import load_yaml
from crystalvision.errors import InputError
from crystalvision.yaml_text import dump_yaml
from crystalvision_simulate.calibrated_pictures import CalibratedPictures
from crystalvision_simulate.microscope import _parted

DOSE = 3e5
INSTRUMENT = {
    "name": "area-detector",
    "pixels": 128,
    "pixel_size_inv_angstrom": 0.0175,
    "rotation_deg": {"uniform": [0, 360]},
    "dose_electrons": DOSE,
    "point_spread_px": 0.9,
    "gain_counts_per_electron": 3.0,
    "inelastic_fraction": 0.3,
    "inelastic_half_width_inv_angstrom": 0.06,
    "inelastic_cutoff_inv_angstrom": 1.1,
    "amorphous_fraction": 0.15,
    "amorphous_radius_inv_angstrom": 0.4,
    "amorphous_width_inv_angstrom": 0.09,
    "beam_stop_radius_inv_angstrom": 0.07,
    "mask_unseen": True,
}
NUMBERS = {
    "inelastic_fraction": 0.3,
    "inelastic_half_width_inv_angstrom": 0.06,
    "amorphous_fraction": 0.15,
    "amorphous_radius_inv_angstrom": 0.4,
    "amorphous_width_inv_angstrom": 0.09,
    "gain_counts_per_electron": 3.0,
}


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """A recipe of aluminium full of defects, and pictures of it that a microscope took."""
    folder = tmp_path_factory.mktemp("parted")
    recipe = {
        "extends": "aluminium-four-classes",
        "name": "aluminium",
        "specimen": {
            "zone_axis": [0, 0, 1],
            "width_angstrom": 24.3,
            "thickness_angstrom": {"uniform": [40, 80]},
        },
        "renderer": {"name": "kinematic", "band_limit_inv_angstrom": 1.7},
    }
    (folder / "recipe.yaml").write_text(dump_yaml(recipe))
    (folder / "truth.yaml").write_text(dump_yaml(recipe | {"instrument": INSTRUMENT}))
    data = cv.simulate(
        folder / "truth.yaml", folder / "d.zarr", samples=5, seed=9, workers=1, card=False
    )
    np.save(folder / "pictures.npy", data.images(np.arange(5))[:, 0])
    return folder


def test_the_microscope_is_found_behind_what_specimens_scatter(taken, monkeypatch):
    monkeypatch.setattr(_parted, "ROUNDS", 5)
    monkeypatch.setattr(_parted, "PICTURES", 8)
    given = {"crystal": "aluminium", "zone_axis": (0, 0, 1), "dose_electrons": DOSE}
    given["dose_error"] = 0.1
    found = cv.calibrate(taken / "pictures.npy", recipe=taken / "recipe.yaml", **given)
    plain = CalibratedPictures(found.pictures, DOSE)
    off = {}
    for name, truth in NUMBERS.items():
        ranges = [one.instrument()[name]["uniform"] for one in (found, plain)]
        assert ranges[0][0] <= truth <= ranges[0][1], name
        off[name] = [abs(sum(ends) / 2 / truth - 1) for ends in ranges]
    # Most of the halo lies behind the stop: its half width is hardly told.
    assert off.pop("inelastic_half_width_inv_angstrom")[0] < 0.25
    assert max(parted for parted, _ in off.values()) < 0.12
    assert sum(parted for parted, _ in off.values()) < 0.6 * sum(fit for _, fit in off.values())
    assert found.parted.off < 0.15
    found.save(taken / "twin.yaml")
    assert load_yaml(taken / "twin.yaml") == found.instrument()
    assert "#   microscope alone: halo" in (taken / "twin.yaml").read_text()


def test_a_recipe_of_something_else_is_refused(taken):
    with pytest.raises(InputError, match="--recipe powder-library: no recipe of crystals"):
        cv.calibrate(taken / "pictures.npy", crystal="aluminium", recipe="powder-library")
    with pytest.raises(InputError, match="'alu'"):
        cv.calibrate(taken / "pictures.npy", crystal="aluminium", recipe="alu")


def test_a_gain_that_noise_does_not_tell_stays_what_twins_take_for_it(taken, monkeypatch):
    monkeypatch.setattr(_parted, "ROUNDS", 2)
    monkeypatch.setattr(_parted, "PICTURES", 4)
    smooth = ndimage.gaussian_filter(np.load(taken / "pictures.npy")[:1].astype(float), (0, 2, 2))
    np.save(taken / "smooth.npy", smooth)
    found = cv.calibrate(
        taken / "smooth.npy",
        pixel_size_inv_angstrom=0.0175,
        centre=(64, 64),
        recipe=taken / "recipe.yaml",
    )
    recipe = load_yaml(taken / "recipe.yaml") | {"instrument": found.instrument()}
    (taken / "smooth.yaml").write_text(dump_yaml(recipe))
    plan_dataset(taken / "smooth.yaml", samples=1)  # which refuses ranges that a detector lacks
    assert found.parted.off < 5
    assert "microscope alone" in repr(found)
