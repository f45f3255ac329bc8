"""The zones of a crystal: which reflections lie in the plane across the beam, and where."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import Crystal
from crystalvision_simulate.microscope import zone_axes
from crystalvision_simulate.powder import reflections
from crystalvision_simulate.scattering import electron_scattering_factor

_THERMAL = 0.08  # Å: about what atoms move at room temperature
_VISIBLE = 1e-3  # of the strongest
_LEAST = 4  # reflections of a zone: fewer make no plane


@dataclass(frozen=True, eq=False)
class Zone:
    """The reflections of one zone.

    Attributes:
        axis: [uvw] along the beam.
        hkl: Indices of the reflections, both of each Friedel pair, (n, 3).
        g: Where they lie across the beam, the shortest along x [1/Å], (n, 2).
        weight: How likely each is to be seen, |F| over the sum of all, (n,).
    """

    axis: tuple[int, int, int]
    hkl: Int[np.ndarray, "n 3"]
    g: Float[np.ndarray, "n 2"]
    weight: Float[np.ndarray, "n"]


def zones_of(crystal: Crystal, reach_inv_angstrom: float, greatest_index: int = 4) -> list[Zone]:
    """All zones of a crystal up to some indices; of those that look alike, the simplest.

    Args:
        crystal: The crystal.
        reach_inv_angstrom: How far spots are seen [1/Å].
        greatest_index: Of the zone axes.
    """
    found = reflections(
        crystal,
        reach_inv_angstrom,
        displacement_rms_angstrom=_THERMAL,
        scattering_factor=electron_scattering_factor,
    )
    strong = found.intensity > _VISIBLE * found.intensity.max(initial=0)
    hkl = np.concatenate([found.hkl[strong], -found.hkl[strong]])
    g = np.concatenate([found.g[strong], -found.g[strong]])
    strength = np.sqrt(np.tile(found.intensity[strong], 2))
    zones: dict[tuple[float, ...], Zone] = {}
    for axis in zone_axes(greatest_index):
        inside = (hkl @ np.array(axis)) == 0
        if inside.sum() < _LEAST:
            continue
        plane = _across(g[inside])
        if plane is None:
            continue
        zone = Zone(axis, hkl[inside], plane, strength[inside] / strength[inside].sum())
        zones.setdefault(_looks(zone), zone)
    return list(zones.values())


def _across(g: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 2"] | None:
    """Vectors of a plane by two axes in it; `None` where all lie along a line."""
    length = np.linalg.norm(g, axis=1)
    first = g[int(length.argmin())] / length.min()
    rest = g - (g @ first)[:, None] * first
    far = np.linalg.norm(rest, axis=1)
    if far.max() < 0.05 * length.min():
        return None
    second = rest[int(far.argmax())] / far.max()
    return np.stack([g @ first, g @ second], axis=1)


def _looks(zone: Zone) -> tuple[float, ...]:
    """What is the same of zones that no pattern tells apart: where their spots are, how strong."""
    order = np.lexsort((zone.weight.round(4), np.hypot(*zone.g.T).round(4)))[:16]
    length = np.hypot(*zone.g[order].T)
    return (len(zone.g), *length.round(3).tolist(), *zone.weight[order].round(3).tolist())
