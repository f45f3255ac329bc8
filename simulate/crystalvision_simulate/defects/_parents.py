"""Where the sites of an ideal crystal lie once defects have moved it, or turned parts of it.

Defects that come later ask: interstitials, for the holes of a lattice that is strained or twinned;
and defects that move atoms, for what comes into the box from outside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal, Parent
from crystalvision_simulate.defects._checks import parent_of
from crystalvision_simulate.defects._neighbours import shortest_distance_angstrom
from crystalvision_simulate.lattice import sites_in_box

Sites: TypeAlias = tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, "n"]]
Move: TypeAlias = Callable[[Float[np.ndarray, "n 3"]], Float[np.ndarray, "n 3"]]

_INSIDE = 1e-6  # Å below a face that belong to the box, as for `sites_in_box`
_BEYOND = 0.5  # Å by which displacements beyond the box may exceed those within it
_ON_BOUNDARY = 0.1  # Å beyond a boundary that belong to the part before it
_REGION = 12.0  # Å: a crystal without parent is taken to be as it is within this of its middle


@dataclass(frozen=True, slots=True, eq=False)
class MovedParent(Parent):
    """The parent of a crystal whose atoms a smooth field has moved.

    Attributes:
        before: The parent until then.
        move: From positions before to positions after [Å], (n, 3) → (n, 3).
        reach_angstrom: Greatest displacement along x, y, z about the crystal's box [Å], (3,).
    """

    before: Parent
    move: Move
    reach_angstrom: Float[np.ndarray, "3"]


@dataclass(frozen=True, slots=True, eq=False)
class TwinnedParent(Parent):
    """The parent of a crystal in parts side by side; it is itself that of the first.

    Attributes:
        parts: How the ideal crystal lies in each part.
        inverted: Whether each part is inverted through the origin of its unit cell.
        ends_angstrom: Height r·n at which each part but the last ends [Å].
        normal: Unit vector n across the boundaries, (3,).
    """

    parts: tuple[Parent, ...]
    inverted: tuple[bool, ...]
    ends_angstrom: tuple[float, ...]
    normal: Float[np.ndarray, "3"]

    def part_of(self, positions: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, "n"]:
        """Index of the part in which each position lies; a boundary is of the part before it."""
        heights = positions @ self.normal - _ON_BOUNDARY
        part: Int[np.ndarray, "n"] = np.searchsorted(self.ends_angstrom, heights)
        return part


def ideal_parent(parent: Parent) -> Parent:
    """The ideal crystal as it lay before any field moved it."""
    return ideal_parent(parent.before) if isinstance(parent, MovedParent) else parent


def ideal_cell(parent: Parent) -> Crystal:
    """The unit cell of the ideal crystal as it was before any field moved it."""
    return ideal_parent(parent).unit_cell


def nearest_neighbour_angstrom(crystal: Crystal) -> float:
    """Shortest distance between atoms of the ideal crystal [Å].

    Of a crystal without parent it is that between its own atoms, in its middle.
    """
    if crystal.parent is not None:
        return shortest_distance_angstrom(ideal_cell(crystal.parent))
    apart = np.linalg.norm(crystal.positions - crystal.positions.mean(axis=0), axis=1)
    positions = crystal.positions[apart < apart.min() + _REGION]
    if len(positions) < 2:
        return float(np.linalg.norm(crystal.cell, axis=1).min())
    return float(cKDTree(positions).query(positions, k=2)[0][:, 1].min())


def sites_of(
    parent: Parent, motif: Crystal, lower: Float[np.ndarray, "3"], upper: Float[np.ndarray, "3"]
) -> Sites:
    """Every site of a motif within a box, where defects have brought it.

    Args:
        parent: The ideal crystal and what became of it.
        motif: Sites in its `ideal_cell`: the atoms, or the holes among them.
        lower: Least x, y, z [Å], included.
        upper: Greatest x, y, z [Å], left out.

    Returns:
        Positions [Å], (n, 3), and atomic numbers, (n,).
    """
    if isinstance(parent, MovedParent):
        reach = parent.reach_angstrom
        positions, numbers = sites_of(parent.before, motif, lower - reach, upper + reach)
        positions = parent.move(positions)
        inside = in_box(positions, lower, upper).all(axis=1)
        return positions[inside], numbers[inside]
    if isinstance(parent, TwinnedParent):
        found = []
        for index, part in enumerate(parent.parts):
            sign = -1 if parent.inverted[index] else 1
            turned = motif.with_atoms(sign * motif.positions, motif.numbers)
            positions, numbers = _ideal_sites(part, turned, lower, upper)
            here = parent.part_of(positions) == index
            found.append((positions[here], numbers[here]))
        return np.concatenate([p for p, _ in found]), np.concatenate([n for _, n in found])
    return _ideal_sites(parent, motif, lower, upper)


def moved(crystal: Crystal, after: Parent, move: Move, box: Float[np.ndarray, "3"]) -> Crystal:
    """A crystal after a field has moved its atoms.

    Along axes on which it does not repeat, ideal atoms from outside fill what the box gains, and
    what leaves it is lost: the crystal is the cut of a larger one.

    Args:
        crystal: The crystal before, which has a parent.
        after: What [uvw] and (hkl) mean afterwards.
        move: From positions before to positions after [Å], (n, 3) → (n, 3).
        box: Lengths of the box afterwards [Å], (3,).
    """
    before = parent_of(crystal, "defect")
    lengths, zero = np.diag(crystal.cell), np.zeros(3)
    positions, numbers = move(crystal.positions), crystal.numbers
    change = np.array([np.abs(axis).max() for axis in (positions - crystal.positions).T])
    reach = np.where(change > _INSIDE, change + _BEYOND, 0.0)
    ends = (reach > 0) & ~crystal.periodic
    if ends.any():
        margin = np.where(ends, reach, 0.0)
        further = np.where(ends, np.maximum(lengths, box), lengths) + margin
        sites, elements = sites_of(before, ideal_cell(before), -margin, further)
        outside = ~in_box(sites, zero, lengths).all(axis=1)
        sites, elements = move(sites[outside]), elements[outside]
        # What an earlier defect has moved out of the box stays.
        stays = in_box(positions, zero, box) | ~in_box(crystal.positions, zero, lengths)
        keep = stays[:, ends].all(axis=1)
        comes = in_box(sites, zero, box)[:, ends].all(axis=1)
        positions = np.concatenate([positions[keep], sites[comes]])
        numbers = np.concatenate([numbers[keep], elements[comes]])
    parent = MovedParent(
        after.unit_cell, after.rotation, after.origin_angstrom, before, move, reach
    )
    return Crystal(positions, numbers, np.diag(box), crystal.periodic, parent)


def in_box(
    positions: Float[np.ndarray, "n 3"],
    lower: Float[np.ndarray, "3"],
    upper: Float[np.ndarray, "3"],
) -> Bool[np.ndarray, "n 3"]:
    """Whether each coordinate lies within a box, (n, 3) → (n, 3)."""
    within: Bool[np.ndarray, "n 3"] = (positions >= lower - _INSIDE) & (positions < upper - _INSIDE)
    return within


def _ideal_sites(
    parent: Parent, motif: Crystal, lower: Float[np.ndarray, "3"], upper: Float[np.ndarray, "3"]
) -> Sites:
    return sites_in_box(Parent(motif, parent.rotation, parent.origin_angstrom), lower, upper)
