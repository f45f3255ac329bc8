"""Where a twin boundary fits: the heights at which it breaks the fewest bonds."""

import warnings
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal, Parent
from crystalvision_simulate.defects._neighbours import shortest_distance_angstrom
from crystalvision_simulate.defects._parents import TwinnedParent, sites_of

Kind: TypeAlias = Literal["reflection", "rotation"]
Plane: TypeAlias = tuple[int, int, int]

TOO_NEAR = 0.7  # of the shortest distance: two atoms so near at a boundary are one
_BOND = 1.15  # times the shortest distance: atoms up to there are neighbours
_PRESSED = 0.85  # times the shortest distance: a bond so short is as bad as two broken ones
_SAME_HEIGHT = 0.02  # Å within which atoms are of one layer
_HALF_WIDTH = 14.0  # Å: a boundary is judged by a square of twice that side
_FEWER = 0.98  # of the broken bonds of another height: what counts as fewer


def twinned(parent: Parent, normal: Float[np.ndarray, "3"], height: float, kind: Kind) -> Parent:
    """The ideal crystal beyond a boundary, to be inverted first if it is a reflection.

    A reflection is an inversion through the origin of the unit cell and a half turn about the
    normal. A rotation is the half turn alone, about an axis through the lattice point that lies
    nearest to the boundary: about another one, the two parts would not fit.

    Args:
        parent: The crystal before the boundary.
        normal: Unit vector across the boundary.
        height: Height r·n of the boundary [Å].
        kind: Reflection or rotation.
    """
    half_turn = 2 * np.outer(normal, normal) - np.eye(3)
    if kind == "rotation":
        axis = _lattice_point_at(parent, normal, height)
        origin = half_turn @ (parent.origin_angstrom - axis) + axis
    else:
        above = parent.origin_angstrom @ normal - height
        origin = parent.origin_angstrom - 2 * above * normal
    return Parent(parent.unit_cell, half_turn @ parent.rotation, origin)


@lru_cache(maxsize=64)  # a recipe has few unit cells, and asks for each sample
def best_height(unit_cell: Crystal, plane: Plane, kind: Kind) -> float:
    """Height of the best boundary above the origin of the unit cell, modulo 1/|g| [Å].

    Tried are all atomic layers and the middles between them. Of a boundary, the nearest neighbours
    are counted by which its atoms differ from what they have within their own part, and the atoms
    that lie on each other or nearly so. Of equally good heights that of a layer is taken.

    Args:
        unit_cell: The ideal crystal.
        plane: Indices (hkl) of the boundary, without common divisor.
        kind: Reflection or rotation.
    """
    reciprocal = np.linalg.inv(unit_cell.cell) @ np.array(plane, dtype=np.float64)
    spacing = float(1 / np.linalg.norm(reciprocal))
    normal = reciprocal * spacing
    layers = _layers(unit_cell, normal, spacing)
    middles = (layers + np.append(layers[1:], layers[0] + spacing)) / 2
    parent = Parent(unit_cell, _upright(normal), np.zeros(3))
    best, fewest = 0.0, np.inf
    for height in np.concatenate([layers, middles]):
        broken = _broken_bonds(parent, float(height), kind)
        if broken < _FEWER * fewest:
            best, fewest = float(height), broken
    return best


@lru_cache(maxsize=64)
def is_symmetry(unit_cell: Crystal, plane: Plane, kind: Kind) -> bool:
    """Whether the crystal is its own twin: (hkl) a mirror plane, or its normal a twofold axis."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    normal = np.linalg.inv(unit_cell.cell) @ np.array(plane, dtype=np.float64)
    normal = normal / np.linalg.norm(normal)
    turn = 2 * np.outer(normal, normal) - np.eye(3)
    if kind == "reflection":
        turn = -turn
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spglib warns of how pymatgen calls it
        operations = SpacegroupAnalyzer(unit_cell.to_pymatgen()).get_symmetry_operations(
            cartesian=True
        )
    return any(np.allclose(one.rotation_matrix, turn, atol=1e-3) for one in operations)


def in_parts(
    parent: Parent, ends: tuple[float, ...], normal: Float[np.ndarray, "3"], kind: Kind
) -> TwinnedParent:
    """A crystal, its twin from the first end on, and beyond the second one the crystal again.

    Args:
        parent: The crystal before the first boundary.
        ends: Heights r·n of one or two boundaries [Å].
        normal: Unit vector across the boundaries.
        kind: Reflection or rotation.
    """
    parts = [parent]
    for height in ends:
        parts.append(twinned(parts[-1], normal, height, kind))
    inverted = tuple(kind == "reflection" and index % 2 == 1 for index in range(len(parts)))
    return TwinnedParent(
        parent.unit_cell,
        parent.rotation,
        parent.origin_angstrom,
        tuple(parts),
        inverted,
        ends,
        normal,
    )


def without_doubles(
    positions: Float[np.ndarray, "n 3"], twin: TwinnedParent, distance: float
) -> Bool[np.ndarray, "n"]:
    """Whether each atom stays: not if it is of a later part and too near to an earlier part's."""
    heights = positions @ twin.normal
    apart = np.abs(heights[:, None] - np.array(twin.ends_angstrom)).min(axis=1)
    near = np.flatnonzero(apart < distance + _SAME_HEIGHT)
    part = twin.part_of(positions[near])
    pairs = cKDTree(positions[near]).query_pairs(distance, output_type="ndarray")
    pairs = pairs[part[pairs[:, 0]] != part[pairs[:, 1]]]
    later = np.where(part[pairs[:, 0]] > part[pairs[:, 1]], pairs[:, 0], pairs[:, 1])
    stays = np.ones(len(positions), dtype=bool)
    stays[near[later]] = False
    return stays


def _broken_bonds(upright: Parent, height: float, kind: Kind) -> float:
    """Wrong neighbours at a boundary across z, on a given area."""
    z = np.array([0.0, 0.0, 1.0])
    bond = _BOND * shortest_distance_angstrom(upright.unit_cell)
    twin = in_parts(upright, (height,), z, kind)
    reach = np.array([_HALF_WIDTH + bond, _HALF_WIDTH + bond, 3 * bond])
    lower, upper = height * z - reach, height * z + reach
    positions, _ = sites_of(twin, upright.unit_cell, lower, upper)
    stays = without_doubles(positions, twin, TOO_NEAR / _BOND * bond)
    doubles = int((~stays).sum())
    positions = positions[stays]
    inner = (np.abs(positions - height * z) < reach - bond).all(axis=1)
    tree = cKDTree(positions)
    nearest = tree.query(positions[inner], k=2)[0][:, 1]
    broken = doubles + 2 * int((nearest < _PRESSED / _BOND * bond).sum())
    for index, part in enumerate(twin.parts):
        own = positions[inner & (twin.part_of(positions) == index)]
        motif = upright.unit_cell
        if twin.inverted[index]:
            motif = motif.with_atoms(-motif.positions, motif.numbers)
        alone, _ = sites_of(Parent(motif, part.rotation, part.origin_angstrom), motif, lower, upper)
        expected = cKDTree(alone).query_ball_point(own, bond, return_length=True)
        found = tree.query_ball_point(own, bond, return_length=True)
        broken += int(np.abs(found - expected).sum())
    return broken


def _layers(
    unit_cell: Crystal, normal: Float[np.ndarray, "3"], spacing: float
) -> Float[np.ndarray, "k"]:
    """Heights of the atomic layers modulo their repeat [Å], ascending, (k,)."""
    heights = np.sort(np.mod(unit_cell.positions @ normal + _SAME_HEIGHT, spacing)) - _SAME_HEIGHT
    return heights[np.diff(heights, prepend=-np.inf) > _SAME_HEIGHT]


def _upright(normal: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """A rotation that brings a unit vector to +z."""
    aside = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    aside = aside / np.linalg.norm(aside)
    rotation: Float[np.ndarray, "3 3"] = np.stack([aside, np.cross(normal, aside), normal])
    return rotation


def _lattice_point_at(
    parent: Parent, normal: Float[np.ndarray, "3"], height: float
) -> Float[np.ndarray, "3"]:
    """The lattice point nearest to a height r·n, and of several the nearest to the origin [Å]."""
    origin = parent.origin_angstrom
    foot = origin + normal * (height - origin @ normal)
    cell = parent.unit_cell
    lattice = cell.with_atoms(np.zeros((1, 3)), cell.numbers[:1])
    reach = 2 * np.linalg.norm(cell.cell, axis=1).max()
    points, _ = sites_of(
        Parent(lattice, parent.rotation, origin), lattice, foot - reach, foot + reach
    )
    off_plane = abs(points @ normal - height).round(3)
    nearest = np.linalg.norm(points - foot, axis=1).round(3)
    point: Float[np.ndarray, "3"] = points[np.lexsort((*points.T.round(3), nearest, off_plane))[0]]
    return point
