"""Finds spots, and the lattice that they lie on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import ndimage

from crystalvision_simulate.microscope._geometry import Points
from crystalvision_simulate.microscope._image import Image, Mask, filled

_SIZES = (0.8, 1.2, 1.8, 2.7, 4.0, 6.0)  # pixels: standard deviations of spots that are looked for
_SIGNIFICANT = 7.0
_WEAKEST = 0.03  # of the strongest
_MOST = 250
_FOR_BASIS = 60
_TOLERANCE = 0.14  # of a step of the lattice
_ON_IT = 1.5  # pixels
_LEAST_ON_LATTICE = 5
_SHARE_OF_MANY = 0.25  # of all spots: with fewer on it a lattice of grains is one by chance


@dataclass(frozen=True, eq=False)
class Spots:
    """Spots of a picture, the strongest first.

    Attributes:
        points: Column and row of each [pixel], (n, 2).
        strength: How far each rises above the noise, (n,).
        sigma_px: About their standard deviation [pixel].
    """

    points: Points
    strength: Float[np.ndarray, "n"]
    sigma_px: float

    def __len__(self) -> int:
        """Number of spots."""
        return len(self.points)


@dataclass(frozen=True, eq=False)
class Lattice:
    """A lattice of spots.

    Attributes:
        basis: Two reduced steps (x, y), as rows [pixel], (2, 2).
        origin: A point of it (x, y) [pixel], (2,).
        indices: Of the spots that lie on it, (m, 2).
        members: Which spots these are, (m,).
        scatter_px: How far these lie off, root mean square [pixel].
    """

    basis: Float[np.ndarray, "2 2"]
    origin: Float[np.ndarray, "2"]
    indices: Int[np.ndarray, "m 2"]
    members: Int[np.ndarray, "m"]
    scatter_px: float

    @property
    def step_error(self) -> float:
        """Relative error of its steps."""
        far = np.linalg.norm(self.indices @ self.basis, axis=1)
        return float(max(self.scatter_px / np.sqrt(len(far)) / max(far.std(), 1.0), 2e-4))


def find_spots(level: Image, seen: Mask) -> Spots:
    """Find spots.

    Args:
        level: The picture on a scale of equal noise, without its rings, (h, w).
        seen: What was seen, (h, w).
    """
    image = filled(level, seen)
    core = ndimage.binary_erosion(seen, iterations=2, border_value=1)
    best: tuple[float, float, Image, float] | None = None
    for sigma in _SIZES:
        response = -(sigma**2) * ndimage.gaussian_laplace(image, sigma)
        values = response[core]
        noise = 1.4826 * float(np.median(np.abs(values - np.median(values)))) + 1e-12
        strongest = np.sort(response[_peaks(response, core, sigma)])[-12:]
        score = float(np.mean(strongest)) if len(strongest) else 0.0
        if best is None or score > best[0]:
            best = (score, sigma, response, noise)
    assert best is not None  # noqa: S101 - there are sizes
    _, sigma, response, noise = best
    peaks = _peaks(response, core, sigma)
    least = max(_SIGNIFICANT * noise, _WEAKEST * float(response[peaks].max(initial=0)))
    places = np.argwhere(peaks & (response > least))
    strength = response[tuple(places.T)]
    order = np.argsort(-strength, kind="stable")[:_MOST]
    # What is far weaker than the rest is more often structure of the background than a spot.
    if len(order) > 40:
        order = order[strength[order] > 0.02 * np.median(strength[order][:10])]
    points = np.array([_centroid(image, places[one], sigma) for one in order]).reshape(-1, 2)
    return Spots(points, strength[order] / noise, sigma)


def _peaks(response: Image, core: Mask, sigma: float) -> Mask:
    size = 2 * max(1, round(1.5 * sigma)) + 1
    peaks: Mask = core & (response == ndimage.maximum_filter(response, size)) & (response > 0)
    edge = max(2, round(2 * sigma))
    peaks[:edge] = peaks[-edge:] = False
    peaks[:, :edge] = peaks[:, -edge:] = False
    return peaks


def _centroid(image: Image, place: Int[np.ndarray, "2"], sigma: float) -> tuple[float, float]:
    """Column and row of the middle of a spot above what is about it."""
    reach = max(2, round(2.5 * sigma))
    row, column = float(place[0]), float(place[1])
    for _ in range(5):
        rows = np.arange(max(0, round(row) - reach), min(image.shape[0], round(row) + reach + 1))
        columns = np.arange(
            max(0, round(column) - reach), min(image.shape[1], round(column) + reach + 1)
        )
        part = image[np.ix_(rows, columns)]
        part = part - np.quantile(part, 0.3)
        window = np.exp(
            -0.5
            * ((rows[:, None] - row) ** 2 + (columns[None, :] - column) ** 2)
            / (1.5 * sigma) ** 2
        )
        weight = np.clip(part, 0, None) * window
        total = weight.sum()
        if total <= 0:
            break
        # A window about a wrong place pulls the centroid back: twice the step undoes that.
        step_row = float((weight.sum(axis=1) * (rows - row)).sum() / total)
        step_column = float((weight.sum(axis=0) * (columns - column)).sum() / total)
        row += 1.4 * step_row
        column += 1.4 * step_column
        if abs(row - place[0]) > reach or abs(column - place[1]) > reach:
            return float(place[1]), float(place[0])
    return column, row


def find_lattice(spots: Spots) -> Lattice | None:
    """The lattice that most spots lie on, of the largest cell that does it; `None` for none."""
    if len(spots) < _LEAST_ON_LATTICE:
        return None
    chosen = spots.points[:_FOR_BASIS]
    steps = _common_steps(chosen, max(4.0, 2.5 * spots.sigma_px))
    best: tuple[float, Lattice] | None = None
    for first in range(len(steps)):
        for second in range(first + 1, len(steps)):
            basis = reduced(np.array([steps[first], steps[second]]))
            if basis is None:
                continue
            lattice = _on_lattice(spots, basis, chosen[0])
            if lattice is None:
                continue
            score = _beyond_chance(lattice, spots)
            if best is None or score > best[0] + 1e-9:
                best = (score, lattice)
    if best is None:
        return None
    lattice = best[1]
    share = len(lattice.members) / len(spots)
    many = len(lattice.members) >= 12 and share > _SHARE_OF_MANY
    return lattice if share > 0.5 or many else None


def reduced(basis: Float[np.ndarray, "2 2"]) -> Float[np.ndarray, "2 2"] | None:
    """The two shortest steps of a lattice, as rows, right-handed; `None` for one of no area."""
    first, second = basis
    for _ in range(50):
        if first @ first > second @ second:
            first, second = second, first
        if first @ first < 1e-12:
            return None
        turns = round(float(first @ second / (first @ first)))
        if turns == 0:
            break
        second = second - turns * first
    area = float(first[0] * second[1] - first[1] * second[0])
    if abs(area) < 0.2 * float(first @ first):
        return None
    return np.array([first, second if area > 0 else -second])


def _common_steps(points: Points, least: float) -> Float[np.ndarray, "k 2"]:
    """Steps between spots that occur often, the shortest of the most frequent."""
    differences = (points[:, None] - points[None, :]).reshape(-1, 2)
    length = np.linalg.norm(differences, axis=1)
    half = (differences[:, 1] > 0) | ((differences[:, 1] == 0) & (differences[:, 0] > 0))
    keep = (length > least) & half
    differences, length = differences[keep], length[keep]
    order = np.argsort(length)
    differences = differences[order][:1500]
    near = np.linalg.norm(differences[:, None] - differences[None, :], axis=2) < 1.5
    votes = near.sum(axis=1)
    steps: list[Float[np.ndarray, "2"]] = []
    for one in np.argsort(-votes / (1 + 0.002 * np.arange(len(votes))), kind="stable"):
        mean = differences[near[one]].mean(axis=0)
        if votes[one] < 2 and len(steps) >= 4:
            break
        if all(np.linalg.norm(mean - other) > 2 for other in steps):
            steps.append(mean)
        if len(steps) == 14:
            break
    return np.array(steps).reshape(-1, 2)


def _on_lattice(
    spots: Spots, basis: Float[np.ndarray, "2 2"], origin: Float[np.ndarray, "2"]
) -> Lattice | None:
    """Refine a lattice by the spots that lie on it, from the origin outwards."""
    reach = np.linalg.norm(spots.points - origin, axis=1)
    for part in (0.35, 0.6, 1.0, 1.0, 1.0):
        within = reach <= max(part * reach.max(), 3.2 * float(np.linalg.norm(basis[1])))
        indices, off = _indexed(spots.points, basis, origin)
        good = within & (off < _TOLERANCE)
        whole = indices[good]
        if len(whole) < 5 or np.linalg.matrix_rank(whole - whole[0]) < 2:
            return None
        design = np.column_stack([whole, np.ones(len(whole))])
        away = np.linalg.norm(spots.points[good] - whole @ basis - origin, axis=1)
        sure = np.minimum(1, (_ON_IT + np.median(away)) / np.maximum(away, 1e-9))
        weight = (np.sqrt(np.minimum(spots.strength[good], 50)) * sure)[:, None]
        solved, *_ = np.linalg.lstsq(design * weight, spots.points[good] * weight, rcond=None)
        basis, origin = solved[:2], solved[2]
        if abs(np.linalg.det(basis)) < 9:
            return None
    indices, off = _indexed(spots.points, basis, origin)
    rest = spots.points - indices @ basis - origin
    far = np.linalg.norm(rest, axis=1)
    # In a wide cell much lies within the tolerance that is no spot of it.
    usual = 1.4826 * float(np.median(far[off < _TOLERANCE]))
    members = np.flatnonzero((off < _TOLERANCE) & (far < max(_ON_IT, 4 * usual)))
    if len(members) < _LEAST_ON_LATTICE:
        return None
    scatter = float(np.sqrt((far[members] ** 2).mean()))
    tight = reduced(basis)
    if tight is None:
        return None
    indices, _ = _indexed(spots.points[members], tight, origin)
    return Lattice(tight, origin, indices, members, scatter)


def _indexed(
    points: Points, basis: Float[np.ndarray, "2 2"], origin: Float[np.ndarray, "2"]
) -> tuple[Int[np.ndarray, "n 2"], Float[np.ndarray, "n"]]:
    """The nearest indices of points, and how far they are off [steps of the lattice]."""
    fractional = (points - origin) @ np.linalg.inv(basis)
    whole = np.rint(fractional)
    return whole.astype(int), np.abs(fractional - whole).max(axis=1)


def _beyond_chance(lattice: Lattice, spots: Spots) -> float:
    """How unlikely it is that as many spots lie on a lattice by chance, as a logarithm.

    What counts as on it is an area of some pixels: so a cell that is too small, and has every spot
    on it, gains nothing.
    """
    area = abs(float(np.linalg.det(lattice.basis)))
    indices, _ = _indexed(spots.points, lattice.basis, lattice.origin)
    rest = np.linalg.norm(spots.points - indices @ lattice.basis - lattice.origin, axis=1)
    chance = min(0.999, np.pi * _ON_IT**2 / area)
    return float((rest < _ON_IT).sum() * np.log(1 / chance))
