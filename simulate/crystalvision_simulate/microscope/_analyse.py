"""What one picture tells of the microscope, before the crystal is asked."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from crystalvision.errors import InputError
from crystalvision_simulate.microscope._blemishes import (
    LEAST_GAIN,
    Blemishes,
    Noise,
    find_blemishes,
    noise_of,
)
from crystalvision_simulate.microscope._geometry import (
    Geometry,
    Points,
    most_symmetric,
    symmetry_at,
    symmetry_map,
)
from crystalvision_simulate.microscope._image import Image, Map, Mask, Measured, binned
from crystalvision_simulate.microscope._mates import lattice_of_mates
from crystalvision_simulate.microscope._rings import Rings, find_rings
from crystalvision_simulate.microscope._spots import Lattice, Spots, find_lattice, find_spots
from crystalvision_simulate.microscope._stop import find_stop
from crystalvision_simulate.microscope._stop_shape import Stop

_LEAST_SIDE = 32
_MOST_PIXELS = 1024  # along a side: of more, several are taken as one
_GOOD_CENTRE = 0.4  # pixels, of pictures of
_SIDE = 256  # pixels: rings whose centre is less certain are none
_SURE_RINGS = 4
_NEAR_BEST = 0.12  # of the symmetry: centres that are as likely


@dataclass(frozen=True, eq=False)
class Analysed:
    """One picture.

    Attributes:
        measured: The picture, without its gamma, of fewer pixels if it has very many.
        factor: Pixels of the picture along a side of one here; all that follows is in those here,
            but for `blemishes`.
        gamma: Of the picture as it was; 1 for counts.
        noise: Its noise.
        blemishes: Bad pixels, and what was written on it.
        hidden: All pixels that show nothing of the pattern, (h, w).
        stop: The beam stop; `None` for none, or one of another shape.
        rings: Rings; `None` for none.
        spots: Spots.
        lattice: Their lattice; `None` for none.
        geometry: Centre and, of rings, the ellipse.
        others: Other places (x, y) that may be the centre as well, the most likely first, (n, 2).
        centre_error_px: About by how much the centre may be off, if it is the right one [pixel].
    """

    measured: Measured
    factor: int
    gamma: float
    noise: Noise
    blemishes: Blemishes
    hidden: Mask
    stop: Stop | None
    rings: Rings | None
    spots: Spots
    lattice: Lattice | None
    geometry: Geometry
    others: Points
    centre_error_px: float

    def on_picture(self, place: float) -> float:
        """A column or row here as one of the picture [pixel]."""
        return (place + 0.5) * self.factor - 0.5

    @property
    def seen(self) -> Mask:
        """What shows the pattern, (h, w)."""
        return ~self.hidden


def analyse(measured: Measured, about: tuple[float, float] | None = None) -> Analysed:
    """Find what a picture shows.

    Args:
        measured: The picture.
        about: Where the direct beam is, about, as the user or other pictures of the camera say:
            column and row of the picture [pixel].

    Raises:
        InputError: It is too small, or shows nothing.
    """
    counts = measured.counts
    if min(counts.shape) < _LEAST_SIDE:
        raise InputError(
            f"{measured.name}: a picture of {counts.shape[0]}×{counts.shape[1]} pixels; expected "
            f"at least {_LEAST_SIDE} along a side"
        )
    if not np.ptp(counts) > 0:
        raise InputError(f"{measured.name}: all pixels are {counts.flat[0]:g}; it shows no pattern")
    measured, blemishes, noise, gamma = find_blemishes(measured)
    factor = -(-max(counts.shape) // _MOST_PIXELS)
    measured, flaws = binned(measured, blemishes.hidden, factor)
    counts = measured.counts
    if about is not None:
        about = ((about[0] + 0.5) / factor - 0.5, (about[1] + 0.5) / factor - 0.5)
    if factor > 1:
        noise = noise_of(counts, flaws)
    bright = _logarithm(counts, noise)
    hidden, stop = flaws, None
    centre = most_symmetric(symmetry_map(bright, ~hidden)) if about is None else about
    for _ in range(2):
        dark, stop = find_stop(counts, ~flaws, centre, noise, measured.full)
        hidden = flaws | dark
        symmetry = symmetry_map(bright, ~_wider(hidden, dark))
        centre = most_symmetric(symmetry) if about is None else about
    level = _equal_noise(counts, noise)
    seen = ~_wider(hidden, dark)
    rings = find_rings(level, seen, Geometry(*centre))
    if rings is not None and not _plausible(rings, counts.shape):
        rings = None
    spots = find_spots(level if rings is None else _without(rings, level), seen)
    lattice = find_lattice(spots)
    if lattice is None and rings is None:
        lattice = lattice_of_mates(spots, centre)
    if rings is not None and lattice is not None and _only_spots(rings, spots, lattice):
        rings = None
    geometry, others, error = _centre(rings, spots, lattice, symmetry, stop, hidden, centre, about)
    return Analysed(
        measured,
        factor,
        gamma,
        noise,
        blemishes,
        hidden,
        stop,
        rings,
        spots,
        lattice,
        geometry,
        others,
        error,
    )


def _wider(hidden: Mask, dark: Mask) -> Mask:
    """The hidden pixels, and those at the edge of the stop, which see half."""
    from scipy import ndimage

    wide: Mask = hidden | ndimage.binary_dilation(dark, iterations=3)
    return wide


def _logarithm(counts: Image, noise: Noise) -> Image:
    """Counts on a logarithmic scale, linear below their noise."""
    above = counts - noise.offset
    scale = max(float(np.sqrt(noise.floor)), noise.gain, 1e-9 * float(np.ptp(counts)))
    return np.log1p(np.maximum(above, 0) / scale)


def _equal_noise(counts: Image, noise: Noise) -> Image:
    """Counts on a scale on which they scatter alike: 2 √(electrons + ...) (Anscombe).

    Where noise does not tell the gain, as in a video that was packed, it is taken for one.
    """
    gain = noise.gain if noise.gain > LEAST_GAIN else 1.0
    electrons = (counts - noise.offset) / gain + 3 / 8 + noise.floor / gain**2
    return 2 * np.sqrt(np.maximum(electrons, 0))


def _plausible(rings: Rings, shape: tuple[int, int]) -> bool:
    geometry = rings.geometry
    inside = -0.2 * shape[1] < geometry.x < 1.2 * shape[1]
    inside &= -0.2 * shape[0] < geometry.y < 1.2 * shape[0]
    inside &= rings.error_px <= _GOOD_CENTRE * max(1.0, min(shape) / _SIDE)
    return inside and geometry.ellipticity < 0.15 and len(rings.radii_px) >= 2


def _only_spots(rings: Rings, spots: Spots, lattice: Lattice) -> bool:
    """Whether a lattice tells nearly all there is, and what passed for rings is its halo."""
    members = len(lattice.members)
    return len(rings.radii_px) < _SURE_RINGS and members >= 10 and members > 0.8 * len(spots)


def _without(rings: Rings, level: Image) -> Image:
    """The picture less what is the same all around."""
    far, _ = rings.geometry.polar(level.shape)
    rest: Image = level - np.interp(far, np.arange(len(rings.profile)), rings.profile)
    return rest


def _centre(
    rings: Rings | None,
    spots: Spots,
    lattice: Lattice | None,
    symmetry: Map,
    stop: Stop | None,
    hidden: Mask,
    centre: tuple[float, float],
    about: tuple[float, float] | None,
) -> tuple[Geometry, Points, float]:
    """The centre, others that it may be, and how far it may be off."""
    nothing = np.zeros((0, 2))
    if rings is not None:
        return rings.geometry, nothing, max(rings.error_px, 0.02)
    if lattice is not None:
        points = _lattice_points(lattice, hidden.shape)
        error = max(0.05, lattice.scatter_px / np.sqrt(max(1, len(lattice.members) - 3)))
    else:
        points, error = spots.points, 0.3
    if stop is not None and lattice is not None:
        behind = stop.depth(hidden.shape)
        places = np.rint(points).astype(int)
        points = points[behind[places[:, 1], places[:, 0]] > -2.0]
    if not len(points) or (lattice is None and stop is not None):
        return Geometry(*centre), nothing, 1.5
    if about is not None:
        score = -np.linalg.norm(points - np.array(about), axis=1)
        return Geometry(*points[int(score.argmax())]), nothing, error
    score = symmetry_at(symmetry, points) + _brightness(points, spots, lattice)
    order = np.argsort(-score, kind="stable")
    likely = order[1:][score[order[1:]] > score[order[0]] - _NEAR_BEST]
    return Geometry(*points[order[0]]), points[likely], error


def _brightness(points: Points, spots: Spots, lattice: Lattice | None) -> Float[np.ndarray, "n"]:
    """What speaks for a spot that is seen: the direct beam is the brightest more often than not."""
    if lattice is None:
        alone: Float[np.ndarray, "n"] = 0.6 * spots.strength / spots.strength.max()
        return alone
    found = np.zeros(len(points))
    for point, strength in zip(spots.points, spots.strength, strict=True):
        near = np.linalg.norm(points - point, axis=1) < 0.2 * np.linalg.norm(lattice.basis[0])
        found[near] = 0.6 * strength / spots.strength.max()
    return found


def _lattice_points(lattice: Lattice, shape: tuple[int, int]) -> Points:
    """All points of a lattice on the picture, (n, 2)."""
    corners = np.array([[0, 0], [shape[1], 0], [0, shape[0]], [shape[1], shape[0]]], dtype=float)
    places = (corners - lattice.origin) @ np.linalg.inv(lattice.basis)
    low, high = np.floor(places.min(axis=0)).astype(int), np.ceil(places.max(axis=0)).astype(int)
    grid = np.stack(
        np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1)), axis=-1
    ).reshape(-1, 2)
    points = grid @ lattice.basis + lattice.origin
    inside = (points >= 0).all(axis=1) & (points < np.array(shape[::-1]) - 1).all(axis=1)
    kept: Points = points[inside]
    return kept
