"""Draws classes.png, the README's picture: `python docs/images/classes.py data.zarr`."""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from crystalvision.datasets import Dataset, bin_images

TITLES = {
    "no_defect": "no defect",
    "pristine": "pristine (300 K)",
    "random_displacement": "random displacement",
    "vacancies_25": "25 % vacancies",
}


def draw(path: Path, output: Path) -> None:
    """Two patterns of each class, side by side, with calibrated axes."""
    dataset = Dataset.open(path)
    labels = dataset.column("label")
    thickness = dataset.column("thickness_angstrom")
    mistilt = dataset.column("mistilt_mrad")
    figure = Figure(figsize=(11, 5.9), layout="constrained", facecolor="white")
    axes = figure.subplots(2, 4, sharex=True, sharey=True)
    edge = -dataset.header.axes[0].offset
    for column, name in enumerate(dataset.header.class_names):
        alike = np.flatnonzero((labels == column) & (thickness > 80))
        flat = alike[np.argmin(mistilt[alike])]
        tilted = alike[np.argmin(abs(mistilt[alike] - 12))]
        for row, index in enumerate((flat, tilted)):
            counts = bin_images(dataset.images([int(index)]), 2)[0, 0]
            axis = axes[row, column]
            axis.imshow(
                np.log1p(counts),
                cmap=mpl.colormaps["magma"],
                extent=(-edge, edge, edge, -edge),
                vmax=np.log(400),
            )
            axis.text(
                0.03,
                0.03,
                f"{thickness[index] / 10:.0f} nm, {mistilt[index]:.0f} mrad off axis",
                transform=axis.transAxes,
                color="white",
                fontsize=9,
            )
        axes[0, column].set_title(TITLES.get(name, name), fontsize=12)
        axes[1, column].set_xlabel("$q_x$ [1/Å]")
    for row in (0, 1):
        axes[row, 0].set_ylabel("$q_y$ [1/Å]")
    figure.savefig(output, dpi=100)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(__file__).with_name("classes.png"))
