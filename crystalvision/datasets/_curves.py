"""Carries curves, such as powder patterns, from their own points onto the axis of another."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from crystalvision.contracts import Axis, MeasuredAxis

Curves = np.ndarray[Any, Any]

POWDER_AXES: dict[str, tuple[str, ...]] = {
    "two_theta": ("degree",),
    "q": ("1/angstrom", "1/nm"),
    "d": ("angstrom",),
}
"""Names of axes that a wavelength turns into one another, and units that they may have."""

_GAP = 4.0  # times the steps beside it: points so far apart have something unmeasured between them
_LEAST_COVER = 0.5  # of a step


def same_kind(data: MeasuredAxis, target: MeasuredAxis) -> bool:
    """Whether two axes have one name and one unit."""
    return (data.name, data.units) == (target.name, target.units)


def convertible(data: MeasuredAxis, target: MeasuredAxis) -> bool:
    """Whether points of an axis have a place on another, given wavelengths."""
    known = all(axis.units in POWDER_AXES.get(axis.name, ()) for axis in (data, target))
    return same_kind(data, target) or (known and target.name == "two_theta")


def positions_on(
    data: MeasuredAxis,
    target: Axis,
    data_wavelength_angstrom: float | None,
    target_wavelength_angstrom: float | None,
) -> Float[np.ndarray, "n"]:
    """Where the points of an axis lie on another [units of that], (n,); NaN for nowhere.

    By Bragg's law: 2θ of one wavelength, q = 4π sin θ / λ and d become 2θ of another wavelength.

    Args:
        data: The axis; `two_theta` [degree], `q` [1/angstrom or 1/nm], `d` [angstrom].
        target: The axis onto which points go: of the same kind, or `two_theta` [degree].
        data_wavelength_angstrom: Of the first, if that is `two_theta` [Å].
        target_wavelength_angstrom: Of the second [Å]; points stay where they are without both, or
            where the two are one.
    """
    values: Float[np.ndarray, "n"] = np.asarray(data.values(), dtype=np.float64)
    one, other = data_wavelength_angstrom, target_wavelength_angstrom
    if same_kind(data, target) and (None in {one, other} or one == other):
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        if data.name == "q":
            inverse = values / (2 * np.pi) / (10 if data.units == "1/nm" else 1)
        elif data.name == "d":
            inverse = 1 / values
        else:
            assert one is not None  # noqa: S101 - `match` refuses 2θ without a wavelength
            inverse = 2 * np.sin(np.deg2rad(values / 2)) / one
        assert other is not None  # noqa: S101 - a run over 2θ has one, or is refused
        sine = inverse * other / 2
        angle = np.rad2deg(2 * np.arcsin(np.where(np.abs(sine) < 1, sine, np.nan)))
    placed: Float[np.ndarray, "n"] = np.where(np.isfinite(angle), angle, np.nan)
    return placed


def median_step(positions: Float[np.ndarray, "n"]) -> float:
    """The usual distance of neighbouring points, which have places [units]."""
    known = np.sort(positions[np.isfinite(positions)])
    return float(np.median(np.diff(known))) if len(known) > 1 else float("nan")


def carry_curves(
    values: Curves, seen: Curves | None, positions: Float[np.ndarray, "n"], target: Axis
) -> tuple[Curves, Curves]:
    """Curves on another axis, float32 (..., m), and which of its points were measured, (..., m).

    A value is an intensity at its point. Each point of the target has the mean of the intensity
    over its step, times the number of points that were measured in a step of its length: so counts
    of evenly measured curves are conserved, and an uneven axis bends no peak. Between points, the
    running sum is a monotone cubic (Fritsch and Carlson 1980, SIAM J. Numer. Anal. 17, 238), which
    conserves sums and makes nothing negative. What was measured over less than half of a step is
    not seen, and 0.

    Args:
        values: What was measured, (..., n).
        seen: Which of it was measured, of a shape that broadcasts to it; `None` for all.
        positions: Where the points lie on the target's axis [its units], (n,); NaN for nowhere.
        target: The axis onto which they go, of m points.
    """
    rows = np.asarray(values, dtype=np.float64).reshape(-1, values.shape[-1])
    shape = (*values.shape[:-1], target.size)
    if seen is None:
        carried, reached = _carry(rows, np.isfinite(positions), positions, target)
        masks = np.broadcast_to(reached, carried.shape)
    else:
        known = np.broadcast_to(seen, values.shape).reshape(rows.shape) & np.isfinite(positions)
        carried = np.zeros((len(rows), target.size))
        masks = np.zeros((len(rows), target.size), dtype=bool)
        for row, (one, mask) in enumerate(zip(rows, known, strict=True)):
            carried[row : row + 1], masks[row] = _carry(one[None], mask, positions, target)
    return carried.astype(np.float32).reshape(shape), masks.reshape(shape)


def _carry(
    rows: Float[np.ndarray, "r n"],
    known: Bool[np.ndarray, "n"],
    positions: Float[np.ndarray, "n"],
    target: Axis,
) -> tuple[Float[np.ndarray, "r m"], Bool[np.ndarray, "m"]]:
    """Rows with one mask on another axis, and which of its points were measured."""
    placed = np.flatnonzero(np.isfinite(positions))
    placed = placed[np.argsort(positions[placed], kind="stable")]
    edges = target.offset + target.scale * (np.arange(target.size + 1) - 0.5)
    total, cover = np.zeros((len(rows), target.size)), np.zeros(target.size)
    step = median_step(positions)
    for run, low, high in _runs(positions[placed], known[placed]):
        knots = np.append(low, high[-1])
        heights = rows[:, placed[run]] * (high - low)
        sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(heights, axis=1)], axis=1)
        first = max(0, int(np.searchsorted(edges, knots[0], "right")) - 1)
        last = min(target.size, int(np.searchsorted(edges, knots[-1], "left")))
        if last <= first:
            continue
        ends = np.clip(edges[first : last + 1], knots[0], knots[-1])
        total[:, first:last] += np.diff(_between(knots, sums, ends), axis=1)
        cover[first:last] += np.diff(ends)
    reached = cover >= _LEAST_COVER * target.scale * (1 - 1e-6)
    mean = np.divide(total, cover, out=np.zeros_like(total), where=reached)
    return mean * (target.scale / step), reached


def _runs(
    positions: Float[np.ndarray, "n"], known: Bool[np.ndarray, "n"]
) -> list[tuple[slice, Float[np.ndarray, "k"], Float[np.ndarray, "k"]]]:
    """Points without a gap: which, and where the part of the axis that each stands for ends."""
    steps = np.diff(positions)
    if not len(steps):
        return []
    beside = np.minimum(np.append(steps[1:], np.inf), np.append(np.inf, steps[:-1]))
    gap = steps > _GAP * beside if len(steps) > 1 else np.zeros(1, dtype=bool)
    half = steps / 2
    right = np.append(np.where(gap, np.append(np.inf, half[:-1]), half), half[-1])
    left = np.append(half[0], np.where(gap, np.append(half[1:], np.inf), half))
    right, left = (np.where(np.isfinite(one), one, half.min()) for one in (right, left))
    low, high = positions - left, positions + right
    broken = gap | ~known[1:] | ~known[:-1]
    starts = np.flatnonzero(known & np.append(True, broken))
    ends = np.flatnonzero(known & np.append(broken, True)) + 1
    return [
        (slice(start, end), low[start:end], high[start:end])
        for start, end in zip(starts, ends, strict=True)
    ]


def _between(
    knots: Float[np.ndarray, "k"], sums: Float[np.ndarray, "r k"], at: Float[np.ndarray, "p"]
) -> Float[np.ndarray, "r p"]:
    from scipy.interpolate import PchipInterpolator

    found: Float[np.ndarray, "r p"] = PchipInterpolator(knots, sums, axis=1)(at)
    return found
