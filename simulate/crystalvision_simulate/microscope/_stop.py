"""Finds the beam stop: a disc or the end of a bar before the direct beam, and its arm."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from crystalvision_simulate.microscope._blemishes import Noise
from crystalvision_simulate.microscope._image import Image, Mask, distances, smoothed
from crystalvision_simulate.microscope._stop_shape import Stop, fit_stop

Array = np.ndarray[Any, Any]
Numbers = np.ndarray[Any, np.dtype[np.float64]]
Profile = Float[np.ndarray, "_"]

_SMOOTH = 1.0  # pixels
_CLEAR = 5.0  # standard deviations
_LEAST_PIXELS = 20
_SAME = 0.8  # of the dark part is in a shape, and of the shape is dark, if the shape is right
_LEAST_STEP = 0.03  # of the range of a profile, at the edge of a stop
_EDGE = 1.5  # pixels
_WIDER = 0.04  # of the dark part
_BLACK = 0.08  # of what is expected


def expected_background(
    image: Image, seen: Mask, centre: tuple[float, float]
) -> tuple[Profile, Image]:
    """The background by distance from the centre, as if nothing stood before it.

    Where it is dark about the centre, it is that of the annulus about the dark part.

    Returns:
        That of each whole distance (n,), and of each pixel (h, w).
    """
    far = distances(image.shape, centre)
    whole = np.rint(far).astype(int)
    order = np.argsort(whole[seen], kind="stable")
    where, values = whole[seen][order], image[seen][order]
    starts = np.searchsorted(where, np.arange(whole.max() + 2))
    profile = np.full(whole.max() + 1, np.nan)
    for radius in range(len(profile)):
        part = values[starts[radius] : starts[radius + 1]]
        if len(part) >= 5:
            profile[radius] = np.quantile(part, 0.6)
    known = np.flatnonzero(np.isfinite(profile))
    profile = np.interp(np.arange(len(profile)), known, profile[known])
    window = 2 * max(4, min(image.shape) // 40) + 1
    opened = ndimage.grey_opening(profile, window)
    edge = _edge_of_dark(profile, max(4, window // 2))
    opened[:edge] = profile[edge]
    return opened, np.interp(far, np.arange(len(opened)), opened)


def _edge_of_dark(profile: Profile, rise: int) -> int:
    """Where the profile first reaches a level that it keeps: 0 where it falls from the start.

    Args:
        profile: By distance, (n,).
        rise: Over how many pixels the edge of a stop may rise.
    """
    # What flickers behind a wide stop is no edge.
    least = max(_LEAST_STEP * float(np.ptp(profile)), 1e-12)
    for start in range(len(profile) - rise):
        step = profile[start + rise] - profile[start]
        if step > max(0.5 * (profile[start + rise] - profile.min()), least):
            return int(start + np.argmax(profile[start : start + 2 * rise]))
    return 0


def find_stop(
    counts: Image,
    seen: Mask,
    centre: tuple[float, float],
    noise: Noise,
    full: float = float("inf"),
) -> tuple[Mask, Stop | None]:
    """The pixels behind the beam stop, and other black ones, and the stop's numbers if it has any.

    Args:
        counts: The picture, (h, w).
        seen: Pixels that are no blemish, (h, w).
        centre: About where the direct beam is, x and y [pixel].
        noise: Its noise.
        full: Where its pixels are full.
    """
    image = smoothed(counts, seen, _SMOOTH)
    profile, expected = expected_background(image, seen, centre)
    level = _dark_level(image, centre)
    if level > 0.5 * (profile[0] + noise.offset):
        return np.zeros(counts.shape, dtype=bool), None
    # What leaks behind the stop is in proportion to what is about it.
    leak = max(level - noise.offset, 0) / (profile[0] - noise.offset)
    dark = noise.offset + leak * np.maximum(expected - noise.offset, 0)
    scatter = noise.sigma(expected) / (2 * np.sqrt(np.pi) * _SMOOTH)
    clear = expected - dark > _CLEAR * scatter
    nothing = np.zeros(counts.shape, dtype=bool)
    inside = clear & (image < dark + 0.5 * (expected - dark))
    labels, _ = ndimage.label(inside, np.ones((3, 3)))
    near = labels[distances(counts.shape, centre) < max(3.0, min(counts.shape) / 60)]
    found = np.bincount(near[near > 0], minlength=2)
    if found.max(initial=0) == 0:
        return nothing, None
    part = ndimage.binary_fill_holes(labels == int(found.argmax()))
    if part.sum() < _LEAST_PIXELS:
        return nothing, None
    black = _other_black(image, expected, dark, labels, int(found.argmax()), clear)
    guess = _first_guess(part, centre)
    if not guess.arm_width:
        depth = np.where(clear & seen, (image - dark) / np.maximum(expected - dark, 1e-9), 1.0)
        guess = _with_arm(guess, depth)
        part |= (guess.depth(counts.shape) > 0) & clear
    stop = fit_stop(counts, seen & ~black, centre, dark, noise, full, guess, part)
    shape = stop.depth(counts.shape) > 0
    core = shape & clear & seen
    depth = (image[core] - dark[core]) / (expected[core] - dark[core])
    if (shape & part).sum() < _SAME * part.sum() or (depth < 0.6).mean() < _SAME:
        return part | black, None
    # A needle grows wider along its arm than the shape does.
    beside = part & (stop.depth(counts.shape) < -_EDGE)
    if beside.sum() > _WIDER * part.sum():
        shape |= part
    return shape | black, stop


def _dark_level(image: Image, centre: tuple[float, float]) -> float:
    """The level behind a stop: that of the darkest pixels about the centre."""
    near = distances(image.shape, centre) < max(3.0, min(image.shape) / 60)
    return float(np.quantile(image[near], 0.2)) if near.any() else float(image.min())


def _other_black(
    image: Image, expected: Image, dark: Image, labels: Array, stop: int, clear: Mask
) -> Mask:
    """Black parts elsewhere, such as the edge of the screen, (h, w)."""
    black = np.zeros(image.shape, dtype=bool)
    sizes = np.bincount(labels.ravel().astype(int))
    for number in np.flatnonzero(sizes >= 2 * _LEAST_PIXELS):
        part = labels == number
        if number in (0, stop) or not clear[part].all():
            continue
        level = float(np.median((image[part] - dark[part]) / (expected[part] - dark[part])))
        if level < _BLACK:
            black |= part
    return black


def _first_guess(part: Mask, centre: tuple[float, float]) -> Stop:
    """Disc and arm from the shape of the dark part: its largest circle, and what sticks out."""
    padded = np.pad(part, 1, mode="edge")
    depth = ndimage.distance_transform_edt(padded)[1:-1, 1:-1]
    rows, columns = np.nonzero(part)
    depths = depth[part]
    # A bar is as wide everywhere: its end at the direct beam is the disc.
    score = depths - 0.15 * np.hypot(columns - centre[0], rows - centre[1])
    disc = int(score.argmax())
    x, y, radius = float(columns[disc]), float(rows[disc]), float(depths[disc])
    out = np.hypot(columns - x, rows - y) > radius + 2
    if out.sum() < 15:
        return Stop(x, y, radius)
    dx, dy = columns[out] - x, rows[out] - y
    angle = float(np.arctan2(dy.mean(), dx.mean()))
    along = dx * np.cos(angle) + dy * np.sin(angle)
    width = float(out.sum()) / max(1.0, float(along.max()) - radius)
    return Stop(x, y, radius, min(width, 2 * radius + 2), float(np.rad2deg(angle)))


def _with_arm(disc: Stop, level: Image) -> Stop:
    """A disc with the arm that a narrow shadow shows, too thin to be dark; else as it is.

    Args:
        disc: Without an arm.
        level: The picture relative to what is expected there, (h, w).
    """
    far = distances(level.shape, (disc.x, disc.y))
    ring = (far > disc.radius + 4) & (far < disc.radius + 0.25 * min(level.shape))
    rows, columns = np.nonzero(ring)
    angle = np.rad2deg(np.arctan2(rows - disc.y, columns - disc.x)) % 360
    sector = np.floor(angle / 2).astype(int)
    number = np.bincount(sector, minlength=180)
    mean = np.bincount(sector, np.clip(level[ring], 0, 1.5), 180) / np.maximum(number, 1)
    mean = ndimage.gaussian_filter1d(np.where(number > 5, mean, 1.0), 1.0, mode="wrap")
    lowest, usual = int(mean.argmin()), float(np.median(mean))
    scatter = 1.4826 * float(np.median(np.abs(mean - usual)))
    if mean[lowest] > min(0.8 * usual, usual - 5 * scatter):
        return disc
    return replace(disc, arm_width=3.0, arm_angle_deg=(2.0 * lowest + 181) % 360 - 180)
