"""Compares radii of rings, and distances of spots, with those of a known crystal."""

from dataclasses import dataclass, replace
from itertools import product

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


@dataclass(frozen=True, eq=False)
class Lines:
    """The rings that a crystal may have.

    Attributes:
        length_inv_angstrom: |g| of each, ascending [1/Å], (n,).
        strength: Its intensity as a ring of electrons, over that of the strongest, (n,).
        names: Indices of its strongest reflection.
        texture: [uvw] along the beam in all crystals of a film; `None` for a powder.
    """

    length_inv_angstrom: Float[np.ndarray, "n"]
    strength: Float[np.ndarray, "n"]
    names: tuple[str, ...]
    texture: tuple[int, int, int] | None = None


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


def lines_of(
    crystal: Crystal, reach_inv_angstrom: float, texture: tuple[int, int, int] | None = None
) -> Lines | None:
    """The rings of a powder of a crystal for electrons, or of a film with [uvw] along the beam.

    Returns:
        The rings; `None` where there is none.
    """
    found = reflections(
        crystal,
        reach_inv_angstrom,
        displacement_rms_angstrom=_THERMAL,
        scattering_factor=electron_scattering_factor,
    )
    # The ring of a reflection is spread over its circumference, and met by a crystal in as many
    # directions as its sphere is large: intensity per pixel goes with F² / |g|².
    inside = np.ones(len(found.hkl), bool) if texture is None else found.hkl @ texture == 0
    if not inside.any():
        return None
    found = found.where(inside)
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
        texture,
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
