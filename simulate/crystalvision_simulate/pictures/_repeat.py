"""How far apart equal layers of a crystal lie along a zone axis."""

import numpy as np

from crystalvision.contracts import Crystal
from crystalvision_simulate.specimens._axis import reduced_axis

_SAME_SITE = 1e-3  # Å


def repeat_angstrom(unit_cell: Crystal, zone_axis: tuple[int, int, int]) -> float:
    """The shortest distance along [uvw] after which the crystal repeats [Å].

    Args:
        unit_cell: The crystal; of a centred cell, its own lattice points count.
        zone_axis: Indices [uvw].

    Raises:
        InputError: The zone axis is [0, 0, 0].
    """
    axis = reduced_axis(zone_axis)
    length = float(np.linalg.norm(axis @ unit_cell.cell))
    fractional = unit_cell.positions @ np.linalg.inv(unit_cell.cell)
    alike = unit_cell.numbers[:, None] == unit_cell.numbers
    for parts in (4, 3, 2):
        apart = (fractional + axis / parts)[:, None] - fractional
        distance = np.linalg.norm((apart - np.rint(apart)) @ unit_cell.cell, axis=-1)
        if ((distance < _SAME_SITE) & alike).any(axis=1).all():
            return length / parts
    return length
