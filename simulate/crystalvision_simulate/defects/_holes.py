"""The sites that a crystal leaves empty."""

import warnings
from functools import lru_cache
from itertools import product

import numpy as np
from jaxtyping import Float
from scipy.spatial import Voronoi, cKDTree

from crystalvision.contracts import Crystal

_SAME = 1e-3  # Å within which two sites, or two distances, are the same
_EDGE = 0.01  # of the cell, by which corners on its faces may lie outside for rounding
_MARGIN = 3.0  # atoms so many spacings off the cell are taken, before it is known to suffice
_SMALL = 500  # atoms
_HALF = 0.49  # as far as steps in a periodic cell are the shortest ones
_NUMBER = 1  # atomic number that stands for a hole


@lru_cache(maxsize=64)  # a recipe has few unit cells, and asks for each sample
def largest_holes(unit_cell: Crystal) -> Crystal:
    """The points of a unit cell that lie farthest from every atom, as a crystal of holes.

    They are corners of the atoms' Voronoi cells (the points with at least four nearest atoms).
    """
    inverse = np.linalg.inv(unit_cell.cell)
    shifts = np.array(list(product((-1, 0, 1), repeat=3))) @ unit_cell.cell
    images = (unit_cell.positions + shifts[:, None]).reshape(-1, 3)
    spacing = np.cbrt(abs(np.linalg.det(unit_cell.cell)) / len(unit_cell))
    # All images of a small cell, in whose order the holes of datasets were found so far.
    margin = _MARGIN * spacing if len(unit_cell) > _SMALL else np.inf
    while True:
        # An atom farther off the cell than its largest hole is wide bounds no hole in it.
        reach = _EDGE + margin * np.linalg.norm(inverse, axis=0)
        places = images @ inverse
        near = ((places > -reach) & (places < 1 + reach)).all(axis=1)
        atoms = images[near]
        corners = Voronoi(atoms).vertices
        fractional = corners @ inverse
        corners = corners[((fractional > -_EDGE) & (fractional < 1 + _EDGE)).all(axis=1)]
        distances = cKDTree(atoms).query(corners)[0] if len(corners) else np.array([np.inf])
        if near.all() or distances.max() < margin:
            break
        margin *= 2
    farthest = corners[distances > distances.max() - _SAME]
    return _crystal_of(unit_cell, farthest @ inverse)


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
    sites = np.mod(fractional, 1)
    sites[sites == 1] = 0  # what rounding makes of the least negative numbers
    # No step is shorter than its fractional length times the cell's least singular value.
    reach = 10 * _SAME / np.linalg.svd(unit_cell.cell, compute_uv=False)[-1]
    pairs = cKDTree(sites, boxsize=1).query_pairs(min(reach, _HALF), output_type="ndarray")
    steps = sites[pairs[:, 0]] - sites[pairs[:, 1]]
    close = np.linalg.norm((steps - np.round(steps)) @ unit_cell.cell, axis=1) <= 10 * _SAME
    pairs = pairs[close]
    keep = np.ones(len(sites), dtype=bool)
    for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        if keep[first]:
            keep[second] = False
    kept = sites[keep]
    positions = kept @ unit_cell.cell
    return Crystal(
        positions,
        np.full(len(kept), _NUMBER, dtype=np.int64),
        unit_cell.cell,
        unit_cell.periodic,
    )
