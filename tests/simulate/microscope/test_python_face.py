"""`cv.calibrate` and `cv.index`: what the commands do, in a notebook."""

import numpy as np
import pytest
from PIL import Image

import crystalvision as cv
from crystalvision.errors import InputError
from crystalvision.measured_files import Readers
from crystalvision.yaml_text import parse_yaml
from crystalvision_simulate.microscope import read_pictures


def test_calibrate_shows_and_writes_what_it_found(taken, tmp_path):
    truth = taken(0)
    path = tmp_path / "rings.png"
    Image.fromarray(truth.picture.counts.astype(np.uint8)).save(path)
    found = cv.calibrate(path, crystal="iron")
    (one,) = found.pictures
    assert one.pixel_size_inv_angstrom == pytest.approx(truth.pixel, rel=0.005)
    assert "rings.png" in repr(found)
    assert "1/Å" in found.table.loc["rings.png", "pixel"]
    assert '<img src="data:image/png;base64,' in found._repr_html_()
    found.save(tmp_path / "instrument.yaml", pixels=64)
    written = parse_yaml((tmp_path / "instrument.yaml").read_text(), "instrument.yaml")
    assert written == found.instrument(64)
    with pytest.raises(InputError, match="exists; say overwrite=True"):
        found.save(tmp_path / "instrument.yaml")
    found.save_corrected(tmp_path / "round.emd")
    # What was hidden is known again: the stop at the direct beam.
    (again,) = cv.calibrate(tmp_path / "round.emd").pictures
    assert again.analysed.blemishes.written[128, 128]


def test_what_is_no_picture_or_crystal_costs_one_line(tmp_path):
    with pytest.raises(InputError, match="calibrate: no picture was given"):
        cv.calibrate()
    with pytest.raises(InputError, match="--crystal unobtainium: no such file or structure"):
        cv.calibrate(tmp_path / "none.png", crystal="unobtainium")
    with pytest.raises(InputError, match="no candidate was given"):
        cv.index(tmp_path / "none.png", candidates=[])


def test_the_face_has_what_plugins_offer_and_nothing_else():
    assert {"calibrate", "index"} <= set(dir(cv))
    assert not hasattr(cv, "unobtainium")


def test_of_many_patterns_in_a_file_it_is_said_how_many_are_looked_at(tmp_path, capsys):
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).poisson(3, (24, 40, 40)))
    pictures = read_pictures(tmp_path / "scan.npy", Readers())
    assert len(pictures) == 20
    told = " ".join(capsys.readouterr().err.split())
    assert "is 24×40×40, read as 24 patterns of one channel" in told
    assert "of its 24 patterns 20 are taken" in told
