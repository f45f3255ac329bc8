"""The shape of a beam stop, and the fit of its blurred shadow."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage, optimize, special

from crystalvision_simulate.microscope._blemishes import Noise
from crystalvision_simulate.microscope._image import Image, Mask, distances

Array = np.ndarray[Any, Any]
Numbers = np.ndarray[Any, np.dtype[np.float64]]

_MARGIN = 10  # pixels about a shape, by which it is fitted


@dataclass(frozen=True)
class Stop:
    """A beam stop on the picture [pixel].

    Attributes:
        x: Column of the middle of its disc.
        y: Row of it.
        radius: Of the disc.
        arm_width: Width of the arm; 0 for none.
        arm_angle_deg: Where the arm points to, from the x axis to the y axis [°].
        blur: Standard deviation of its edge; 0 where it could not be told.
    """

    x: float
    y: float
    radius: float
    arm_width: float = 0.0
    arm_angle_deg: float = 0.0
    blur: float = 0.0

    def depth(self, shape: tuple[int, int]) -> Image:
        """How far each pixel lies within its edge, negative outside [pixel], (h, w)."""
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        depth: Image = self.depth_at(rows, columns)
        return depth

    def depth_at(self, rows: Array, columns: Array) -> Array:
        """The same of some pixels, (n,)."""
        across_x, across_y = columns - self.x, rows - self.y
        depth = self.radius - np.hypot(across_x, across_y)
        if self.arm_width:
            angle = np.deg2rad(self.arm_angle_deg)
            along = across_x * np.cos(angle) + across_y * np.sin(angle)
            side = np.abs(across_y * np.cos(angle) - across_x * np.sin(angle))
            depth = np.maximum(depth, np.minimum(self.arm_width / 2 - side, along))
        return depth


def fit_stop(
    counts: Image,
    seen: Mask,
    centre: tuple[float, float],
    dark: Image,
    noise: Noise,
    full: float,
    guess: Stop,
    part: Mask,
) -> Stop:
    """The shape whose blurred shadow fits the pixels about it best."""
    about = ndimage.binary_dilation(part, iterations=_MARGIN) & seen
    outside = seen & ~ndimage.binary_dilation(part, iterations=2)
    halo, unseen = _halo(counts, outside, centre, full)
    level = np.maximum(halo, dark)
    weight = (1 / np.maximum(noise.sigma(level), 1e-9))[about]
    values, bright = (counts - dark)[about], (level - dark)[about]
    greatest = (full - dark)[about]
    rows, columns = np.nonzero(about)
    # Where pixels are full, how bright it is there is found with the edge.
    full_there = (unseen & (counts >= 0.9 * full))[about].any()
    within = unseen[about]

    def rest(numbers: Numbers) -> Numbers:
        stop = _of(numbers, guess)
        shade = 0.5 * special.erfc(stop.depth_at(rows, columns) / (np.sqrt(2) * stop.blur))
        there = bright * np.where(within, np.exp(numbers[-1]), 1) if full_there else bright
        seen_values = np.minimum(there * shade, greatest)
        return np.asarray((values - seen_values) * weight)

    about_beam = replace(guess, x=centre[0], y=centre[1], radius=max(2.0, guess.arm_width))
    fits = [_fitted(rest, start, boosted=full_there) for start in (guess, about_beam)]
    return _of(min(fits, key=lambda one: float(one.cost)).x, guess)


def _fitted(rest: Callable[[Numbers], Numbers], guess: Stop, *, boosted: bool) -> Any:
    """The least squares from one start; the last number is how much brighter full pixels are."""
    start = [guess.x, guess.y, guess.radius, 0.8]
    low = [guess.x - 12, guess.y - 12, 1.0, 0.2]
    high = [guess.x + 12, guess.y + 12, 3 * guess.radius + 5, 8.0]
    if guess.arm_width:
        start += [guess.arm_width, guess.arm_angle_deg]
        low += [1.0, guess.arm_angle_deg - 30]
        high += [3 * guess.arm_width + 5, guess.arm_angle_deg + 30]
    scale = [1.0, 1.0, 1.0, 0.5, 1.0, 1.0][: len(start)]
    if boosted:
        start, low, high, scale = [*start, 0.5], [*low, -1.0], [*high, 6.0], [*scale, 0.5]
    return optimize.least_squares(
        rest,
        np.clip(start, np.array(low) + 1e-6, np.array(high) - 1e-6),
        bounds=(low, high),
        loss="soft_l1",
        f_scale=2.0,
        x_scale=scale,
        diff_step=1e-3,
        max_nfev=40,
    )


def _halo(
    counts: Image, outside: Mask, centre: tuple[float, float], full: float
) -> tuple[Image, Mask]:
    """The median at each distance from the centre; nearer than was seen, as a power of it.

    Where pixels are full, it is taken for what was not seen.

    Returns:
        The level of each pixel, and which are nearer than was seen.
    """
    far = distances(counts.shape, centre)
    whole = np.rint(far).astype(int)
    profile = ndimage.median(counts, np.where(outside, whole, -1), np.arange(whole.max() + 1))
    number = np.bincount(whole[outside], minlength=whole.max() + 1)
    known = np.flatnonzero((number >= 6) & (profile < 0.9 * full))
    profile = np.interp(np.arange(len(profile)), known, profile[known])
    first = int(known[0])
    near = np.arange(first, min(first + 5, len(profile)))
    if first > 0 and (profile[near] > 0).all():
        power = float(np.polyfit(np.log(np.maximum(near, 1)), np.log(profile[near]), 1)[0])
        inner = np.maximum(np.arange(first), 1) / max(first, 1)
        profile[:first] = profile[first] * inner ** np.clip(power, -3, 0)
    return np.interp(far, np.arange(len(profile)), profile), far < first


def _of(numbers: Numbers, guess: Stop) -> Stop:
    x, y, radius, blur = (float(one) for one in numbers[:4])
    stop = replace(guess, x=x, y=y, radius=radius, blur=blur)
    if guess.arm_width:
        stop = replace(stop, arm_width=float(numbers[4]), arm_angle_deg=float(numbers[5]))
    return stop
