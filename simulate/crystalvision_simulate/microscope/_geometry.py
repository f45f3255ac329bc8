"""Where a pattern lies on the picture: its centre and its elliptical distortion."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from crystalvision_simulate.microscope._image import Image, Map, Mask, inversion_symmetry

_HIGH_PASS = 1 / 40  # of the picture
_INNER = 0.05  # of the picture: the direct beam is not nearer to its edge

Points = Float[np.ndarray, "n 2"]


@dataclass(frozen=True)
class Geometry:
    """Centre and distortion.

    Attributes:
        x: Column of the direct beam [pixel].
        y: Row of it.
        ellipticity: By how much the long axis of a ring exceeds the short one, relative to that.
        ellipticity_angle_deg: Direction of the long axis, from the x axis to the y axis [°].
    """

    x: float
    y: float
    ellipticity: float = 0.0
    ellipticity_angle_deg: float = 0.0

    @property
    def centre(self) -> tuple[float, float]:
        """Column and row of the direct beam [pixel]."""
        return self.x, self.y

    @property
    def undistorting(self) -> Float[np.ndarray, "2 2"]:
        """What brings vectors (x, y) from the centre back to where they should be."""
        angle = np.deg2rad(self.ellipticity_angle_deg)
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        stretch = np.sqrt(1 + self.ellipticity)
        matrix: Float[np.ndarray, "2 2"] = (
            np.outer(along, along) / stretch + np.outer(across, across) * stretch
        )
        return matrix

    def vectors(self, points: Points) -> Points:
        """Vectors from the centre to points (x, y), without the distortion [pixel], (n, 2)."""
        straight: Points = (points - np.array(self.centre)) @ self.undistorting
        return straight

    def points(self, vectors: Points) -> Points:
        """Where vectors without distortion end on the picture (x, y) [pixel], (n, 2)."""
        ends: Points = vectors @ np.linalg.inv(self.undistorting) + np.array(self.centre)
        return ends

    def polar(self, shape: tuple[int, int]) -> tuple[Image, Image]:
        """Undistorted distance [pixel] and azimuth on the picture [radian] of every pixel."""
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        points = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
        offset = points - np.array(self.centre)
        far = np.linalg.norm(self.vectors(points), axis=1)
        return far.reshape(shape), np.arctan2(offset[:, 1], offset[:, 0]).reshape(shape)

    @classmethod
    def distorted(cls, x: float, y: float, matrix: Float[np.ndarray, "2 2"]) -> "Geometry":
        """With the distortion of a symmetric matrix from true to seen vectors, of any area."""
        values, axes = np.linalg.eigh(matrix)
        angle = float(np.rad2deg(np.arctan2(axes[1, 1], axes[0, 1]))) % 180
        return cls(x, y, float(values[1] / values[0] - 1), angle)


def symmetry_map(level: Image, seen: Mask) -> Map:
    """How symmetric the picture is about each of its pixels and half pixels, (2h-1, 2w-1).

    Of the picture on a logarithmic scale, the halo with it, and of its fine parts alone.
    """
    from scipy import ndimage

    from crystalvision_simulate.microscope._image import smoothed

    sigma = max(3.0, min(level.shape) * _HIGH_PASS)
    fine = level - smoothed(level, seen, sigma)
    whole: Map = inversion_symmetry(level, seen) + inversion_symmetry(
        ndimage.gaussian_filter(fine, 0.7), seen
    )
    edges = [max(1, round(2 * size * _INNER)) for size in level.shape]
    whole[: edges[0]] = whole[-edges[0] :] = -2
    whole[:, : edges[1]] = whole[:, -edges[1] :] = -2
    return whole


def most_symmetric(symmetry: Map) -> tuple[float, float]:
    """The centre (x, y) of most symmetry [pixel]."""
    row, column = np.unravel_index(int(symmetry.argmax()), symmetry.shape)
    return float(column) / 2, float(row) / 2


def symmetry_at(symmetry: Map, points: Points) -> Float[np.ndarray, "n"]:
    """The symmetry about points (x, y), the best within a pixel; -2 outside the picture, (n,)."""
    from scipy import ndimage

    best = ndimage.maximum_filter(symmetry, 5)
    places = np.rint(2 * points[:, ::-1]).astype(int)
    inside = ((places >= 0) & (places < symmetry.shape)).all(axis=1)
    found: Float[np.ndarray, "n"] = np.full(len(points), -2.0)
    found[inside] = best[tuple(places[inside].T)]
    return found
