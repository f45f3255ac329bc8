"""Draws selected-area.png: `python docs/images/selected-area.py`, in a minute."""

from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from crystalvision.plugins import Catalogue
from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.simulator import Simulator

PANELS = (
    ("Al [001], ideal", "aluminium", "perfect", (0, 0, 1)),
    ("Al [001], axial strain 5 %", "aluminium", "axial-5.0", (0, 0, 1)),
    ("Al [001], shear 0.035 rad", "aluminium", "shear-35", (0, 0, 1)),
    ("Al [001], 300 K", "aluminium", "thermal-300", (0, 0, 1)),
    ("Fe [001], ideal", "iron", "perfect", (0, 0, 1)),
    ("Fe [001], vacancies 1/54, array", "iron", "vacancies-high", (0, 0, 1)),
    ("Fe [001], vacancies 1/54, random", "iron", "vacancies-high-random", (0, 0, 1)),
    ("Fe [001], Au 1/54, array", "iron", "substitution-high", (0, 0, 1)),
    ("Al [001], C 1/108, array", "aluminium", "carbon", (0, 0, 1)),
    ("Al [1-12], dislocations end-on", "aluminium", "dislocation-array", (1, -1, 2)),
    ("Al [1-11], dislocations", "aluminium", "dislocation-array", (1, -1, 1)),
    ("Al [110], dislocations", "aluminium", "dislocation-array", (1, 1, 0)),
    ("Al [011], ideal", "aluminium", "perfect", (0, 1, 1)),
    ("Al [011], twin (11-1)", "aluminium", "twin-boundary", (0, 1, 1)),
    ("Fe [011], ideal", "iron", "perfect", (0, 1, 1)),
    ("Fe [011], twin (21-1)", "iron", "twin-boundary", (0, 1, 1)),
)
SETTINGS = (
    "samples=1",
    "patterns_per_specimen=1",
    "appearance=null",
    "specimen.thickness_angstrom=80",
    "beam.energy_kev=200",
    "beam.mistilt_mrad=0",
    "renderer={name: kinematic, band_limit_inv_angstrom: 1.8}",
    "instrument.rotation_deg=0",
    "instrument.centre_offset_x_px=0",
    "instrument.centre_offset_y_px=0",
    "instrument.camera_length_error=0",
)


def draw(output: Path) -> None:
    """A pattern of each kind of defect, as the recipe's camera counts it, logarithmic."""
    torch.set_num_threads(1)
    catalogue = Catalogue.load()
    figure = Figure(figsize=(11, 11.6), layout="constrained", facecolor="white")
    for axes, (title, crystal, kind, axis) in zip(figure.subplots(4, 4).flat, PANELS, strict=True):
        own = (f"only=[{crystal}]", f"kinds=[{kind}]", f"specimen.zone_axis={list(axis)}")
        simulator = Simulator(load_recipe("sadp-study", catalogue, [*SETTINGS, *own]), catalogue)
        counts = simulator.sample(0).image[0].astype(np.float64)
        axes.imshow(np.log1p(counts), cmap="magma", vmin=0, vmax=np.log(3000))
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    figure.savefig(output, dpi=80)


if __name__ == "__main__":
    draw(Path(__file__).with_name("selected-area.png"))
