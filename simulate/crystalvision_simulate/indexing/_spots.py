"""The spots of a pattern as vectors of reciprocal space."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from crystalvision.errors import InputError
from crystalvision_simulate.microscope import Analysed, Measured, analyse

_LEAST = 4
_MOST = 80  # the strongest: more are noise, or another crystal's
_BEAM = 4.0  # widths of a spot about the direct beam that are none


@dataclass(frozen=True, eq=False)
class PatternSpots:
    """Spots.

    Attributes:
        g: Vectors from the direct beam (x, y) [1/Å], (n, 2).
        error_inv_angstrom: Standard deviation of a place [1/Å].
        reach_inv_angstrom: How far spots could be seen [1/Å].
        seen: What of the picture was seen, (h, w); `None` where all within the reach was.
        centre: Column and row of the direct beam [pixel].
        pixel_size_inv_angstrom: Side of a pixel [1/Å].
        undistorting: From vectors on the picture to true ones, (2, 2).
    """

    g: Float[np.ndarray, "n 2"]
    error_inv_angstrom: float
    reach_inv_angstrom: float
    seen: Bool[np.ndarray, "h w"] | None = None
    centre: tuple[float, float] = (0.0, 0.0)
    pixel_size_inv_angstrom: float = 1.0
    undistorting: Float[np.ndarray, "2 2"] | None = None

    @property
    def area_inv_angstrom2(self) -> float:
        """The area in which spots could be seen [1/Å²]."""
        if self.seen is None:
            return float(np.pi * self.reach_inv_angstrom**2)
        return float(self.seen.sum()) * self.pixel_size_inv_angstrom**2

    def points(self, g: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, "m 2"]:
        """Where vectors end on the picture (x, y) [pixel], (m, 2)."""
        bent = g if self.undistorting is None else g @ np.linalg.inv(self.undistorting)
        ends: Float[np.ndarray, "m 2"] = bent / self.pixel_size_inv_angstrom + np.array(self.centre)
        return ends

    def visible(self, g: Float[np.ndarray, "m 2"]) -> Bool[np.ndarray, "m"]:
        """Whether spots there would be seen, (m,)."""
        if self.seen is None:
            near: Bool[np.ndarray, "m"] = np.hypot(*g.T) < self.reach_inv_angstrom
            return near
        places = np.rint(self.points(g)).astype(int)[:, ::-1]
        inside = ((places >= 0) & (places < self.seen.shape)).all(axis=1)
        found = np.zeros(len(g), dtype=bool)
        found[inside] = self.seen[tuple(places[inside].T)]
        return found


def spots_of_picture(
    measured: Measured, about: tuple[float, float] | None = None
) -> tuple[PatternSpots, Analysed]:
    """Find the spots of a picture whose pixels are known, and what else it shows.

    Args:
        measured: The picture, with the size of its pixels.
        about: Where the direct beam is, about (x, y) [pixel]; by default it is looked for.

    Raises:
        InputError: The size of its pixels is not known, or it shows too few spots.
    """
    if measured.pixel_size_inv_angstrom is None:
        raise InputError(
            f"{measured.name}: states no size of a pixel in 1/Å; give it by --pixel-size, or find "
            "it: crystalvision calibrate"
        )
    found = analyse(measured, about)
    size = found.measured.pixel_size_inv_angstrom
    assert size is not None  # noqa: S101 - that of the picture, which is known
    vectors = found.geometry.vectors(found.spots.points)
    far = np.linalg.norm(vectors, axis=1)
    chosen = vectors[far > _BEAM * found.spots.sigma_px][:_MOST]
    if len(chosen) < _LEAST:
        raise InputError(
            f"{measured.name}: shows {len(chosen)} spots beside the direct beam; it takes at least "
            f"{_LEAST} to tell a zone"
        )
    radius, _ = found.geometry.polar(found.hidden.shape)
    error = max(0.5, found.spots.sigma_px / 3, found.centre_error_px) * size
    return PatternSpots(
        g=chosen * size,
        error_inv_angstrom=error,
        reach_inv_angstrom=float(radius.max()) * size,
        seen=found.seen,
        centre=found.geometry.centre,
        pixel_size_inv_angstrom=size,
        undistorting=found.geometry.undistorting,
    ), found
