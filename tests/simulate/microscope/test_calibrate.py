"""What calibrate finds of pictures whose truth is known, and of measured ones."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision.measured_files import Readers
from crystalvision_simulate.microscope import Known, calibrate, read_pictures, twin

QUICK = (1, 2, 4, 9)
MEASURED = Path(os.environ.get("CRYSTALVISION_MEASURED", "shared/measured")) / "electron"


def found_of(truth, **known):
    (one,) = calibrate([truth.picture], Known(crystal=truth.crystal, **known))
    return one


def misses(truth) -> list[str]:
    """What is not within the bounds, in words."""
    one = found_of(truth)
    off = float(np.hypot(one.geometry.x - truth.x, one.geometry.y - truth.y))
    size = one.pixel_size_inv_angstrom
    scale = np.inf if size is None else abs(size / truth.pixel - 1)
    # Two numbers of one ellipse: along, and at 45° to it.
    double = 2 * np.deg2rad([one.geometry.ellipticity_angle_deg, truth.angle])
    both = np.array([one.geometry.ellipticity, truth.ellipticity])
    ellipse = np.hypot(*np.diff([both * np.cos(double), both * np.sin(double)]).ravel())
    hidden, known = one.analysed.hidden, ~truth.seen
    overlap = (hidden & known).sum() / (hidden | known).sum()
    told = [
        (off <= 0.5, f"centre off by {off:.2f} px"),
        (scale <= 0.005, f"camera constant off by {100 * scale:.2f} %"),
        (ellipse <= 0.005, f"ellipse off by {100 * ellipse:.2f} %"),
        (overlap >= 0.9, f"mask overlaps by {overlap:.2f}"),
    ]
    return [f"{truth.picture.name}: {text}" for good, text in told if not good]


@pytest.mark.parametrize("seed", QUICK)
def test_pictures_with_everything_that_measured_ones_have(taken, seed):
    assert misses(taken(seed)) == []


@pytest.mark.slow
def test_fifty_of_them(taken):
    found = [miss for seed in range(50) for miss in misses(taken(seed))]
    assert found == []


def test_the_twin_takes_such_pictures(taken):
    truth = taken(0)
    options = twin([found_of(truth)], pixels=128)
    assert options["name"] == "area-detector"
    assert options["pixels"] == 128
    assert options["pixel_size_inv_angstrom"] == pytest.approx(2 * truth.pixel, rel=0.01)
    low, high = options["centre_offset_x_px"]["uniform"]
    assert low <= (truth.x + 0.5) / 2 - 0.5 - 64 <= high
    low, high = options["ellipticity"]["uniform"]
    assert low <= truth.ellipticity <= high
    low, high = options["amorphous_radius_inv_angstrom"]["uniform"]
    assert low <= truth.instrument.amorphous_radius_inv_angstrom <= high
    radius = options["beam_stop_radius_inv_angstrom"]
    assert radius == pytest.approx(truth.instrument.beam_stop_radius_inv_angstrom, rel=0.15)


def test_a_dose_that_is_known_narrows_dose_and_background(taken):
    truth = taken(1)
    found = [found_of(truth)]
    untold, told = twin(found), twin(found, dose_electrons=truth.instrument.dose_electrons)
    low, high = told["dose_electrons"]["log_uniform"]
    assert low < truth.instrument.dose_electrons < high < 1.6 * low

    def spread(options, name):
        low, high = options[name]["uniform"]
        return high / low

    for name in ("inelastic_fraction", "amorphous_fraction"):
        assert spread(told, name) < 0.6 * spread(untold, name)
    with pytest.raises(
        InputError, match=r"--dose-electrons 1000: pictures show up to .* electrons"
    ):
        twin(found, dose_electrons=1000.0)


@pytest.mark.parametrize("read", [0.0, 2.0])
def test_rounding_is_no_noise_of_reading_for_the_twin_rounds_itself(taken, read):
    one = found_of(taken(0))
    noise = replace(one.analysed.noise, floor=1 / 12 + read**2)
    options = twin([replace(one, analysed=replace(one.analysed, noise=noise))])
    assert options["read_noise_counts"] == pytest.approx(read)


def test_the_twin_of_a_picture_whose_noise_tells_nothing_is_not_full_everywhere(taken):
    one = found_of(taken(0))
    still = replace(one.analysed, noise=replace(one.analysed.noise, gain=0.0))
    options = twin([replace(one, analysed=still)])
    dose = np.sqrt(np.prod(options["dose_electrons"]["log_uniform"]))
    gain = np.mean(options["gain_counts_per_electron"]["uniform"])
    counts = np.clip(one.analysed.measured.counts - one.analysed.noise.offset, 0, None)
    assert dose * gain == pytest.approx(counts[one.analysed.seen].sum(), rel=1.5)
    low, high = options["dose_electrons"]["log_uniform"]
    assert high < 10 * low
    shares = [options.get(f"{name}_fraction", {"uniform": [0]}) for name in ("inelastic",)]
    assert all(max(share["uniform"]) <= 0.95 for share in shares)


@pytest.mark.slow
@pytest.mark.skipif(not MEASURED.is_dir(), reason="the measured patterns are not here")
class TestMeasured:
    def test_the_camera_constant_of_tilted_aluminium(self, crystals):
        readers = Readers()
        files = sorted((MEASURED / "ed-aluminium-tilt").glob("diff*.png"))
        pictures = [one for file in files for one in read_pictures(file, readers)]
        found = calibrate(pictures, Known(crystal=crystals["aluminium"]))
        table = (MEASURED / "ed-aluminium-tilt" / "diffraction-calibrations.txt").read_text()
        line = next(each for each in table.splitlines() if "insitu-new 180 100" in each)
        stated = float(line.split()[-1])
        size = np.median([one.pixel_size_inv_angstrom for one in found])
        assert 1 / size == pytest.approx(stated, rel=0.005)
        centres = np.array([one.geometry.centre for one in found])
        assert (np.abs(centres - np.median(centres, axis=0)) < 4).all()
        # The title is masked, and nothing of the pattern.
        assert all(0.08 < one.analysed.hidden.mean() < 0.12 for one in found)

    def test_a_stop_at_the_edge_with_the_direct_beam_behind_it(self):
        (picture,) = read_pictures(MEASURED / "ed-single-frames" / "test.mib", Readers())
        (one,) = calibrate([picture], Known(centre=(7.0, 121.0)))
        assert one.analysed.stop.arm_width == pytest.approx(28, abs=2)
        assert one.analysed.hidden[100:, :24].mean() > 0.98
        assert np.hypot(one.geometry.x - 7, one.geometry.y - 121) < 3

    def test_the_rings_of_a_film(self):
        """Bismuth with [001] along the beam: rings hk0 alone, as 1 : √3 : 2 : √7."""
        (picture,) = read_pictures(MEASURED / "ed-single-frames" / "bismuth.dm3", Readers())
        lattice = Lattice.hexagonal(4.546, 11.862)
        bismuth = Structure.from_spacegroup("R-3m", lattice, ["Bi"], [[0, 0, 0.2339]])
        (one,) = calibrate([picture], Known(crystal=Crystal.from_pymatgen(bismuth)))
        assert one.lines.texture == (0, 0, 1)
        assert len(one.rings.rings) == 4
        assert 1 / one.pixel_size_inv_angstrom == pytest.approx(88.4, abs=0.3)

    def test_the_centre_of_rings_behind_a_stop(self):
        (picture,) = read_pictures(MEASURED / "ed-single-frames" / "bismuth.dm3", Readers())
        (one,) = calibrate([picture], Known())
        rings, stop = one.analysed.rings, one.analysed.stop
        assert len(rings.radii_px) >= 4
        assert rings.error_px < 0.1
        assert stop.arm_width == pytest.approx(13, abs=1.5)
        assert stop.arm_angle_deg == pytest.approx(-90, abs=3)
        assert one.geometry.ellipticity < 0.02
