"""`crystalvision index`, on a picture that a camera took of one crystal."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import crystalvision as cv
from crystalvision.cli import main
from crystalvision.plugins import Catalogue
from crystalvision_simulate.indexing import zones_of

_SIZE = 0.01  # 1/Å


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A picture of silicon along [1 1 0], off the middle, and a file that is no crystal."""
    place = tmp_path_factory.mktemp("spots")
    zones = zones_of(Catalogue.load().create("structure", "silicon"), 1.0, 1)
    (zone,) = [one for one in zones if one.axis == (0, 1, -1)]
    rng = np.random.default_rng(0)
    image = np.zeros((192, 192))
    points = np.concatenate([zone.g, [[0, 0]]]) / _SIZE + np.array([101.0, 90.0])
    strength = np.concatenate([zone.weight * 2e5, [6e4]])
    for (x, y), each in zip(points, strength, strict=True):
        if 3 < x < 188 and 3 < y < 188:
            image[round(y), round(x)] += each
    image = ndimage.gaussian_filter(image, 1.5) + 3.0
    Image.fromarray(rng.poisson(image).astype(np.uint16)).save(place / "spots.tif")
    (place / "broken.cif").write_text("data_broken\n")
    return place


def test_the_crystal_and_its_zone_are_told(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    line = ["index", "spots.tif", "--pixel-size", str(_SIZE), "--greatest-index", "2"]
    for name in ("silicon", "iron", "rutile"):
        line += ["--candidates", name]
    assert main([*line, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["pictures"]
    best = told["found"][0]
    assert (best["candidate"], best["zone_axis"]) == ("silicon", [0, 1, -1])
    assert best["explained"] >= 0.8 * best["spots"]
    assert best["scale"] == pytest.approx(1, abs=0.01)
    figure = np.asarray(Image.open("spots-indexed.png").convert("L"))
    assert figure.std() > 20
    assert main([*line, "--overwrite", "--top", "1"]) == 0
    assert "[0 1 -1]" in capsys.readouterr().out


def test_a_notebook_shows_the_list_and_the_figure(folder):
    names = ["silicon", "iron"]
    (one,) = cv.index(folder / "spots.tif", candidates=names, pixel_size_inv_angstrom=_SIZE,
                      greatest_index=1)  # fmt: skip
    assert (one.found[0].name, one.found[0].zone_axis) == ("silicon", (0, 1, -1))
    assert repr(one).splitlines()[2].split()[:2] == ["silicon", "[0"]
    shown = one._repr_html_()
    assert "<td>silicon</td>" in shown
    assert '<img src="data:image/png;base64,' in shown


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--candidates", "silicon"], "states no size of a pixel in 1/Å; give it by --pixel-size"),
        (["--candidates", "unobtainium", "--pixel-size", "0.01"], "no such file, folder or"),
        (["--candidates", ".", "--pixel-size", "0.01"], "holds no CIF that can be read"),
        (["--candidates", "iron", "--pixel-size", "-1"], "expected a size in 1/Å"),
        (["--candidates", "iron", "--pixel-size", "0.01", "--centre", "3"], "a row and a column"),
    ],
)
def test_bad_input_costs_one_line(folder, words, text, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main(["index", "spots.tif", *words, "-o", "none.png"]) == 2
    assert text in " ".join(capsys.readouterr().err.split())
