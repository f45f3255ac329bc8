"""`crystalvision calibrate`, from files to a recipe that takes the twin."""

import json

import numpy as np
import pytest
from PIL import Image

from crystalvision.cli import main
from crystalvision.plugins import Catalogue
from crystalvision_simulate.recipes import load_recipe


@pytest.fixture(scope="module")
def folder(taken, tmp_path_factory):
    """A picture of rings of iron, as a file of counts."""
    place = tmp_path_factory.mktemp("pictures")
    Image.fromarray(taken(0).picture.counts.astype(np.uint8)).save(place / "rings.png")
    return place


def test_a_recipe_takes_the_twin(folder, taken, capsys):
    twin = folder / "instrument.yaml"
    words = [folder / "rings.png", "--crystal", "iron", "--pixels", "64", "-o", twin, "--json"]
    assert main(["calibrate", *map(str, words)]) == 0
    told = json.loads(capsys.readouterr().out)
    (found,) = told["pictures"]
    truth = taken(0)
    assert found["centre_x_px"] == pytest.approx(truth.x, abs=0.5)
    assert found["pixel_size_inv_angstrom"] == pytest.approx(truth.pixel, rel=0.005)
    assert found["gamma"] == pytest.approx(truth.instrument.gamma, abs=0.1)
    figure = np.asarray(Image.open(folder / "instrument.png").convert("L"))
    assert figure.std() > 20
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
