"""Whether atoms of a cell can be as near to each other as they are."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from crystalvision.errors import InputError

_OF_BOND = 0.5  # of the sum of covalent radii: no bond is shorter
_NEAREST = 0.4  # Å
_OVERLAP = 0.05  # Å: such atoms are on one site
_DENSEST = 1.0  # Å³ an atom
_FARTHEST_BOND = 1.3  # sums of covalent radii


def check_distances(
    cell: Float[np.ndarray, "3 3"],
    fractional: Float[np.ndarray, "n 3"],
    numbers: Int[np.ndarray, "n"],
    labels: Sequence[str],
) -> None:
    """Refuse atoms nearer to each other than half a bond.

    Args:
        cell: Cell vectors as rows [Å], (3, 3).
        fractional: Fractional coordinates, (n, 3).
        numbers: Atomic numbers, (n,).
        labels: What to call each atom in the error.

    Raises:
        InputError: Two are too near.
    """
    from ase.data import covalent_radii

    volume = abs(np.linalg.det(cell))
    if volume / len(numbers) < _DENSEST:
        raise InputError(
            f"{len(numbers)} atoms in {volume:.3g} Å³ are nearer to each other than in any crystal;"
            " check the cell and the sites"
        )
    radii = np.array(covalent_radii)[numbers]
    first, second, distance = _pairs(cell, fractional, np.maximum(_OF_BOND * radii, _NEAREST / 2))
    if not len(first):
        return
    worst = int(np.argmin(distance))
    one, other = sorted((int(first[worst]), int(second[worst])))
    apart = float(distance[worst])
    if one == other:
        raise InputError(
            f"atom '{labels[one]}' is {apart:.3g} Å from its own image; check the cell"
        )
    where = ", ".join(f"{value:.4f}" for value in fractional[one])
    if apart < _OVERLAP:
        raise InputError(
            f"sites '{labels[one]}' and '{labels[other]}' are one place ({where}), which holds one "
            "atom; take one of them out, or the symmetry if the file lists all atoms"
        )
    raise InputError(
        f"sites '{labels[one]}' and '{labels[other]}' are {apart:.3g} Å apart at ({where}), nearer "
        "than half a bond; check the symmetry, the cell and the coordinates"
    )


def lonely_atom(
    cell: Float[np.ndarray, "3 3"],
    fractional: Float[np.ndarray, "n 3"],
    numbers: Int[np.ndarray, "n"],
) -> int | None:
    """An atom without any other within reach of a bond, if there is one: its index."""
    from ase.data import covalent_radii

    radii = _FARTHEST_BOND * np.array(covalent_radii)[numbers]
    first, _, _ = _pairs(cell, fractional, radii)
    alone = np.setdiff1d(np.arange(len(numbers)), first)
    return int(alone[0]) if len(alone) else None


def _pairs(
    cell: Float[np.ndarray, "3 3"],
    fractional: Float[np.ndarray, "n 3"],
    radii: Float[np.ndarray, "n"],
) -> tuple[Int[np.ndarray, "k"], Int[np.ndarray, "k"], Float[np.ndarray, "k"]]:
    """Pairs of atoms whose spheres overlap, and their distances [Å]."""
    from ase.neighborlist import primitive_neighbor_list

    first, second, distance = primitive_neighbor_list(
        "ijd", [True] * 3, cell, fractional @ cell, list(radii), numbers=None
    )
    return first, second, distance
