"""How far apart equal layers of a crystal lie along a zone axis."""

import numpy as np

from crystalvision.contracts import Crystal
from crystalvision_simulate.specimens import Sites, reduced_axis


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
    sites = Sites(unit_cell)
    for parts in (4, 3, 2):
        if sites.repeat_after(axis / parts):
            return length / parts
    return length
