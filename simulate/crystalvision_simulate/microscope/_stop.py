"""Finds the beam stop: a disc or the end of a bar before the direct beam, and its arm."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage, optimize, special

from crystalvision_simulate.microscope._blemishes import Noise
from crystalvision_simulate.microscope._image import Image, Mask, distances, smoothed

_SMOOTH = 1.0  # pixels
_CLEAR = 5.0  # standard deviations
_LEAST_PIXELS = 20
_SAME = 0.7  # intersection over union, from which a shape is told by its numbers
_MARGIN = 10  # pixels about a shape, by which it is fitted
_BLACK = 0.08  # of what is expected


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
        across_x, across_y = columns - self.x, rows - self.y
        depth: Image = self.radius - np.hypot(across_x, across_y)
        if self.arm_width:
            angle = np.deg2rad(self.arm_angle_deg)
            along = across_x * np.cos(angle) + across_y * np.sin(angle)
            side = np.abs(across_y * np.cos(angle) - across_x * np.sin(angle))
            depth = np.maximum(depth, np.minimum(self.arm_width / 2 - side, along))
        return depth


def expected_background(
    image: Image, seen: Mask, centre: tuple[float, float]
) -> tuple[Image, Image]:
    """The background by distance from the centre, as if nothing stood before it.

    It is taken to fall with distance: within the stop, that of the brightest annulus outside.

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
    falling = np.maximum.accumulate(opened[::-1])[::-1]
    return falling, np.interp(far, np.arange(len(falling)), falling)


def find_stop(
    counts: Image, seen: Mask, centre: tuple[float, float], noise: Noise
) -> tuple[Mask, Stop | None]:
    """The pixels behind the beam stop, and other black ones, and the stop's numbers if it has any.

    Args:
        counts: The picture, (h, w).
        seen: Pixels that are no blemish, (h, w).
        centre: About where the direct beam is, x and y [pixel].
        noise: Its noise.
    """
    image = smoothed(counts, seen, _SMOOTH)
    profile, expected = expected_background(image, seen, centre)
    dark = _dark_level(image, centre)
    scatter = noise.sigma(expected) / (2 * np.sqrt(np.pi) * _SMOOTH)
    clear = expected - dark > _CLEAR * scatter
    nothing = np.zeros(counts.shape, dtype=bool)
    if dark > 0.5 * (profile[0] + noise.offset) or not clear.any():
        return nothing, None
    inside = clear & (image < dark + 0.5 * (expected - dark))
    labels, _ = ndimage.label(inside, np.ones((3, 3)))
    near = labels[distances(counts.shape, centre) < max(3.0, min(counts.shape) / 60)]
    found = np.bincount(near[near > 0], minlength=2)
    if found.max(initial=0) == 0:
        return nothing, None
    part = ndimage.binary_fill_holes(labels == int(found.argmax()))
    part = ndimage.binary_opening(part, iterations=1) | (part & _core(part))
    if part.sum() < _LEAST_PIXELS:
        return nothing, None
    black = _other_black(image, expected, dark, labels, int(found.argmax()), clear)
    stop = _fit(counts, seen & ~black, expected, dark, noise, _first_guess(part), part)
    shape = stop.depth(counts.shape) > 0
    both = (shape & part & clear).sum() / max(1, ((shape | part) & clear).sum())
    if both < _SAME:
        return part | black, None
    return shape | black, stop


def _dark_level(image: Image, centre: tuple[float, float]) -> float:
    """The level behind a stop: that of the darkest pixels about the centre."""
    near = distances(image.shape, centre) < max(3.0, min(image.shape) / 60)
    return float(np.quantile(image[near], 0.2)) if near.any() else float(image.min())


def _core(part: Mask) -> Mask:
    return np.asarray(ndimage.distance_transform_edt(part) > 1.0)


def _other_black(
    image: Image, expected: Image, dark: float, labels: Image, stop: int, clear: Mask
) -> Mask:
    """Black parts elsewhere, such as the edge of the screen, (h, w)."""
    black = np.zeros(image.shape, dtype=bool)
    sizes = np.bincount(labels.ravel().astype(int))
    for number in np.flatnonzero(sizes >= 2 * _LEAST_PIXELS):
        part = labels == number
        if number in (0, stop) or not clear[part].all():
            continue
        level = float(np.median((image[part] - dark) / (expected[part] - dark)))
        if level < _BLACK:
            black |= part
    return black


def _first_guess(part: Mask) -> Stop:
    """Disc and arm from the shape of the dark part: its largest circle, and what sticks out."""
    padded = np.pad(part, 1, mode="edge")
    depth = ndimage.distance_transform_edt(padded)[1:-1, 1:-1]
    rows, columns = np.nonzero(part)
    depths = depth[part]
    radius = float(depths.max())
    widest = depths >= radius - 0.5
    x, y = float(columns[widest].mean()), float(rows[widest].mean())
    if depths[widest].size > 4 * radius:  # a bar is as wide everywhere: its end is the disc
        away = np.array([columns.mean() - part.shape[1] / 2, rows.mean() - part.shape[0] / 2])
        end = int(np.argmin(columns * away[0] + rows * away[1]))
        offset = np.array([columns.mean() - columns[end], rows.mean() - rows[end]])
        offset *= radius / max(float(np.linalg.norm(offset)), 1e-9)
        x, y = float(columns[end] + offset[0]), float(rows[end] + offset[1])
    out = np.hypot(columns - x, rows - y) > radius + 2
    if out.sum() < 15:
        return Stop(x, y, radius)
    dx, dy = columns[out] - x, rows[out] - y
    angle = float(np.arctan2(dy.mean(), dx.mean()))
    along = dx * np.cos(angle) + dy * np.sin(angle)
    width = float(out.sum()) / max(1.0, float(along.max()) - radius)
    return Stop(x, y, radius, min(width, 2 * radius + 2), float(np.rad2deg(angle)))


def _fit(
    counts: Image,
    seen: Mask,
    expected: Image,
    dark: float,
    noise: Noise,
    guess: Stop,
    part: Mask,
) -> Stop:
    """The shape whose blurred shadow fits the pixels about it best."""
    about = ndimage.binary_dilation(part, iterations=_MARGIN) & seen
    local = smoothed(counts, seen & ~ndimage.binary_dilation(part, iterations=3), 4.0)
    level = np.where(local > dark, np.minimum(local, 2 * expected), expected)
    weight = (1 / np.maximum(noise.sigma(level), 1e-9))[about]
    values, bright = counts[about] - dark, (level - dark)[about]

    def misfit(numbers: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        stop = _of(numbers, guess)
        if stop.radius < 1 or stop.arm_width < 0 or not 0.05 < stop.blur < 10:
            return 1e300
        depth = stop.depth(counts.shape)[about]
        shade = 0.5 * special.erfc(depth / (np.sqrt(2) * stop.blur))
        rest = np.abs(values - bright * shade) * weight
        return float(np.where(rest < 3, rest**2, 6 * rest - 9).sum())

    start = [guess.x, guess.y, guess.radius, 0.8]
    steps = [1.0, 1.0, 1.0, 0.4]
    if guess.arm_width:
        start += [guess.arm_width, guess.arm_angle_deg]
        steps += [1.0, 3.0]
    simplex = np.vstack([start, *(np.array(start) + np.diag(steps))])
    found = optimize.minimize(
        misfit,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "maxfev": 600, "xatol": 0.01, "fatol": 0.5},
    )
    return _of(found.x, guess)


def _of(numbers: np.ndarray[tuple[int], np.dtype[np.float64]], guess: Stop) -> Stop:
    x, y, radius, blur = (float(one) for one in numbers[:4])
    stop = replace(guess, x=x, y=y, radius=radius, blur=blur)
    if len(numbers) == 6:
        stop = replace(stop, arm_width=float(numbers[4]), arm_angle_deg=float(numbers[5]))
    return stop
