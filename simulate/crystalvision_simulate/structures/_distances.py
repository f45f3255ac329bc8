"""Whether atoms of a cell can be as near to each other as they are."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from crystalvision.errors import InputError

_SHORTEST, _LONGEST = 0.5, 10_000.0  # Å
_FLATTEST = 0.3  # Å between lattice planes
_OF_BOND = 0.5  # of the sum of covalent radii: no bond is shorter
_NEAREST = 0.4  # Å
_OVERLAP = 0.05  # Å: such atoms are on one site
_DENSEST = 1.0  # Å³ an atom
_FARTHEST_BOND = 1.3  # sums of covalent radii
_NEIGHBOURS = 12  # of an atom that are looked at: enough for one that is too near
_BOXES = 100_000


def check_cell(cell: Float[np.ndarray, "3 3"]) -> None:
    """Refuse cells of sizes and shapes that no crystal has: whatever follows would take for ever.

    Args:
        cell: Cell vectors as rows [Å], (3, 3).

    Raises:
        InputError: A vector is too short or too long, or lattice planes are too near.
    """
    lengths = np.linalg.norm(np.clip(cell, -2 * _LONGEST, 2 * _LONGEST), axis=1)
    vectors = f"the cell vectors are {', '.join(f'{length:.6g}' for length in lengths)} Å long"
    if not ((lengths >= _SHORTEST) & (lengths <= _LONGEST)).all():
        raise InputError(f"{vectors}; expected lengths from {_SHORTEST:g} to {_LONGEST:g} Å")
    volume = abs(float(np.linalg.det(cell)))
    if volume < 1e-9 * lengths.prod() or volume < _FLATTEST * lengths.prod() / lengths.min():
        raise InputError(f"{vectors}, but span only {volume:.3g} Å³: flatter than any crystal")


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
        InputError: Two are too near, or the cell is none.
    """
    from ase.data import covalent_radii

    check_cell(cell)

    volume = abs(np.linalg.det(cell))
    if volume / len(numbers) < _DENSEST:
        raise InputError(
            f"{len(numbers)} atoms in {volume:.3g} Å³ are nearer to each other than in any crystal;"
            " check the cell and the sites"
        )
    found = _coincident(fractional)
    if found is None:
        radii = np.maximum(_OF_BOND * np.array(covalent_radii)[numbers], _NEAREST / 2)
        first, second, distance = _pairs(cell, fractional, radii)
        if not len(first):
            return
        worst = int(np.argmin(distance))
        found = int(first[worst]), int(second[worst]), float(distance[worst])
    raise _too_near(found, fractional, labels)


def _too_near(
    found: tuple[int, int, float], fractional: Float[np.ndarray, "n 3"], labels: Sequence[str]
) -> InputError:
    """What is wrong with two atoms and their distance [Å]."""
    one, other = sorted(found[:2])
    apart = found[2]
    if one == other:
        return InputError(
            f"atom '{labels[one]}' is {apart:.3g} Å from its own image; check the cell"
        )
    where = ", ".join(f"{value:.4f}" for value in fractional[one])
    if apart < _OVERLAP:
        return InputError(
            f"sites '{labels[one]}' and '{labels[other]}' are one place ({where}), which holds one "
            "atom; take one of them out, or the symmetry if the file lists all atoms"
        )
    if labels[one] == labels[other]:
        return InputError(
            f"site '{labels[one]}' at ({where}) is {apart:.3g} Å from an image of its own, nearer "
            "than half a bond; check the symmetry and the coordinates, or write them with more "
            "digits"
        )
    return InputError(
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
    from scipy.spatial import cKDTree

    reach = 2 * float(radii.max())
    fractional = fractional % 1.0
    around, atom, home = _padded(cell, fractional, reach)
    distance, image = cKDTree(around @ cell).query(
        fractional @ cell, k=min(_NEIGHBOURS, len(around)), distance_upper_bound=reach
    )
    distance, image = (each.reshape(len(fractional), -1) for each in (distance, image))
    row, column = np.nonzero(np.isfinite(distance))
    other, apart = image[row, column], distance[row, column]
    kept = ~(home[other] & (atom[other] == row)) & (apart < radii[row] + radii[atom[other]])
    return row[kept], atom[other[kept]], apart[kept]


def _padded(
    cell: Float[np.ndarray, "3 3"], fractional: Float[np.ndarray, "n 3"], reach: float
) -> tuple[Float[np.ndarray, "k 3"], Int[np.ndarray, "k"], Bool[np.ndarray, "k"]]:
    """Atoms of the cell and their images within a reach [Å] of it.

    Returns:
        Fractional coordinates, the atom that each is of, and whether it is that atom itself.
    """
    atom, home = np.arange(len(fractional)), np.ones(len(fractional), dtype=bool)
    for axis, pad in enumerate(reach * np.linalg.norm(np.linalg.inv(cell), axis=0)):
        parts = []
        for shift in range(-int(np.ceil(pad)), int(np.ceil(pad)) + 1):
            moved = fractional + shift * np.eye(3)[axis]
            near = (moved[:, axis] >= -pad) & (moved[:, axis] <= 1 + pad)
            parts.append((moved[near], atom[near], home[near] & (shift == 0)))
        fractional, atom, home = (np.concatenate(each) for each in zip(*parts, strict=True))
    return fractional, atom, home


def _coincident(fractional: Float[np.ndarray, "n 3"]) -> tuple[int, int, float] | None:
    """Two atoms at one place, if there are any: thousands of them would be slow to search."""
    boxes = np.floor(fractional % 1.0 * _BOXES).astype(np.int64) @ (1, _BOXES, _BOXES**2)
    _, first, which = np.unique(
        boxes,
        return_index=True,
        return_inverse=True,
    )
    again = np.flatnonzero(first[which.ravel()] != np.arange(len(fractional)))
    for index in again[:_NEIGHBOURS]:
        other = int(first[which.ravel()[index]])
        if abs(fractional[index] - fractional[other]).max() < 1e-6:
            return other, int(index), 0.0
    return None
