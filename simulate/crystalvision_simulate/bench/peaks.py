"""Names of the peaks of a powder pattern."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal
from crystalvision.samples import Curve, Mark
from crystalvision_simulate.powder import lorentz_polarisation, reflections

Cell = tuple[Crystal, Float[np.ndarray, "n"] | None]

_MOST = 14  # peaks that are named
_APART = 0.045  # of the axis: peaks nearer to a stronger one are not named
_STRONG = 2e-3  # of the strongest reflection


def peak_marks(
    cells: Mapping[str, Cell], wavelength_angstrom: float, curves: Sequence[Curve]
) -> tuple[Mark, ...]:
    """Indices above the strongest peaks of a powder of X-rays.

    Args:
        cells: Unit cells of what is in it and how far their sites are occupied (`None`: all are),
            by what is written before the indices.
        wavelength_angstrom: Of the X-rays [Å].
        curves: Over 2θ [degree]; names stand at the height of the highest.
    """
    places = curves[0].x
    values = np.nanmax([curve.y for curve in curves], axis=0)
    found = [
        one
        for name, cell in cells.items()
        for one in _peaks(name, cell, wavelength_angstrom, (float(places[0]), float(places[-1])))
    ]
    heights = np.interp([one.x for one in found], places, values)
    apart = _APART * (places[-1] - places[0])
    chosen: list[Mark] = []
    for index in np.argsort(-heights, kind="stable"):
        if len(chosen) == _MOST:
            break
        if all(abs(found[index].x - one.x) > apart for one in chosen):
            chosen.append(Mark(found[index].text, found[index].x, float(heights[index])))
    return tuple(chosen)


def _peaks(
    name: str, cell: Cell, wavelength_angstrom: float, ends_deg: tuple[float, float]
) -> list[Mark]:
    """Reflections of one phase that can be seen; the first of one angle names it best."""
    band = 2 * np.sin(np.deg2rad(min(ends_deg[1], 179.0)) / 2) / wavelength_angstrom
    crystal, occupancies = cell
    found = reflections(crystal, band, occupancies=occupancies)
    sine = np.clip(found.length_inv_angstrom * wavelength_angstrom / 2, 0, 1)
    two_theta = 2 * np.rad2deg(np.arcsin(sine))
    inside = (two_theta > ends_deg[0]) & (two_theta < ends_deg[1])
    strength = np.where(inside, found.intensity * lorentz_polarisation(two_theta.clip(1e-3)), 0.0)
    two_theta = two_theta.round(6)  # the same for all of a family
    seen = np.flatnonzero(inside & (strength > _STRONG * strength.max(initial=0.0)))
    hkl = found.hkl[seen]
    # Of a family, the one that is written with the fewest bars and the largest indices first.
    order = np.lexsort([*-hkl.T[::-1], (hkl < 0).sum(axis=1), two_theta[seen]])
    return [
        Mark(
            f"{name}{indices_text(tuple(map(int, hkl[one])))}", float(two_theta[seen[one]].round(6))
        )
        for one in order
    ]


def indices_text(hkl: tuple[int, ...]) -> str:
    """Indices as text: a bar for a minus; with spaces where one has two digits."""
    words = [f"{abs(index)}" + ("\N{COMBINING OVERLINE}" if index < 0 else "") for index in hkl]
    return (" " if any(abs(index) > 9 for index in hkl) else "").join(words)
