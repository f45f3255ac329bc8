"""How a specimen is cut into slices across the beam, and which atoms each holds."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int

from crystalvision.contracts import Specimen

_FINEST = 8  # layers in a slice that are looked for
_LAYERED = 0.2  # the mean phase is 1 for layers and 0 for atoms anywhere
_ROUNDING = 1e-3  # of a slice


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Slices of one thickness, and the one that each atom of a specimen belongs to.

    Attributes:
        step_angstrom: Thickness of each [Å].
        count: How many.
        of_atoms: The slice of each atom, (n,).
    """

    step_angstrom: float
    count: int
    of_atoms: Int[np.ndarray, "n"]

    @classmethod
    def filling(cls, specimen: Specimen, greatest_angstrom: float) -> "Slices":
        """Equal slices that fill a specimen."""
        count = max(1, int(np.ceil(specimen.thickness_angstrom / greatest_angstrom)))
        step = specimen.thickness_angstrom / count
        return cls(step, count, _slice_of(specimen, step, count, most_layers=1))

    @classmethod
    def of_layers(cls, specimen: Specimen, step_angstrom: float) -> "Slices":
        """Slices of just this thickness, of which the last may reach beyond the specimen.

        So each can hold the same number of atomic layers, whatever the thickness.
        """
        slices = np.ceil(specimen.thickness_angstrom / step_angstrom - _ROUNDING)
        count = max(1, int(slices))
        found = _slice_of(specimen, step_angstrom, count, most_layers=_FINEST)
        return cls(step_angstrom, count, found)

    def spread_angstrom2(self, specimen: Specimen) -> float:
        """Variance of the distance of the atoms from the middle of their slices [Å²]."""
        return float(np.var(specimen.positions[:, 2] - self.step_angstrom * self.of_atoms))


def _slice_of(
    specimen: Specimen, step_angstrom: float, count: int, *, most_layers: int
) -> Int[np.ndarray, "n"]:
    """The slice that each atom belongs to, (n,).

    Slices are shifted so that the mean atomic layer lies in the middle of a slice, or of an equal
    part of one: thermal motion then moves few atoms over a boundary. Atoms beyond the ends belong
    to the outermost slices.
    """
    turns = specimen.positions[:, 2] / step_angstrom
    ways = [np.floor(turns + shift).astype(np.int64) for shift in _shifts(turns, most_layers)]
    best = min(ways, key=lambda found: np.count_nonzero((found < 0) | (found >= count)))
    return np.clip(best, 0, count - 1)


def _shifts(turns: Float[np.ndarray, "n"], most_layers: int) -> list[float]:
    """What may be added to heights, in slices; the first where nothing else decides."""
    means = _mean_phases(turns, most_layers)
    layers = 1 + int(np.argmax(np.abs(means)))
    mean = means[layers - 1]
    shift = 0.5 - np.angle(mean) / (2 * np.pi) % 1 if abs(mean) > _LAYERED else 0.0
    # With a layer on the face itself, only some ways leave it a slice of its own.
    others = [shift + way if shift < 0 else shift - way for way in range(1, layers + 1)]
    return [way / layers for way in (shift, *others)]


def _mean_phases(turns: Float[np.ndarray, "n"], count: int) -> Complex[np.ndarray, "m"]:
    """The mean of exp(2πi·m·turns) for m from 1 to `count`, (m,)."""
    phase = np.exp(2j * np.pi * turns)
    power, means = phase.copy(), [phase.mean()]
    for _ in range(count - 1):
        power *= phase
        means.append(power.mean())
    return np.array(means)
