"""Compares radii of rings, and lattices of spots, with those of a known crystal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import gcd

import numpy as np
from jaxtyping import Float, Int
from scipy import optimize

from crystalvision.contracts import Crystal
from crystalvision_simulate.powder import reflections
from crystalvision_simulate.scattering import electron_scattering_factor

_THERMAL = 0.08  # Å: about what atoms of a metal move at room temperature
_ONE_LINE = 0.012  # relative: lines that are nearer are one ring
_VISIBLE = 3e-3  # of the strongest line
_MATCH = 0.012  # relative: how far a ring may lie from its line
_REFINED = 0.02  # relative: how far a whole profile may move what single rings said
_GREATEST_INDEX = 4
_MOST_ELLIPTIC = 0.10
_LIKELY_ELLIPTIC = 0.02
_LIKELY_SCALE = 0.03  # how far off a pixel size that was given usually is


@dataclass(frozen=True, eq=False)
class Lines:
    """The rings that a crystal may have.

    Attributes:
        length_inv_angstrom: |g| of each, ascending [1/Å], (n,).
        strength: Its intensity as a ring of electrons, over that of the strongest, (n,).
        names: Indices of its strongest reflection.
    """

    length_inv_angstrom: Float[np.ndarray, "n"]
    strength: Float[np.ndarray, "n"]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RingMatch:
    """Rings that were found to be lines.

    Attributes:
        pixel_size_inv_angstrom: Side of a pixel [1/Å].
        error: Its relative standard error.
        rings: Which rings, (m,).
        lines: Which lines they are, (m,).
        score: How well all fits, at most 1.
    """

    pixel_size_inv_angstrom: float
    error: float
    rings: Int[np.ndarray, "m"]
    lines: Int[np.ndarray, "m"]
    score: float


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


def lines_of(crystal: Crystal, reach_inv_angstrom: float) -> Lines:
    """The rings of a powder of a crystal for electrons."""
    found = reflections(
        crystal,
        reach_inv_angstrom,
        displacement_rms_angstrom=_THERMAL,
        scattering_factor=electron_scattering_factor,
    )
    # The ring of a reflection is spread over its circumference, and met by a crystal in as many
    # directions as its sphere is large: intensity per pixel goes with F² / |g|².
    power = found.intensity / found.length_inv_angstrom**2
    lengths: list[float] = []
    strengths: list[float] = []
    names: list[str] = []
    start = 0
    for end in range(1, len(power) + 1):
        last = end == len(power)
        if not last and found.length_inv_angstrom[end] < found.length_inv_angstrom[start] * (
            1 + _ONE_LINE
        ):
            continue
        part = slice(start, end)
        total = float(power[part].sum())
        if total > 0:
            lengths.append(float(np.average(found.length_inv_angstrom[part], weights=power[part])))
            strengths.append(total)
            names.append(_name(found.hkl[start + int(power[part].argmax())]))
        start = end
    strength = np.array(strengths) / max(strengths)
    seen = strength > _VISIBLE
    return Lines(
        np.array(lengths)[seen],
        strength[seen],
        tuple(name for name, kept in zip(names, seen, strict=True) if kept),
    )


def _name(hkl: Int[np.ndarray, "3"]) -> str:
    digits = sorted((abs(int(one)) for one in hkl), reverse=True)
    return "".join(map(str, digits)) if max(digits) < 10 else " ".join(map(str, digits))


def match_rings(
    radii_px: Float[np.ndarray, "k"],
    heights: Float[np.ndarray, "k"],
    lines: Lines,
    reach_px: float,
    known_inv_angstrom: float | None = None,
    *,
    profile: Float[np.ndarray, "n"] | None = None,
    width_px: float = 3.0,
) -> RingMatch | None:
    """The size of a pixel with which most of the strength of rings and lines lies together.

    Args:
        radii_px: Of the rings [pixel], (k,).
        heights: Of the rings, (k,).
        lines: The crystal's.
        reach_px: How far rings would have been seen [pixel].
        known_inv_angstrom: About the size of a pixel [1/Å], if it is known.
        profile: Above its background at each whole radius, (n,), to be compared as a whole.
        width_px: Full width of a ring at half height [pixel].
    """
    best: RingMatch | None = None
    strongest = np.argsort(-heights)[:6]
    for ring, line in product(strongest, range(min(len(lines.names), 14))):
        match = _matched(
            radii_px,
            heights,
            lines,
            reach_px,
            lines.length_inv_angstrom[line] / radii_px[ring],
        )
        if match is None:
            continue
        if known_inv_angstrom:
            off = np.log(match.pixel_size_inv_angstrom / known_inv_angstrom) / 0.1
            if abs(off) > 3:
                continue
        if profile is not None:
            match = replace(match, score=match.score + _alike(profile, lines, match, width_px))
        if best is None or match.score > best.score:
            best = match
    return best


def _alike(above: Float[np.ndarray, "n"], lines: Lines, match: RingMatch, width_px: float) -> float:
    """Correlation of a profile with that of a powder, of roots: texture changes strengths."""
    radius = np.arange(len(above), dtype=np.float64)
    places = lines.length_inv_angstrom / match.pixel_size_inv_angstrom
    shapes = np.exp(-0.5 * ((radius[:, None] - places[None, :]) / (width_px / 2.355)) ** 2)
    expected = np.sqrt(shapes @ lines.strength)
    seen = np.sqrt(above)
    usable = slice(max(3, int(0.6 * places[0])), None)
    if np.ptp(expected[usable]) <= 0 or np.ptp(seen[usable]) <= 0:
        return 0.0
    return float(np.corrcoef(expected[usable], seen[usable])[0, 1])


def _matched(
    radii: Float[np.ndarray, "k"],
    heights: Float[np.ndarray, "k"],
    lines: Lines,
    reach_px: float,
    scale: float,
) -> RingMatch | None:
    lengths = lines.length_inv_angstrom
    for tolerance in (2 * _MATCH, _MATCH, _MATCH):
        nearest = np.abs(radii[:, None] * scale / lengths[None, :] - 1).argmin(axis=1)
        off = radii * scale / lengths[nearest] - 1
        good = np.abs(off) < tolerance
        if not good.any():
            return None
        weight = np.sqrt(heights[good]) * radii[good]
        ratio = lengths[nearest[good]] / radii[good]
        scale = float(np.average(ratio, weights=weight))
    rings, matched = np.flatnonzero(good), nearest[good]
    spread = float(np.sqrt(np.average((ratio / scale - 1) ** 2, weights=weight)))
    expected = lengths < reach_px * scale
    if not expected.any() or len(set(matched.tolist())) < min(2, len(radii)):
        return None
    rise = np.sqrt(heights)
    told = float(rise[good].sum() / rise.sum())
    weights = np.sqrt(lines.strength[expected] / lines.strength[expected].max())
    hit = np.isin(np.flatnonzero(expected), matched)
    found = float((weights * hit).sum() / weights.sum())
    error = max(spread / np.sqrt(len(rings)), 2e-4)
    return RingMatch(scale, error, rings, matched, told * found - 5 * spread)


def refine_by_profile(
    match: RingMatch, lines: Lines, above: Float[np.ndarray, "n"], width_px: float
) -> RingMatch:
    """The size of a pixel with which lines of free strength fit a whole profile best.

    Rings that overlap pull each other's middles; here they are told apart.

    Args:
        match: About what it is.
        lines: The crystal's.
        above: The profile above its background at each whole radius, (n,).
        width_px: Full width of a ring at half height [pixel].
    """
    radius = np.arange(len(above), dtype=np.float64)
    sigma = width_px / 2.355

    def misfit(scale: float, sigma: float) -> float:
        places = lines.length_inv_angstrom / scale
        places = places[places < len(above) + 3 * sigma]
        shapes = np.exp(-0.5 * ((radius[:, None] - places[None, :]) / sigma) ** 2)
        return float(optimize.nnls(shapes, above)[1])

    scales = match.pixel_size_inv_angstrom * np.linspace(1 - _REFINED, 1 + _REFINED, 51)
    sigmas = sigma * np.array([0.7, 0.85, 1.0, 1.2])
    costs = np.array([[misfit(scale, one) for scale in scales] for one in sigmas]) ** 2
    row, best = np.unravel_index(int(costs.argmin()), costs.shape)
    if not 0 < best < len(scales) - 1:
        return match
    low, middle, high = costs[row, best - 1 : best + 2]
    curvature = low - 2 * middle + high
    step = float(scales[1] - scales[0])
    shift = 0.5 * (low - high) / curvature if curvature > 0 else 0.0
    scale = float(scales[best]) + step * float(np.clip(shift, -1, 1))
    # The cost rises by its mean a degree of freedom at one standard error.
    each = middle / max(1, len(above) - 10)
    error = step * np.sqrt(2 * each / curvature) / scale if curvature > 0 else match.error
    return replace(match, pixel_size_inv_angstrom=scale, error=float(np.clip(error, 2e-4, 0.02)))


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


def match_lengths(
    lengths_px: Float[np.ndarray, "k"],
    weights: Float[np.ndarray, "k"],
    lines: Lines,
    known_inv_angstrom: float | None = None,
) -> RingMatch | None:
    """The size of a pixel with which distances of single spots are lengths of reflections.

    Of those that fit equally well, the one with the fewest lines within reach is taken: with pixels
    small enough anything fits.

    Args:
        lengths_px: Distances from the direct beam [pixel], (k,).
        weights: How much each counts, (k,).
        lines: The crystal's.
        known_inv_angstrom: About the size of a pixel [1/Å], if it is known.
    """
    best: RingMatch | None = None
    allowed = lines.length_inv_angstrom
    for length, line in product(lengths_px, allowed[:10]):
        scale = line / length
        if known_inv_angstrom and abs(np.log(scale / known_inv_angstrom)) > 0.3:
            continue
        for _ in range(3):
            nearest = np.abs(lengths_px[:, None] * scale - allowed[None, :]).argmin(axis=1)
            off = lengths_px * scale / allowed[nearest] - 1
            good = np.abs(off) < 1.5 * _MATCH
            if not good.any():
                break
            scale = float(
                np.average(allowed[nearest[good]] / lengths_px[good], weights=weights[good])
            )
        if not good.any():
            continue
        spread = float(np.sqrt(np.average(off[good] ** 2, weights=weights[good])))
        within = allowed < 1.02 * scale * lengths_px.max()
        spacing = np.diff(np.log(allowed[within])) if within.sum() > 1 else np.array([1.0])
        chance = float(np.clip(2 * 1.5 * _MATCH / max(float(spacing.mean()), 1e-6), 0, 1))
        score = float(weights[good].sum() / weights.sum()) - chance - 8 * spread
        if best is None or score > best.score:
            error = max(spread / np.sqrt(good.sum()), 1e-3)
            best = RingMatch(scale, error, np.flatnonzero(good), nearest[good], score)
    return best
