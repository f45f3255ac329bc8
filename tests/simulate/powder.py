"""A stranger's powder diffractometer in one file: a 1-D renderer, and what counts its photons."""

from typing import ClassVar

import numpy as np
import torch

from crystalvision import hookimpl
from crystalvision.contracts import Axis, Crystal, Instrument, Measure, Pattern, Recording, Renderer

WAVELENGTH_ANGSTROM = 1.5406


class Powder(Renderer):
    """Debye's sum over pairs of atoms, for X-rays on points."""

    def __init__(self, points: int = 40, step_deg: float = 1.0, zero_shift_deg: float = 0.0):
        """Make the renderer.

        Args:
            points: Points of the curve.
            step_deg: Distance between them [°].
            zero_shift_deg: By how much the angle is off [°].
        """
        self.axis = Axis(name="two_theta", size=points, scale=step_deg, offset=10, units="degree")
        self.zero_shift_deg = zero_shift_deg

    def render(self, specimens, beams, *, device, dtype=torch.float32):
        """See `Renderer.render`."""
        angle = np.deg2rad(self.axis.values() + self.zero_shift_deg) / 2
        q = 4 * np.pi * np.sin(angle) / WAVELENGTH_ANGSTROM
        patterns = []
        for (specimen,), _ in zip(specimens, beams, strict=True):
            positions = specimen.positions[:40]
            apart = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
            curve = np.sinc(q[:, None, None] * apart / np.pi).sum(axis=(1, 2)) / len(positions) ** 2
            intensity = torch.from_numpy(curve.clip(0)[None]).to(device, dtype)
            patterns.append(Pattern(intensity, (self.axis,)))
        return patterns


class PhotonCounter(Instrument):
    """Counts photons at every angle."""

    records = ("fraction",)
    dtype = "uint32"
    option_columns: ClassVar = {
        "seconds_per_point": Measure("seconds_per_point", "s", "time for each point of the curve")
    }

    def __init__(self, seconds_per_point: float = 1.0, photons_per_second: float = 1e4):
        """Make the instrument."""
        self.seconds_per_point = seconds_per_point
        self.expected = seconds_per_point * photons_per_second

    def axes(self, axes, band_limit):
        """See `Instrument.axes`: the renderer's."""
        return axes

    def measure(self, projected, rng):
        """See `Instrument.measure`."""
        return Recording(rng.poisson(projected.intensity.numpy() * self.expected).astype("uint32"))


def cubic(a_angstrom: float = 4.0) -> Crystal:
    """Aluminium atoms on a cubic lattice."""
    return Crystal(np.zeros((1, 3)), np.array([13]), a_angstrom * np.eye(3), np.ones(3, dtype=bool))


@hookimpl
def crystalvision_structures():
    """Structures."""
    return {"cubic": cubic}


@hookimpl
def crystalvision_renderers():
    """Renderers."""
    return {"my-powder": Powder}


@hookimpl
def crystalvision_instruments():
    """Instruments."""
    return {"photon-counter": PhotonCounter}
