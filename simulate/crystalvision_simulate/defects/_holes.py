"""The sites that a crystal leaves empty."""

import warnings
from functools import lru_cache
from itertools import product

import numpy as np
from jaxtyping import Float
from scipy.spatial import Voronoi, cKDTree

from crystalvision.contracts import Crystal

_SAME = 1e-3  # Å within which two sites, or two distances, are the same
_NUMBER = 1  # atomic number that stands for a hole


@lru_cache(maxsize=64)  # a recipe has few unit cells, and asks for each sample
def largest_holes(unit_cell: Crystal) -> Crystal:
    """The points of a unit cell that lie farthest from every atom, as a crystal of holes.

    They are corners of the atoms' Voronoi cells (the points with at least four nearest atoms).
    """
    shifts = np.array(list(product((-1, 0, 1), repeat=3))) @ unit_cell.cell
    atoms = (unit_cell.positions + shifts[:, None]).reshape(-1, 3)
    corners = Voronoi(atoms).vertices
    fractional = corners @ np.linalg.inv(unit_cell.cell)
    corners = corners[((fractional > -0.01) & (fractional < 1.01)).all(axis=1)]
    distances, _ = cKDTree(atoms).query(corners)
    farthest = corners[distances > distances.max() - _SAME]
    return _crystal_of(unit_cell, farthest @ np.linalg.inv(unit_cell.cell))


@lru_cache(maxsize=64)
def equivalent_sites(unit_cell: Crystal, site: tuple[float, float, float]) -> Crystal:
    """All that the symmetry of a crystal makes of a site, as a crystal of holes.

    Args:
        unit_cell: The crystal.
        site: Fractional coordinates.
    """
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spglib warns of how pymatgen calls it
        operations = SpacegroupAnalyzer(unit_cell.to_pymatgen()).get_symmetry_operations()
    return _crystal_of(unit_cell, np.array([operation.operate(site) for operation in operations]))


def _crystal_of(unit_cell: Crystal, fractional: Float[np.ndarray, "n 3"]) -> Crystal:
    """Each site once, wherever lattice translations put it."""
    kept: list[Float[np.ndarray, "3"]] = []
    for site in np.mod(fractional, 1):
        apart = [site - other - np.round(site - other) for other in kept]
        if all(np.linalg.norm(step @ unit_cell.cell) > 10 * _SAME for step in apart):
            kept.append(site)
    positions = np.array(kept) @ unit_cell.cell
    return Crystal(
        positions,
        np.full(len(kept), _NUMBER, dtype=np.int64),
        unit_cell.cell,
        unit_cell.periodic,
    )
