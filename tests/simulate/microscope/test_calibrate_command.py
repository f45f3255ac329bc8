"""`crystalvision calibrate`, from files to a recipe that takes the twin."""

import json

import numpy as np
import pytest
from PIL import Image

from crystalvision.cli import main
from crystalvision.measured_files import Readers
from crystalvision.plugins import Catalogue
from crystalvision_simulate.recipes import load_recipe


@pytest.fixture(scope="module")
def folder(taken, tmp_path_factory):
    """A picture of rings of iron, as a file of counts."""
    place = tmp_path_factory.mktemp("pictures")
    Image.fromarray(taken(0).picture.counts.astype(np.uint8)).save(place / "rings.png")
    return place


def check_corrected(path, truth):
    """The corrected picture has its calibration, its mask, and round rings about the middle."""
    with Readers().open(path) as file:
        (frame,) = file.frames
        recording = file.read(0)
    assert frame.axes[1].scale == pytest.approx(truth.pixel, rel=0.005)
    assert frame.axes[1].offset == pytest.approx(-128 * frame.axes[1].scale, rel=1e-6)
    counts = np.where(recording.seen, recording.counts, 0)
    assert not recording.seen[128, 128]
    y, x = np.meshgrid(frame.axes[0].values(), frame.axes[1].values(), indexing="ij")
    far, azimuth = np.hypot(x, y), np.arctan2(y, x)
    near = recording.seen & (np.abs(far - 0.4934) < 0.03)  # 110 of iron
    sector = np.floor((azimuth[near] + np.pi) / np.pi * 6).astype(int) % 12
    above = np.clip(counts[near] - np.median(counts[near]), 0, None)
    radius = np.bincount(sector, above * far[near]) / np.bincount(sector, above)
    assert np.ptp(radius) < 0.005


def check_as_twin(path, instrument, truth):
    """The picture lies on the twin's pixels, as it was taken: full where it was full."""
    with Readers().open(path) as file:
        (frame,) = file.frames
        recording = file.read(0)
    assert frame.shape == (instrument["pixels"],) * 2
    assert frame.axes[1].scale == pytest.approx(instrument["pixel_size_inv_angstrom"], rel=1e-4)
    assert frame.axes[1].offset == pytest.approx(-32 * frame.axes[1].scale, rel=1e-6)
    counts = truth.picture.counts
    side = min(counts.shape)
    rows, columns = ((size - side) // 2 for size in counts.shape)
    square = counts[rows : rows + side, columns : columns + side]
    mean = square.reshape(64, side // 64, 64, side // 64).mean(axis=(1, 3))
    seen = recording.seen
    assert np.corrcoef(recording.counts[seen], mean[seen])[0, 1] > 0.99
    assert recording.counts[seen].max() <= 255


def test_a_recipe_takes_the_twin(folder, taken, capsys):
    twin = folder / "instrument.yaml"
    corrected = folder / "round.emd"
    words = [folder / "rings.png", "--crystal", "iron", "--pixels", "64", "-o", twin, "--json"]
    words += ["--corrected", corrected, "--as-twin", folder / "as-twin.emd"]
    assert main(["calibrate", *map(str, words)]) == 0
    told = json.loads(capsys.readouterr().out)
    (found,) = told["pictures"]
    truth = taken(0)
    assert found["centre_x_px"] == pytest.approx(truth.x, abs=0.5)
    assert found["pixel_size_inv_angstrom"] == pytest.approx(truth.pixel, rel=0.005)
    assert found["gamma"] == pytest.approx(truth.instrument.gamma, abs=0.1)
    figure = np.asarray(Image.open(folder / "instrument.png").convert("L"))
    assert figure.std() > 20
    check_corrected(corrected, truth)
    check_as_twin(folder / "as-twin.emd", told["instrument"], truth)
    recipe = folder / "recipe.yaml"
    recipe.write_text("extends: si3n4-four-classes\nname: twin\ninstrument: ./instrument.yaml\n")
    instrument = load_recipe(str(recipe), Catalogue.load()).instrument
    assert instrument.name == "area-detector"
    assert instrument.options == {key: told["instrument"][key] for key in instrument.options}
    detector = Catalogue.load().create(
        "instrument",
        "area-detector",
        {name: value for name, value in instrument.options.items() if not isinstance(value, dict)},
    )
    assert detector.pixels == 64


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["rings.png", "-o", "out.yaml"], "nothing tells the size of a pixel"),
        (["rings.png", "--crystal", "unobtainium"], "no such file or structure"),
        (["rings.png", "-o", "out.json"], "ends .yaml"),
        (["rings.png", "--pixel-size", "-1"], "expected more than 0"),
        (["flat.npy", "--crystal", "iron"], "it shows no pattern"),
        (["tiny.npy", "--crystal", "iron"], "at least 32"),
    ],
)
def test_bad_input_costs_one_line(folder, words, text, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    np.save("flat.npy", np.ones((64, 64)))
    np.save("tiny.npy", np.ones((8, 8)))
    out = [] if "-o" in words else ["-o", "new.yaml"]
    assert main(["calibrate", *words, *out]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert text in error


def test_a_picture_of_unknown_scale_is_mended_by_what_the_line_says(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    words = ["calibrate", "rings.png", "-o", "again.yaml"]
    assert main(words) == 2
    assert "--pixel-size, and --overwrite, as what was found is drawn in again.png" in " ".join(
        capsys.readouterr().err.split()
    )
    assert main([*words, "--pixel-size", "0.004", "--overwrite"]) == 0


def test_a_figure_never_replaces_the_picture(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    before = (folder / "rings.png").read_bytes()
    for words in (["-o", "rings.yaml"], ["-o", "other.yaml", "--figure", "rings.png"]):
        line = ["calibrate", "rings.png", *words, "--pixel-size", "0.004", "--overwrite"]
        assert main(line) == 2
        assert "rings.png is the file that is read" in capsys.readouterr().err
    assert (folder / "rings.png").read_bytes() == before
