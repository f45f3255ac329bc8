"""Finds the crystal, its zone and its rotation that explain the spots of a pattern best."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from crystalvision.contracts import Crystal
from crystalvision_simulate.indexing._spots import PatternSpots
from crystalvision_simulate.indexing._zones import Zone, zones_of

_PAIRED = 7  # of the shortest spots: pairs of them are looked up
_ANGLE = np.deg2rad(3.0)
_STRANGE = 0.1  # share of spots that need not be the crystal's
_OFF = 0.006  # of |g|: how far a spot may lie off, beside what its place is known to
_SURE = 3.0  # standard deviations within which a spot is called explained
_TRIED = 40  # rotations of one zone that are looked at closely
_STEPS = 4

Visible = Callable[[Float[np.ndarray, "n 2"]], Bool[np.ndarray, "n"]]


@dataclass(frozen=True, eq=False)
class Indexed:
    """One explanation of a pattern.

    Attributes:
        name: The candidate.
        zone_axis: [uvw] along the beam.
        score: How much likelier its spots are than by chance, nats a spot.
        explained: How many spots lie where a reflection does.
        spots: How many there are.
        scale: By what the size of a pixel has to be multiplied.
        rotation_deg: Of the zone's shortest reflection, from the x axis to the y axis [°].
        hkl: What each spot is, (n, 3); 0 0 0 for those that are not explained.
        calculated: Where the zone's reflections lie on the pattern (x, y) [1/Å], (m, 2).
        calculated_hkl: Their indices, (m, 3).
        misfit_inv_angstrom: How far explained spots lie off, root mean square [1/Å].
    """

    name: str
    zone_axis: tuple[int, int, int]
    score: float
    explained: int
    spots: int
    scale: float
    rotation_deg: float
    hkl: Int[np.ndarray, "n 3"]
    calculated: Float[np.ndarray, "m 2"]
    calculated_hkl: Int[np.ndarray, "m 3"]
    misfit_inv_angstrom: float


def index_spots(
    pattern: PatternSpots,
    candidates: Mapping[str, Crystal],
    *,
    tolerance: float = 0.03,
    greatest_index: int = 4,
    advance: Callable[[int], object] = lambda _count: None,
) -> list[Indexed]:
    """Explanations of the spots of a pattern by candidates, the best of each zone, best first.

    Pairs of the shortest spots are compared with pairs of reflections by their lengths and the
    angle between them; each that agrees gives a rotation, which is refined with the scale by all
    spots that lie near a reflection. The score is the logarithm of how much likelier all spots are
    if they lie about the zone's reflections, as strong ones more often than weak ones, than if they
    lay anywhere: a crystal with reflections everywhere explains everything, and scores little. The
    further the scale is from the stated one, the less it scores.

    Args:
        pattern: Where the spots are.
        candidates: Crystals by name.
        tolerance: By what share the size of a pixel may be wrong at most.
        greatest_index: Of the zone axes that are tried.
        advance: Told of each candidate that is done.
    """
    found = []
    for name, crystal in candidates.items():
        for zone in zones_of(crystal, pattern.reach_inv_angstrom, greatest_index):
            best = _best(pattern, name, zone, tolerance)
            if best is not None:
                found.append(best)
        advance(1)
    return sorted(found, key=lambda one: -one.score)


def _best(pattern: PatternSpots, name: str, zone: Zone, tolerance: float) -> Indexed | None:
    """The best way in which a zone lies on a pattern; `None` where it explains no spot."""
    best: Indexed | None = None
    for mirror in (1.0, -1.0):  # seen from the other side
        g = zone.g * np.array([1.0, mirror])
        for turn in _turns(pattern.g, g, tolerance):
            one = _scored(pattern, name, zone, g, turn, tolerance)
            if one.explained and (best is None or one.score > best.score):
                best = one
    return best


def _turns(
    spots: Float[np.ndarray, "n 2"], g: Float[np.ndarray, "m 2"], tolerance: float
) -> list[float]:
    """Rotations that bring two reflections onto two spots, of those that are about the same one."""
    length, angle = np.hypot(*g.T), np.arctan2(g[:, 1], g[:, 0])
    far, azimuth = np.hypot(*spots.T), np.arctan2(spots[:, 1], spots[:, 0])
    near = np.argsort(far, kind="stable")[:_PAIRED]
    found = []
    for a, b in combinations(near.tolist(), 2):
        between = _turned(azimuth[b] - azimuth[a])
        if abs(np.sin(between)) < 0.1:
            continue
        first = np.flatnonzero(np.abs(length / far[a] - 1) < tolerance)
        second = np.flatnonzero(np.abs(length / far[b] - 1) < tolerance)
        off = _turned(angle[second][None, :] - angle[first][:, None] - between)
        one, other = np.nonzero(np.abs(off) < _ANGLE)
        # Both must be longer, or shorter, by the same.
        ratio = length[first[one]] / far[a] / (length[second[other]] / far[b])
        agree = np.abs(ratio - 1) < 0.4 * tolerance
        found += (azimuth[a] - angle[first[one[agree]]] - off[one, other][agree] / 2).tolist()
    return _grouped(np.array(found))


def _grouped(angles: Float[np.ndarray, "k"]) -> list[float]:
    """Angles without those that are about the same, the most frequent first."""
    left = _turned(angles)
    groups: list[float] = []
    while len(left) and len(groups) < _TRIED:
        near = np.abs(_turned(left[:, None] - left[None, :])) < _ANGLE / 2
        most = near[int(near.sum(axis=1).argmax())]
        middle = left[most][0] + float(_turned(left[most] - left[most][0]).mean())
        groups.append(float(middle))
        left = left[~most]
    return groups


def _turned(angle: Float[np.ndarray, "*s"]) -> Float[np.ndarray, "*s"]:
    """Angles between −π and π."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _scored(
    pattern: PatternSpots,
    name: str,
    zone: Zone,
    g: Float[np.ndarray, "m 2"],
    turn: float,
    tolerance: float,
) -> Indexed:
    """Refine rotation and scale, and score."""
    spots, scale = pattern.g, 1.0
    sigma = np.hypot(pattern.error_inv_angstrom, _OFF * np.hypot(*spots.T))
    for step in range(_STEPS):
        placed = _rotated(g, turn) * scale
        nearest, distance = _nearest(spots, placed)
        good = distance < sigma * (8.0 if step == 0 else 4.0)
        if good.sum() < 2:
            break
        # The similarity of least squares, as one complex factor.
        here, there = (each @ np.array([1, 1j]) for each in (spots[good], g[nearest[good]]))
        weight = 1 / sigma[good] ** 2
        factor = (weight * here * there.conj()).sum() / (weight * np.abs(there) ** 2).sum()
        turn = float(np.angle(factor))
        scale = float(np.clip(np.abs(factor), 1 - tolerance, 1 + tolerance))
    placed = _rotated(g, turn) * scale
    seen = pattern.visible(placed)
    nearest, distance = _nearest(spots, np.where(seen[:, None], placed, np.inf))
    explained = distance < _SURE * sigma
    weight = np.where(seen, zone.weight, 0)
    likely = weight[nearest] / max(weight.sum(), 1e-12)
    density = likely * np.exp(-0.5 * (distance / sigma) ** 2) / (2 * np.pi * sigma**2)
    score = np.log((1 - _STRANGE) * pattern.area_inv_angstrom2 * density + _STRANGE).mean()
    # A size that is wrong by all of the tolerance is three standard deviations off.
    score -= 0.5 * (3 * (scale - 1) / tolerance) ** 2 / len(spots)
    return Indexed(
        name=name,
        zone_axis=zone.axis,
        score=float(score),
        explained=int(explained.sum()),
        spots=len(spots),
        scale=1 / scale,
        rotation_deg=float(np.rad2deg(turn)),
        hkl=np.where(explained[:, None], zone.hkl[nearest], 0),
        calculated=placed[seen],
        calculated_hkl=zone.hkl[seen],
        misfit_inv_angstrom=float(np.sqrt(np.mean(distance[explained] ** 2)))
        if explained.any()
        else float("nan"),
    )


def _rotated(g: Float[np.ndarray, "m 2"], turn: float) -> Float[np.ndarray, "m 2"]:
    cosine, sine = np.cos(turn), np.sin(turn)
    turned: Float[np.ndarray, "m 2"] = g @ np.array([[cosine, sine], [-sine, cosine]])
    return turned


def _nearest(
    spots: Float[np.ndarray, "n 2"], placed: Float[np.ndarray, "m 2"]
) -> tuple[Int[np.ndarray, "n"], Float[np.ndarray, "n"]]:
    far = np.linalg.norm(spots[:, None] - placed[None, :], axis=2)
    nearest = far.argmin(axis=1)
    return nearest, far[np.arange(len(spots)), nearest]
