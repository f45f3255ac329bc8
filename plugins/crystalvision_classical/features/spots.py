"""Where the spots of a pattern lie."""

import numpy as np
from jaxtyping import Float
from pydantic import PositiveFloat, PositiveInt

from crystalvision.contracts import Features

_PAIR = 3.0  # pixels by which a spot may miss the place opposite to another
_COLLINEAR = 0.15  # sine of the angle of two spots on one line with the direct beam
_ANGLES = 18  # bins of 10° for angles between spots


class SpotPositions(Features):
    """Positions of the spots nearest to the direct beam, whatever the rotation about it.

    A spot is a local maximum, placed by the centroid of its 3 × 3 pixels. The direct beam is put
    where most pairs of opposite spots have their middle. Of the nearest spots are given: distances
    [pixels], distances over the shortest, the two shortest that span the net with their angle, as
    a pattern is indexed by hand, and how many angles between them fall into each 10°.

    Args:
        image_shape: Shape (c, h, w) of the images.
        centre: Row and column of the direct beam [pixels], as calibrated.
        spots: How many of the nearest are taken.
        least: Standard deviations of the image by which a spot is above its mean.
        separation_px: Least distance of two spots [pixels].
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        centre: tuple[float, float],
        spots: PositiveInt = 16,
        least: PositiveFloat = 1.5,
        separation_px: PositiveInt = 3,
    ) -> None:
        self._centre = np.array(centre)
        self._spots, self._least, self._separation = spots, least, separation_px
        self._most = float(np.hypot(*image_shape[1:]))

    def __call__(self, images: Float[np.ndarray, "b c h w"]) -> Float[np.ndarray, "b f"]:
        """Images (b, c, h, w) → what is said of the spots of each channel, (b, f)."""
        planes = images.reshape(-1, *images.shape[2:])
        described = np.stack([self._describe(plane) for plane in planes])
        return described.reshape(len(images), -1)

    def _describe(self, plane: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "f"]:
        vectors = self._nearest(self.find(plane))
        lengths = np.hypot(*vectors.T)
        known = np.full(self._spots, self._most)  # what is not there is far away
        known[: len(lengths)] = lengths
        net, angles = _net(vectors), np.zeros(_ANGLES)
        if len(vectors) > 1:
            turns = np.arctan2(vectors[:, 0], vectors[:, 1])
            first, second = np.triu_indices(len(turns), k=1)
            apart = np.mod(turns[first] - turns[second], np.pi) / np.pi
            bins = np.minimum((apart * _ANGLES).astype(np.intp), _ANGLES - 1)
            angles = np.bincount(bins, minlength=_ANGLES) / len(bins)
        return np.concatenate([known, known / known[0], net, angles, [len(lengths)]])

    def find(self, plane: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "n 2"]:
        """Row and column of each spot of an image (h, w), (n, 2) [pixels], the brightest first."""
        from scipy.ndimage import maximum_filter

        values = plane.astype(np.float64)
        deviation = float(values.std())
        if not deviation:
            return np.empty((0, 2))
        highest = maximum_filter(values, size=2 * self._separation + 1, mode="nearest")
        peaks = (values == highest) & (values > values.mean() + self._least * deviation)
        peaks[[0, -1]] = False
        peaks[:, [0, -1]] = False
        rows, columns = np.nonzero(peaks)
        order = np.argsort(-values[rows, columns], kind="stable")
        steps = np.array([-1, 0, 1])
        found = []
        for row, column in zip(rows[order], columns[order], strict=True):
            part = values[row - 1 : row + 2, column - 1 : column + 2]
            weight = part - part.min()
            total = weight.sum()
            found.append(
                (
                    row + (weight.sum(axis=1) @ steps) / total,
                    column + (weight.sum(axis=0) @ steps) / total,
                )
                if total
                else (float(row), float(column))
            )
        return np.array(found).reshape(-1, 2)

    def _nearest(self, places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "k 2"]:
        """Vectors from the direct beam to the nearest spots, ascending, (k, 2) [pixels]."""
        from scipy.spatial import cKDTree

        vectors = places - self._centre
        if len(vectors) > 1:
            distance, opposite = cKDTree(vectors).query(-vectors)
            middles = (vectors + vectors[opposite])[distance < 2 * _PAIR] / 2
            if len(middles):
                vectors = vectors - np.median(middles, axis=0)
        lengths = np.hypot(*vectors.T)
        order = np.argsort(lengths, kind="stable")
        order = order[lengths[order] > self._separation][: self._spots]
        nearest: Float[np.ndarray, "k 2"] = vectors[order]
        return nearest


def _net(vectors: Float[np.ndarray, "k 2"]) -> Float[np.ndarray, "3"]:
    """Length of the shortest vector, of the next across it over that, and their angle's cosine."""
    if not len(vectors):
        return np.zeros(3)
    first = vectors[0]
    length = float(np.hypot(*first))
    for other in vectors[1:]:
        size = float(np.hypot(*other))
        sine = abs(first[0] * other[1] - first[1] * other[0]) / (length * size)
        if sine > _COLLINEAR:
            return np.array([length, size / length, abs(float(first @ other)) / (length * size)])
    return np.array([length, 0.0, 0.0])
