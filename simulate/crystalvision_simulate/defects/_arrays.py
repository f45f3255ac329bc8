"""Point defects in an ordered array, one in each supercell."""

from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import parent_of, refuse_periodic
from crystalvision_simulate.defects._neighbours import shortest_distance_angstrom
from crystalvision_simulate.defects._parents import ideal_cell, sites_of

Order: TypeAlias = Literal["random", "periodic"]

_CLOSE = 0.02  # of the fraction asked for: what a fraction written with few digits may be off by
_ON_SITE = 0.4  # of the shortest distance, within which an atom is that of a site


def array_sites(
    crystal: Crystal,
    sites: Crystal,
    atoms: int,
    fraction: float,
    rng: np.random.Generator,
    defect: str,
) -> Float[np.ndarray, "n 3"]:
    """The places of an ordered array in a crystal that was cut [Å], (n, 3).

    In each supercell of n × n × n unit cells one and the same site is taken; which one is drawn.

    Args:
        crystal: The crystal, which repeats nowhere.
        sites: The sites of a unit cell that may be taken.
        atoms: The atoms of a unit cell of which the fraction is.
        fraction: 1 over the atoms of a supercell.
        rng: Draws the site.
        defect: Name of the defect, for errors.

    Raises:
        InputError: The crystal repeats, does not know what it was cut from, or no supercell has
            one defect for so many atoms.
    """
    refuse_periodic(crystal, f"{defect} with order: periodic")
    parent = parent_of(crystal, defect)
    cell = ideal_cell(parent)
    repeats = _repeats(atoms, fraction, defect)
    first = sites.positions[rng.integers(len(sites))]
    moved = first + rng.integers(repeats, size=3) @ cell.cell
    motif = Crystal(moved[None], cell.numbers[:1], repeats * cell.cell, cell.periodic)
    places, _ = sites_of(parent, motif, np.zeros(3), np.diag(crystal.cell))
    return places


def atoms_at(
    crystal: Crystal, places: Float[np.ndarray, "n 3"], candidates: Int[np.ndarray, "m"]
) -> Int[np.ndarray, "k"]:
    """Which of the candidates lie at places, ascending, (k,); one that is gone is left out."""
    if not len(places):
        return np.empty(0, dtype=np.int64)
    reach = _ON_SITE * shortest_distance_angstrom(ideal_cell(parent_of(crystal, "defect")))
    distance, nearest = cKDTree(crystal.positions[candidates]).query(places)
    found: Int[np.ndarray, "k"] = np.unique(candidates[nearest[distance < reach]])
    return found


def of_element(unit_cell: Crystal, number: int | None) -> Crystal:
    """The atoms of a unit cell that are of an element, or all of them."""
    chosen = np.ones(len(unit_cell), dtype=bool) if number is None else unit_cell.numbers == number
    return unit_cell.with_atoms(unit_cell.positions[chosen], unit_cell.numbers[chosen])


def _repeats(atoms: int, fraction: float, defect: str) -> int:
    """How often a unit cell is repeated along each vector for one defect in a supercell."""
    exact = (1 / (fraction * atoms)) ** (1 / 3) if fraction > 0 else np.inf
    if np.isfinite(exact):
        repeats = max(1, round(exact))
        if abs(repeats**3 * atoms * fraction - 1) <= _CLOSE:
            return repeats
    known = ", ".join(f"1/{atoms * n**3} ({1 / (atoms * n**3):.5g})" for n in (1, 2, 3, 4))
    raise InputError(
        f"{defect}: fraction {fraction:g} is not one defect in a supercell of n × n × n unit cells "
        f"of {atoms} atoms; expected {known} and so on with order: periodic"
    )
