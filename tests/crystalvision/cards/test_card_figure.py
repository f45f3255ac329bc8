"""The figure of a card, for data of all kinds."""

import io

import numpy as np
import pytest
from PIL import Image

from crystalvision.cards._figure import figure_png
from crystalvision.cards._histograms import _bins, choose_panels
from crystalvision.cards._patterns import choose_tiles
from crystalvision.datasets import Dataset


@pytest.mark.parametrize(
    ("shape", "dtype", "classes", "samples", "wide"),
    [
        ((1, 16, 24), "uint16", ("only",), 30, True),
        ((1, 16, 24), "uint16", ("only",), 1, False),
        ((1, 16, 16), "float32", ("a", "b", "c", "d"), 40, True),
        ((3, 16, 16), "float32", tuple("abcdefghi"), 40, True),
        ((2, 16, 16), "uint32", tuple(f"class {n}" for n in range(40)), 80, True),
        ((1, 1, 1), "uint16", ("$x_1$", "class " * 30), 3, True),
        ((1, 16, 16), "uint16", ("there", "too", "never"), 2, False),
    ],
)
def test_figures_of_all_kinds_of_data(make, tmp_path, shape, dtype, classes, samples, wide):
    path = make(tmp_path / "d.zarr", shape=shape, dtype=dtype, classes=classes, samples=samples)
    image = Image.open(io.BytesIO(figure_png(Dataset.open(path))))
    assert image.width == 1000 if wide else 500 <= image.width <= 1000
    assert 100 < image.height < 2500
    pixels = np.asarray(image.convert("L"))
    assert pixels.min() < 60
    assert pixels.max() == 255


def test_only_columns_that_vary_are_drawn_with_their_units(salt):
    panels = choose_panels(Dataset.open(salt))
    labels = [panel.label for panel in panels.panels]
    assert labels == ["thickness_angstrom [Å]", "dose_electrons [electrons]", "bent"]
    assert panels.classes == ("whole", "holed")
    assert [len(values) for values in panels.panels[0].values] == [20, 20]


def test_patterns_keep_the_proportions_of_reciprocal_space(make, tmp_path):
    tiles = choose_tiles(Dataset.open(make(tmp_path / "d.zarr", shape=(1, 16, 24))))
    assert tiles.aspect == pytest.approx(16 * 0.05 / (24 * 0.04))
    assert [images.shape for images in tiles.images] == [(6, 16, 24)] * 2
    grey = np.concatenate(tiles.images)
    assert grey.min() == 0
    assert grey.max() == 1


def test_large_patterns_are_binned_and_the_caption_says_so(make, tmp_path):
    path = make(tmp_path / "d.zarr", shape=(1, 480, 320), samples=2, classes=("a",))
    tiles = choose_tiles(Dataset.open(path))
    assert tiles.images[0].shape == (2, 240, 160)
    assert "sums over" in tiles.caption


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([100, 200, 300] * 5, ["100", "200", "300"]),
        ([1e3, 1e5] * 9, ["1e3", "1e5"]),
        ([0.0, 1.0], None),
        (list(range(9)) * 9, None),
    ],
)
def test_few_values_that_repeat_are_categories(values, names):
    edges, found = _bins(np.asarray(values, dtype=float))
    assert found == names
    assert np.histogram(values, edges)[0].sum() == len(values)


def test_values_over_decades_are_binned_by_their_logarithm():
    values = np.geomspace(10, 1e5, 50)
    counts = np.histogram(values, _bins(values)[0])[0]
    assert counts.max() <= 2 * counts.min()
    linear = np.linspace(10, 1e5, 50)
    assert np.ptp(np.diff(_bins(linear)[0])) < 1e-6
