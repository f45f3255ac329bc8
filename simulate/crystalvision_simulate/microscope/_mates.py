"""The lattice of few spots: with the direct beam behind the stop, and mates off the picture."""

from dataclasses import replace
from itertools import combinations

import numpy as np

from crystalvision_simulate.microscope._geometry import Points
from crystalvision_simulate.microscope._spots import Lattice, Spots, find_lattice

_NEAR = 3.0  # pixels: how far the middle of two mates may lie from the centre of symmetry
_LEAST = 3  # spots that are seen
_SAME = 2.0  # pixels


def lattice_of_mates(spots: Spots, centre: tuple[float, float]) -> Lattice | None:
    """The lattice of spots, of their mates about the direct beam, and of that.

    Each spot g of a zone has a mate −g, which may be off the picture or behind the stop. Two that
    are seen tell where the direct beam is.

    Args:
        spots: Spots that lie on no lattice by themselves.
        centre: About where the direct beam is (x, y), from the symmetry of the picture [pixel].

    Returns:
        It, with those spots that are seen; `None` where no two of them are mates, or few fit.
    """
    middle = _middle(spots, centre)
    if middle is None:
        return None
    mates = np.vstack([middle, 2 * middle - spots.points])
    apart = np.linalg.norm(mates[:, None] - spots.points[None], axis=2).min(axis=1)
    strength = np.append(spots.strength.max(initial=1.0), spots.strength)
    new = apart > _SAME
    whole = Spots(
        np.vstack([spots.points, mates[new]]),
        np.append(spots.strength, strength[new]),
        spots.sigma_px,
    )
    found = find_lattice(whole)
    if found is None:
        return None
    seen = found.members < len(spots)
    steps = found.indices[seen]
    if seen.sum() < _LEAST or np.linalg.matrix_rank(steps - steps[0]) < 2:
        return None
    return replace(found, indices=steps, members=found.members[seen])


def _middle(spots: Spots, centre: tuple[float, float]) -> Points | None:
    """The direct beam (x, y), as pairs of mates tell it."""
    least = 6 * spots.sigma_px
    middles = [
        (one + other) / 2
        for one, other in combinations(spots.points, 2)
        if np.linalg.norm(one - other) > 2 * least
    ]
    near = [middle for middle in middles if np.linalg.norm(middle - np.array(centre)) < _NEAR]
    return np.median(near, axis=0) if near else None
