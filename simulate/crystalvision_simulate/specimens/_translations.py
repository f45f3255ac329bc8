"""Translations within the cell that bring a crystal to itself, in time nearly linear in its atoms.

A relaxed supercell has none; one that was only repeated has as many as it has cells. Only atoms of
one kind need be tried, the rarest; an atom that one wrong translation leaves over tells most others
at once; and the true ones form a group, so that each that is found at least doubles what is known.
"""

from itertools import product

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal

_SAME_SITE = 1e-3  # Å by which two sites of one lattice may differ: files round their coordinates
_ABOUT = 12  # neighbours that an atom's surroundings are known by
_REACH = 3.0  # how far they are sought, over the cube root of an atom's volume
_MOST = 1000  # repeats of a cell along a translation
_FEW = 64  # atoms, of which all may be tried


class Sites:
    """The atoms of a crystal, found again by their places whatever the period."""

    def __init__(self, crystal: Crystal) -> None:
        self.cell = crystal.cell
        self.fractional = crystal.positions @ np.linalg.inv(crystal.cell)
        self._elements = np.unique(crystal.numbers)
        self._trees = {
            int(element): cKDTree(_wrapped(self.fractional[crystal.numbers == element]), boxsize=1)
            for element in self._elements
        }
        self.numbers = crystal.numbers

    def match(self, places: Float[np.ndarray, "n 3"], element: int) -> Bool[np.ndarray, "n"]:
        """Whether an atom of an element is at each place (fractional), (n,)."""
        tree = self._trees[element]
        wrapped = _wrapped(places)
        _, atom = tree.query(wrapped)
        apart = wrapped - tree.data[atom]
        distance = np.linalg.norm((apart - np.rint(apart)) @ self.cell, axis=1)
        there: Bool[np.ndarray, "n"] = distance <= _SAME_SITE
        return there

    def repeat_after(self, shift: Float[np.ndarray, "3"]) -> bool:
        """Whether every atom, shifted (fractional), comes to lie on one of its own element."""
        return self.left_over(shift) is None

    def left_over(self, shift: Float[np.ndarray, "3"]) -> int | None:
        """An atom that does not come to lie on one of its own element, if there is one."""
        for element in self._elements:
            atoms = np.flatnonzero(self.numbers == element)
            there = self.match(self.fractional[atoms] + shift, int(element))
            if not there.all():
                return int(atoms[there.argmin()])
        return None


def generating_translations(crystal: Crystal) -> Float[np.ndarray, "n 3"]:
    """Translations of which all others within the cell are sums, fractional, (n, 3).

    Args:
        crystal: One that repeats along its three cell vectors.
    """
    sites = Sites(crystal)
    kind = _rarest_kind(crystal, sites)
    left = (kind - kind[0])[1:]
    group = np.zeros((1, 3))
    generators = []
    reach = float(_SAME_SITE * np.linalg.norm(np.linalg.inv(crystal.cell), 2))
    while len(left):
        shift, left = left[0], left[1:]
        atom = sites.left_over(shift)
        if atom is None:
            generators.append(shift)
            group = _with(group, shift, reach)
            left = left[~_among(group, left, reach)]
        else:
            left = left[sites.match(sites.fractional[atom] + left, int(crystal.numbers[atom]))]
    return np.array(generators).reshape(-1, 3)


def _among(
    group: Float[np.ndarray, "m 3"], shifts: Float[np.ndarray, "n 3"], reach: float
) -> Bool[np.ndarray, "n"]:
    """Which translations are in a group, but for whole periods."""
    within: Bool[np.ndarray, "n"] = (
        cKDTree(_wrapped(group), boxsize=1).query(_wrapped(shifts))[0] <= reach
    )
    return within


def _with(
    group: Float[np.ndarray, "m 3"], shift: Float[np.ndarray, "3"], reach: float
) -> Float[np.ndarray, "n 3"]:
    """The group that a translation and those that are known generate."""
    cosets, multiple = [group], shift
    # Its own rounding adds up with every step; no cell of a crystal repeats a thousand times.
    while not _among(group, multiple[None], reach * len(cosets))[0] and len(cosets) < _MOST:
        cosets.append(group + multiple)
        multiple = multiple + shift
    return np.concatenate(cosets)


def _rarest_kind(crystal: Crystal, sites: Sites) -> Float[np.ndarray, "n 3"]:
    """Fractional places of the atoms of the rarest element, or of those with rare surroundings.

    Atoms that a translation brings onto each other are of one kind.
    """
    elements, counts = np.unique(crystal.numbers, return_counts=True)
    atoms = np.flatnonzero(crystal.numbers == elements[np.argmin(counts)])
    if len(atoms) <= _FEW:
        return sites.fractional[atoms]
    surroundings = _surroundings(crystal, sites)
    best = atoms
    for one in elements:
        members = np.flatnonzero(crystal.numbers == one)
        order = members[np.argsort(surroundings[members], kind="stable")]
        # Places differ by `_SAME_SITE` at most, so the distances of an atom by twice as much.
        ends = np.flatnonzero(np.diff(surroundings[order]) > 2.5 * _SAME_SITE) + 1
        for kind in np.split(order, ends):
            if len(kind) < len(best):
                best = kind
    places: Float[np.ndarray, "n 3"] = sites.fractional[np.sort(best)]
    return places


def _surroundings(crystal: Crystal, sites: Sites) -> Float[np.ndarray, "n"]:
    """Mean distance of each atom's next neighbours [Å], cut off where they are sought."""
    reach = _REACH * (crystal.volume_angstrom3 / len(crystal)) ** (1 / 3)
    # The distance of two faces is one over the length of the reciprocal vector.
    margin = reach * np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)
    inside = _wrapped(sites.fractional)
    steps = [range(-int(np.ceil(each)), int(np.ceil(each)) + 1) for each in margin]
    images = []
    for shift in product(*steps):
        moved = inside + np.array(shift)
        near = ((moved >= -margin) & (moved <= 1 + margin)).all(axis=1)
        images.append(moved[near])
    tree = cKDTree(np.concatenate(images) @ crystal.cell)
    distance, _ = tree.query(inside @ crystal.cell, k=_ABOUT + 1, distance_upper_bound=reach)
    mean: Float[np.ndarray, "n"] = np.minimum(distance[:, 1:], reach).mean(axis=1)
    return mean


def _wrapped(fractional: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Coordinates from 0 up to 1, as a periodic search tree takes them."""
    inside: Float[np.ndarray, "*n 3"] = np.mod(fractional, 1.0)
    inside[inside >= 1.0] = 0.0
    return inside
