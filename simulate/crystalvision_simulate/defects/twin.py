"""Twins: two parts of a crystal, one the mirror image of the other."""

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Parent
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import (
    parent_of,
    refuse_periodic,
)
from crystalvision_simulate.defects._layers import layers_near, shortest_distance_angstrom
from crystalvision_simulate.lattice import sites_in_box

_TOO_NEAR = 0.7  # of the shortest distance: such pairs at a boundary are one atom
_ON_PLANE = 0.1  # Å from the boundary, within which an atom belongs to both parts
_TEST_BOX = 14.0  # Å: side of the box in which boundaries are tried


class Twin(Defect):
    """A twin boundary: beyond a plane (hkl), the crystal is the mirror image of what lies before.

    Of the heights where the plane may lie, that with the densest boundary is taken on which no two
    atoms come too near: in a face-centred cubic metal a (111) plane of atoms, in silicon the middle
    of the bonds across. `twin_fraction` is the part of the atoms that lie in the twin.
    """

    stage = "lattice"
    measures = ("twin_fraction",)

    def __init__(
        self,
        plane: tuple[int, int, int] = (1, 1, 1),
        offset_angstrom: float = 0.0,
        lamella_thickness_angstrom: float | None = None,
        kind: Literal["reflection", "rotation"] = "reflection",
    ) -> None:
        """Make the defect.

        Args:
            plane: Indices (hkl) of the twin plane.
            offset_angstrom: Distance of the boundary from the middle of the crystal along the
                plane's normal [Å], met as nearly as the layers allow.
            lamella_thickness_angstrom: Where the twin ends again, at a second boundary [Å]; by
                default it reaches to the edge of the crystal.
            kind: A `reflection` across the plane, or a `rotation` by 180° about its normal; they
                are the same where the crystal has a centre of symmetry.

        Raises:
            InputError: The plane is (000), or a lamella has no thickness.
        """
        if not any(plane):
            raise InputError("plane is [0, 0, 0]; expected indices (hkl) such as [1, 1, 1]")
        if lamella_thickness_angstrom is not None and not lamella_thickness_angstrom > 0:
            raise InputError(
                f"lamella_thickness_angstrom is {lamella_thickness_angstrom}; expected more than 0"
            )
        self.plane = plane
        self.offset_angstrom = offset_angstrom
        self.lamella_thickness_angstrom = lamella_thickness_angstrom
        self.kind = kind

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Fill one side of the boundary with the twin.

        Raises:
            InputError: The crystal repeats across the beam, does not know what it was cut from, or
                does not reach to the boundary.
        """
        refuse_periodic(crystal, "twin")
        parent = parent_of(crystal, "twin")
        normal = parent.reciprocal(self.plane)
        normal = normal / np.linalg.norm(normal)
        box = np.diag(crystal.cell)
        first = self._boundary(parent, normal, box / 2 + self.offset_angstrom * normal)
        twin = self._twinned(parent, normal, first)
        boundaries, parts = [first], [parent, twin]
        if self.lamella_thickness_angstrom is not None:
            end = normal * (first + self.lamella_thickness_angstrom - box / 2 @ normal) + box / 2
            boundaries.append(self._boundary(twin, normal, end))
            parts.append(self._twinned(twin, normal, boundaries[1]))
        positions, numbers, part_of = _joined(parts, boundaries, normal, np.zeros(3), box)
        fraction = float((part_of == 1).mean())
        if fraction in {0.0, 1.0}:
            raise InputError(
                f"twin: the boundary, {self.offset_angstrom:g} Å from the middle, lies outside of "
                "the crystal; make offset_angstrom smaller"
            )
        return DefectiveCrystal(crystal.with_atoms(positions, numbers), {"twin_fraction": fraction})

    def _boundary(
        self, parent: Parent, normal: Float[np.ndarray, "3"], near: Float[np.ndarray, "3"]
    ) -> float:
        """Height r·n of the best boundary near a point [Å]."""
        layers = layers_near(parent, normal, near)
        candidates = np.sort(np.concatenate([layers, (layers[1:] + layers[:-1]) / 2]))
        candidates = candidates[np.argsort(abs(candidates - near @ normal), kind="stable")]
        # Along the normal the crystal repeats, but for a shift within the planes, every 1/|g|.
        period = 1 / np.linalg.norm(parent.reciprocal(self.plane))
        within_period = abs(candidates - near @ normal) <= period / 2 + _ON_PLANE
        shortest = shortest_distance_angstrom(parent)
        best, densest = None, -1
        for height in candidates[within_period]:
            parts = [parent, self._twinned(parent, normal, float(height))]
            lower, upper = near - _TEST_BOX / 2, near + _TEST_BOX / 2
            positions, _, _ = _joined(parts, [float(height)], normal, lower, upper)
            distances, _ = cKDTree(positions).query(positions, k=2)
            within = abs(positions @ normal - height) < _TEST_BOX / 3
            if distances[within, 1].min() > 0.9 * shortest and within.sum() > 1.01 * densest:
                best, densest = float(height), int(within.sum())
        return float(candidates[0]) if best is None else best

    def _twinned(self, parent: Parent, normal: Float[np.ndarray, "3"], height: float) -> Parent:
        """The ideal crystal beyond a boundary."""
        half_turn = 2 * np.outer(normal, normal) - np.eye(3)
        if self.kind == "rotation":
            # The axis goes through a lattice point, or the two parts would not fit.
            axis = _lattice_point_at(parent, normal, height)
            origin = half_turn @ (parent.origin_angstrom - axis) + axis
            return Parent(parent.unit_cell, half_turn @ parent.rotation, origin)
        # A reflection is a half turn and an inversion, which the unit cell takes.
        cell = parent.unit_cell
        inverted = cell.with_atoms(-cell.positions, cell.numbers)
        above = parent.origin_angstrom @ normal - height
        origin = parent.origin_angstrom - 2 * above * normal
        return Parent(inverted, half_turn @ parent.rotation, origin)


def _lattice_point_at(
    parent: Parent, normal: Float[np.ndarray, "3"], height: float
) -> Float[np.ndarray, "3"]:
    """The lattice point nearest to a height r·n, and of several the nearest to the origin [Å]."""
    origin = parent.origin_angstrom
    foot = origin + normal * (height - origin @ normal)
    cell = parent.unit_cell
    lattice = cell.with_atoms(np.zeros((1, 3)), cell.numbers[:1])
    reach = 2 * np.linalg.norm(cell.cell, axis=1).max()
    points, _ = sites_in_box(replace(parent, unit_cell=lattice), foot - reach, foot + reach)
    off_plane = abs(points @ normal - height).round(3)
    nearest = np.linalg.norm(points - foot, axis=1).round(3)
    point: Float[np.ndarray, "3"] = points[np.lexsort((*points.T.round(3), nearest, off_plane))[0]]
    return point


def _joined(
    parts: list[Parent],
    boundaries: list[float],
    normal: Float[np.ndarray, "3"],
    lower: Float[np.ndarray, "3"],
    upper: Float[np.ndarray, "3"],
) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, "n"], Int[np.ndarray, "n"]]:
    """The parts side by side in a box: positions, numbers, and the part of each atom."""
    ends = [-np.inf, *boundaries, np.inf]
    positions, numbers, part_of = [], [], []
    for index, part in enumerate(parts):
        sites, elements = sites_in_box(part, lower, upper)
        heights = sites @ normal
        # An atom on a boundary is taken from the part before it.
        keep = (heights > ends[index] + _ON_PLANE) & (heights <= ends[index + 1] + _ON_PLANE)
        positions.append(sites[keep])
        numbers.append(elements[keep])
        part_of.append(np.full(int(keep.sum()), index))
    joined = np.concatenate(positions), np.concatenate(numbers), np.concatenate(part_of)
    shortest = shortest_distance_angstrom(parts[0])
    keep = _without_doubles(joined[0], joined[2], _TOO_NEAR * shortest)
    return joined[0][keep], joined[1][keep], joined[2][keep]


def _without_doubles(
    positions: Float[np.ndarray, "n 3"], part_of: Int[np.ndarray, "n"], distance: float
) -> Int[np.ndarray, "m"]:
    """All atoms but those of a later part that lie on one of an earlier part."""
    pairs = cKDTree(positions).query_pairs(distance, output_type="ndarray")
    across = part_of[pairs[:, 0]] != part_of[pairs[:, 1]]
    later = np.where(part_of[pairs[:, 0]] > part_of[pairs[:, 1]], pairs[:, 0], pairs[:, 1])[across]
    return np.setdiff1d(np.arange(len(positions)), later)
