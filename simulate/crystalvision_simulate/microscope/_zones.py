"""Compares lattices of spots with the zones of a known crystal."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import gcd

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import Crystal
from crystalvision_simulate.powder import reflections
from crystalvision_simulate.scattering import electron_scattering_factor

_GREATEST_INDEX = 4
_MOST_ELLIPTIC = 0.10
_LIKELY_ELLIPTIC = 0.02
_LIKELY_SCALE = 0.03  # how far off a pixel size that was given usually is


@dataclass(frozen=True, eq=False)
class ZoneMatch:
    """A lattice of spots that was found to be a zone of reflections.

    Attributes:
        zone_axis: [uvw] along the beam.
        pixel_size_inv_angstrom: Side of a pixel [1/Å].
        distortion: Symmetric, from true to seen vectors, of area one, (2, 2).
        ellipticity: Of it.
        hkl: What the two steps of the lattice are, as rows, (2, 3).
        penalty: How unlikely it is; 0 is perfect.
    """

    zone_axis: tuple[int, int, int]
    pixel_size_inv_angstrom: float
    distortion: Float[np.ndarray, "2 2"]
    ellipticity: float
    hkl: Int[np.ndarray, "2 3"]
    penalty: float


def zone_axes(greatest: int = _GREATEST_INDEX) -> list[tuple[int, int, int]]:
    """Directions [uvw] of small indices, one of each pair."""
    line = range(-greatest, greatest + 1)
    found = []
    for u, v, w in product(line, line, line):
        if gcd(gcd(abs(u), abs(v)), abs(w)) == 1 and (u, v, w) > (0, 0, 0):
            found.append((u, v, w))
    return sorted(found, key=lambda one: (sum(x * x for x in one), one))


def match_zones(
    basis: Float[np.ndarray, "2 2"],
    crystal: Crystal,
    *,
    known_inv_angstrom: float | None = None,
    zone_axis: Sequence[int] | None = None,
    round_: bool = False,
) -> list[ZoneMatch]:
    """Zones of a crystal that a lattice of spots may be, the most likely first.

    Four numbers of the lattice give the size of a pixel, the rotation and the two numbers of the
    ellipse, for any zone; so those are likely that need little of an ellipse.

    Args:
        basis: Two steps of the lattice (x, y), as rows [pixel], (2, 2).
        crystal: The crystal.
        known_inv_angstrom: About the size of a pixel [1/Å], if it is known.
        zone_axis: The direction along the beam, if it is known.
        round_: Whether the ellipse was taken out already.
    """
    cell = np.linalg.inv(crystal.cell).T
    allowed = _allowed(crystal)
    directions = zone_axes() if zone_axis is None else [_direction(zone_axis)]
    found: dict[tuple[float, float], ZoneMatch] = {}
    for direction in directions:
        zone = allowed[(allowed @ np.array(direction)) == 0]
        hkl = _zone_basis(zone, cell)
        if hkl is None:
            continue
        match = _matched_zone(basis, hkl, hkl @ cell, direction)
        penalty = (match.ellipticity / (0.004 if round_ else _LIKELY_ELLIPTIC)) ** 2
        penalty += 0.15 * sum(one * one for one in direction)
        if known_inv_angstrom:
            off = np.log(match.pixel_size_inv_angstrom / known_inv_angstrom)
            penalty += (off / _LIKELY_SCALE) ** 2
        if match.ellipticity > _MOST_ELLIPTIC:
            continue
        match = ZoneMatch(
            direction,
            match.pixel_size_inv_angstrom,
            match.distortion,
            match.ellipticity,
            match.hkl,
            penalty,
        )
        key = (round(match.pixel_size_inv_angstrom, 6), round(match.ellipticity, 5))
        if key not in found or penalty < found[key].penalty:
            found[key] = match
    return sorted(found.values(), key=lambda one: one.penalty)


def _direction(zone_axis: Sequence[int]) -> tuple[int, int, int]:
    u, v, w = (int(one) for one in zone_axis)
    return u, v, w


def _allowed(crystal: Crystal) -> Int[np.ndarray, "n 3"]:
    """Reflections of notable strength, and their mates, up to some multiple of the shortest."""
    longest = 3.2 * float(np.linalg.norm(np.linalg.inv(crystal.cell), axis=0).max())
    reach = float(min(max(longest, 1.2), 2.5))
    found = reflections(crystal, reach, scattering_factor=electron_scattering_factor)
    strong = found.intensity > 2e-3 * found.intensity.max()
    return np.concatenate([found.hkl[strong], -found.hkl[strong]])


def _zone_basis(
    zone: Int[np.ndarray, "n 3"], cell: Float[np.ndarray, "3 3"]
) -> Int[np.ndarray, "2 3"] | None:
    """The shortest two reflections of a zone that are not along one line, as rows."""
    if len(zone) < 4:
        return None
    g = zone @ cell
    order = np.argsort(np.linalg.norm(g, axis=1), kind="stable")
    first = order[0]
    for second in order[1:]:
        across = np.linalg.norm(np.cross(g[first], g[second]))
        if across > 0.2 * np.linalg.norm(g[first]) * np.linalg.norm(g[second]):
            basis: Int[np.ndarray, "2 3"] = zone[[first, second]]
            return basis
    return None


def _matched_zone(
    basis: Float[np.ndarray, "2 2"],
    hkl: Int[np.ndarray, "2 3"],
    g: Float[np.ndarray, "2 3"],
    direction: tuple[int, int, int],
) -> ZoneMatch:
    """The choice of steps that needs the smallest ellipse."""
    first = g[0] / np.linalg.norm(g[0])
    normal = np.cross(g[0], g[1])
    second = np.cross(normal / np.linalg.norm(normal), first)
    plane = np.stack([g @ first, g @ second], axis=1)
    best: ZoneMatch | None = None
    for entries in product((-1, 0, 1), repeat=4):
        turn = np.array(entries).reshape(2, 2)
        if abs(round(float(np.linalg.det(turn)))) != 1:
            continue
        # seen = true · F, for row vectors; F = (rotation or mirror) · symmetric
        seen_from_true = np.linalg.inv(turn @ plane) @ basis
        left, values, right = np.linalg.svd(seen_from_true)
        ellipticity = float(values[0] / values[1] - 1)
        if best is None or ellipticity < best.ellipticity - 1e-9:
            scale = float(np.sqrt(values[0] * values[1]))
            symmetric = right.T @ np.diag(values / scale) @ right
            best = ZoneMatch(direction, 1 / scale, symmetric, ellipticity, turn @ hkl, 0.0)
        del left
    assert best is not None  # noqa: S101 - the identity is among the choices
    return best
