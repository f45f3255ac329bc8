"""`crystalvision show` of a measured file: what was read and assumed, with units, and a figure."""

import json

import numpy as np
import pytest
from PIL import Image

from crystalvision.cli import main
from crystalvision.contracts import Frame, Recording
from crystalvision.figures import draw_measured
from crystalvision_simulate.pictures import save_figure

ANGLES = np.arange(10, 40, 0.05)
COUNTS = 30 + 500.0 * (np.abs(ANGLES - 25) < 0.18)


@pytest.fixture
def pattern(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{a:.3f} {c:.1f}" for a, c in zip(ANGLES, COUNTS, strict=True)]
    (tmp_path / "pattern.xy").write_text("# anode: Co\n" + "\n".join(rows) + "\n41.0 nan\n")
    return tmp_path / "pattern.xy"


def test_what_was_read_is_printed_and_drawn(pattern, capsys):
    assert main(["show", "pattern.xy"]) == 0
    found = capsys.readouterr()
    for line in (
        "pattern.xy: columns, 1 pattern",
        "axis: 2θ from 10 to 41°, 601 points, uneven steps of 0.05 to 1.05°",
        "values: not stated; taken for counts",
        "anode: Co",
        "wavelength: 1.788996 Å",
        f"numbers: 30 to 530, sum {COUNTS.sum():.6g}; 0.17% of the points are masked",
        "assumed: Kα₁ and Kα₂ of Co, 1.789 and 1.79283 Å, whose anode it names",
        "assumed: positions are 2θ in degrees",
    ):
        assert line in found.out
    assert "note: pattern.xy: " in found.err
    assert "1 points without a number, which are masked" in " ".join(found.err.split())
    assert (pattern.parent / "pattern.png").read_bytes().startswith(b"\x89PNG")
    assert main(["show", "pattern.xy"]) == 2
    assert "pattern.png exists; use --overwrite" in capsys.readouterr().err


def test_the_same_as_json_and_one_of_several(pattern, capsys):
    images = np.random.default_rng(0).poisson(9, (3, 8, 8)).astype(np.float32)
    np.save("stack.npy", images)
    assert main(["show", "stack.npy[1]", "--json", "-o", "one.svg"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["patterns"]) == ("NPY", 3)
    assert found["shown"][0]["sum"] == images[1].sum()
    assert main(["show", "stack.npy[3]"]) == 2
    assert "stack.npy[3]: expected an index from 0 to 2" in capsys.readouterr().err
    assert main(["show", "stack.npy", "--class", "twin"]) == 2
    assert "--class: stack.npy is a measured file" in capsys.readouterr().err


@pytest.mark.parametrize("image", ["dark", "negative", "flat", "colours", "bright"])
def test_images_of_any_values_are_drawn_with_labels_that_can_be_read(tmp_path, image):
    values = {
        "dark": np.zeros((8, 8), np.uint16),
        "negative": np.linspace(-100, -5, 64, dtype=np.int8).reshape(8, 8),
        "flat": np.full((8, 8), 7, np.uint16),
        "colours": np.arange(192, dtype=np.uint16).reshape(3, 8, 8),
        "bright": np.arange(64, dtype=np.uint32).reshape(8, 8) ** 3,
    }[image]
    frame = Frame(values.shape, str(values.dtype), dimensions=2)
    draw = draw_measured("x", [frame], [Recording(values)])
    save_figure(draw, tmp_path / "x.png", dpi=50)
    bar = draw.axes[1]
    assert bar.get_ylabel() == "intensity" + ", channel 0 of 3" * (image == "colours")
    labels = [tick.get_text() for tick in bar.get_yticklabels(which="both")]
    assert any(labels)
    assert not any("$" in text for text in labels)
    if image == "bright":  # nothing is measured between 0 and 1 count
        assert bar.get_ylim() == pytest.approx((63**3 / 1e5, 63**3))


def test_a_figure_never_replaces_the_file_that_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save("image.png")
    before = (tmp_path / "image.png").read_bytes()
    for line in (["image.png"], ["image.png", "--overwrite"], ["image.png", "-o", "./image.png"]):
        assert main(["show", *line]) == 2
        assert "image.png is the file that is read" in capsys.readouterr().err
    assert (tmp_path / "image.png").read_bytes() == before
    assert main(["show", "image.png", "-o", "figure.png"]) == 0
