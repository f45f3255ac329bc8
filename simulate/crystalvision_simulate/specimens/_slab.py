"""A slab that repeats across the beam, cut from a crystal along a zone axis."""

from dataclasses import replace
from itertools import product

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import Aperture, Crystal, Parent, Specimen
from crystalvision.errors import InputError
from crystalvision_simulate.specimens._axis import reduced_axis

_LARGEST_INDEX = 6
_WIDEST = 1.5  # times the size asked for: the largest cell that may still stand for it
_SAME_GAP = 1e-6  # of the cell's height
_ON_A_FACE = 0.2  # Å, which thermal motion crosses
_ORTHOGONAL = 1e-4  # cosine below which two vectors count as orthogonal


class SlabCutter:
    """Cuts orthogonal slabs with [uvw] along z, periodic across the beam, from one crystal.

    Made once for a recipe: finding the orthogonal cell takes longer than cutting a slab of it.
    """

    def __init__(
        self,
        unit_cell: Crystal,
        *,
        zone_axis: tuple[int, int, int] = (0, 0, 1),
        width_angstrom: float = 60.0,
    ) -> None:
        """Find the smallest orthogonal cell.

        Args:
            unit_cell: The ideal crystal.
            zone_axis: Indices [uvw] of the direction along the beam.
            width_angstrom: Width of the slabs in x and y [Å], met as nearly as whole repeats allow.

        Raises:
            InputError: No lattice vectors up to half as long again are orthogonal to the zone axis
                and to each other.
        """
        matrix = _orthogonal_cell(unit_cell.cell, zone_axis, _WIDEST * width_angstrom)
        vectors = matrix @ unit_cell.cell
        lengths = np.linalg.norm(vectors, axis=1)
        across = np.maximum(1, np.rint(width_angstrom / lengths[:2]).astype(int))
        filled, origin = _fill(unit_cell, matrix, vectors, lengths)
        self._layer = _repeat(filled, (*across, 1))
        self._parent = Parent(unit_cell, vectors / lengths[:, None], origin)

    def cut(self, thickness_angstrom: float) -> Crystal:
        """A slab as near to this thickness [Å] as whole repeats along the beam allow.

        Raises:
            InputError: One repeat is more than half as long again.
        """
        repeat = float(self._layer.cell[2, 2])
        if repeat > _WIDEST * thickness_angstrom:
            raise InputError(
                f"thickness_angstrom is {thickness_angstrom:g}, but the crystal repeats along this "
                f"zone axis only every {repeat:.4g} Å; make it thicker, or choose another axis"
            )
        repeats = max(1, round(thickness_angstrom / repeat))
        return replace(_repeat(self._layer, (1, 1, repeats)), parent=self._parent)


def specimen_of(crystal: Crystal, aperture: Aperture | None = None) -> Specimen:
    """The specimen in the beam: the atoms of a crystal in an orthogonal cell, which is the box."""
    return Specimen(crystal.positions, crystal.numbers, np.diag(crystal.cell).copy(), aperture)


def _repeat(cell: Crystal, repeats: tuple[int, int, int]) -> Crystal:
    """An orthogonal cell repeated along x, y, z."""
    lengths = np.diag(cell.cell)
    shifts = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), axis=-1)
    positions = (shifts.reshape(-1, 1, 3) * lengths + cell.positions).reshape(-1, 3)
    numbers = np.tile(cell.numbers, int(np.prod(repeats)))
    return Crystal(positions, numbers, np.diag(lengths * repeats), np.array([True, True, False]))


def _orthogonal_cell(
    cell: Float[np.ndarray, "3 3"], zone_axis: tuple[int, int, int], longest: float
) -> Int[np.ndarray, "3 3"]:
    """Integer combinations of the cell vectors that are orthogonal, the last along [uvw]."""
    axis = reduced_axis(zone_axis)
    along = axis @ cell
    indices = np.array(list(product(range(-_LARGEST_INDEX, _LARGEST_INDEX + 1), repeat=3)))
    vectors = indices @ cell
    lengths = np.linalg.norm(vectors, axis=1)
    cosine = np.abs(vectors @ along) / np.maximum(lengths, 1e-9) / np.linalg.norm(along)
    keep = (lengths > 1e-6) & (lengths <= longest) & (cosine < _ORTHOGONAL)
    order = np.argsort(lengths[keep], kind="stable")
    indices, vectors, lengths = (array[keep][order] for array in (indices, vectors, lengths))
    for i in range(len(indices)):
        cosines = np.abs(vectors @ vectors[i]) / lengths / lengths[i]
        partners = np.flatnonzero(cosines < _ORTHOGONAL)
        if len(partners):
            first, second = indices[i], indices[partners[0]]
            if np.linalg.det(np.stack([first, second, axis]) @ cell) < 0:
                second = -second
            return np.stack([first, second, axis])
    raise InputError(
        f"zone_axis {list(zone_axis)}: this lattice has no orthogonal cell narrower than "
        f"{longest:g} Å there, which a periodic slab needs; cut the crystal for an aperture "
        "instead (set specimen.aperture_diameter_angstrom), or choose another axis or a larger "
        "width_angstrom"
    )


def _fill(
    unit_cell: Crystal,
    matrix: Int[np.ndarray, "3 3"],
    vectors: Float[np.ndarray, "3 3"],
    lengths: Float[np.ndarray, "3"],
) -> tuple[Crystal, Float[np.ndarray, "3"]]:
    """The atoms of the orthogonal cell, turned so that its vectors lie along x, y, z.

    If a layer of atoms lay on its faces across the beam, these are moved into the middle of the
    widest gap: slices of whole cells, or of single layers, then cut through no layer.

    Returns:
        The cell, and where it has the origin of the unit cell [Å].
    """
    supercell = unit_cell.to_pymatgen().make_supercell(matrix, in_place=False)
    fractional = np.mod(np.round(supercell.cart_coords @ np.linalg.inv(vectors), 10), 1)
    heights = fractional[:, 2]
    near = np.minimum(heights, 1 - heights).min() * lengths[2] < _ON_A_FACE
    face = _middle_of_the_widest_gap(heights) if near else 0.0
    if face:
        fractional[:, 2] = np.mod(np.round(fractional[:, 2] - face, 10), 1)
    filled = Crystal(
        fractional * lengths,
        np.array(supercell.atomic_numbers, dtype=np.int64),
        np.diag(lengths),
        np.array([True, True, True]),
    )
    return filled, np.array([0.0, 0.0, -face * lengths[2]])


def _middle_of_the_widest_gap(heights: Float[np.ndarray, "n"]) -> float:
    """Of equal gaps, the one next to 0."""
    ordered = np.unique(heights)
    gaps = np.diff(ordered, append=ordered[0] + 1)
    widest = np.flatnonzero(gaps > gaps.max() - _SAME_GAP)
    middles = ordered[widest] + gaps[widest] / 2
    middles = np.where(middles > 0.5, middles - 1, middles)
    return float(middles[np.abs(middles).argmin()])
