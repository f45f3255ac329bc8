"""One picture of every test of a suite, kept so that it outlives the images."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.benchmarks._suite import Suite
from crystalvision.datasets import Dataset
from crystalvision.figures import drawing, wrapped
from crystalvision.storage import whole_file

_ACROSS = 5  # pictures in a row
_INCHES = 2.3
_DPI = 110
_BRIGHTEST = 0.999  # quantile of the logarithm of counts that is white


def write_pictures(place: BenchmarkFolder, suite: Suite) -> None:
    """Draw the same pattern of every test dataset of a suite that asks for it, if it is not there.

    Raises:
        StorageError: The disk refuses.
    """
    path = place.pictures
    names = [name for name, plan in suite.datasets.items() if plan.test is not None]
    made = [name for name in names if place.test_data(name).is_dir()]
    if suite.picture is None or path.is_file() or not made:
        return
    images = []
    for name in made:
        dataset = Dataset.open(place.test_data(name))
        index = np.array([min(suite.picture, dataset.header.samples - 1)])
        images.append(np.asarray(dataset.images(index))[0, 0])
    titles = [suite.datasets[name].title or name for name in made]
    _draw(images, titles, path)


def _draw(images: Sequence[Float[np.ndarray, "h w"]], titles: Sequence[str], path: Path) -> None:
    from matplotlib.figure import Figure

    with drawing():
        rows = math.ceil(len(images) / _ACROSS)
        figure = Figure(figsize=(_ACROSS * _INCHES, rows * (_INCHES + 0.45)))
        grid = figure.subplots(rows, _ACROSS, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, image, title in zip(grid.flat, images, titles, strict=False):
            shown = np.log1p(np.asarray(image, dtype=np.float64))
            brightest = max(float(np.quantile(shown, _BRIGHTEST)), 1e-9)
            axes.imshow(shown, cmap="gray", vmin=0, vmax=brightest, interpolation="nearest")
            axes.set_title(wrapped(title, 30), fontsize=8)
        with whole_file(path, overwrite=True) as partial:
            figure.savefig(partial, format="png", dpi=_DPI, metadata={"Software": None})
