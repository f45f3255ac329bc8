"""How the neighbours of point defects give way."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.defects._neighbours import repeat_lengths, wrapped

_SHELL = 0.1  # Å between distances that are of two shells
_ITSELF = 0.3  # Å within which an atom is the defect itself
_GREATEST = 1.0  # Å: beyond it a neighbour has left its site
_REACH = 4.0  # mean distances of atoms in which shells are sought, for each of them


def check_moves(moves_angstrom: Sequence[float], defect: str) -> tuple[float, ...]:
    """Return the moves of shells of neighbours [Å].

    Raises:
        InputError: One is so long that a neighbour leaves its site.
    """
    for move in moves_angstrom:
        if not abs(move) <= _GREATEST:
            raise InputError(
                f"{defect}: relaxation_angstrom has {move:g}; expected -{_GREATEST:g} to "
                f"{_GREATEST:g} Å, negative towards the defect"
            )
    return tuple(map(float, moves_angstrom))


def relaxed(
    crystal: Crystal,
    centres: Float[np.ndarray, "k 3"],
    moves_angstrom: Sequence[float],
) -> Crystal:
    """A crystal whose atoms have moved away from point defects, or towards them.

    What several defects do to one atom adds.

    Args:
        crystal: The crystal, with the defects in it.
        centres: Where they are [Å], (k, 3).
        moves_angstrom: Move of the first, second, ... shell of neighbours of each [Å], along the
            line to it; positive is away from it.
    """
    if not moves_angstrom or not len(centres):
        return crystal
    lengths = repeat_lengths(crystal)
    tree = cKDTree(wrapped(crystal.positions, lengths), boxsize=lengths)
    spacing = float((crystal.volume_angstrom3 / len(crystal)) ** (1 / 3))
    reach = _REACH * spacing * len(moves_angstrom) ** (1 / 3)
    shifts = np.zeros_like(crystal.positions)
    places = wrapped(centres, lengths)
    for centre, near in zip(places, tree.query_ball_point(places, reach), strict=True):
        atoms = np.array(near, dtype=np.int64)
        away = crystal.positions[atoms] - centre
        away -= (
            np.where(lengths > 0, np.rint(away / np.where(lengths > 0, lengths, 1)), 0) * lengths
        )
        distance = np.linalg.norm(away, axis=1)
        order = np.argsort(distance, kind="stable")
        order = order[distance[order] > _ITSELF]
        shell = np.cumsum(np.diff(distance[order], prepend=distance[order][:1]) > _SHELL)
        moved = shell < len(moves_angstrom)
        moves = np.array(moves_angstrom)[shell[moved]]
        chosen = order[moved]
        shifts[atoms[chosen]] += (moves / distance[chosen])[:, None] * away[chosen]
    return crystal.with_atoms(crystal.positions + shifts, crystal.numbers)
