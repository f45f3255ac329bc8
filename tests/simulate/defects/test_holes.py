"""The holes of a crystal: where they are, and how long finding them takes as the cell grows."""

import time

import numpy as np
import pytest

from crystalvision.contracts import Crystal
from crystalvision_simulate.defects._holes import largest_holes
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

_CUBIC = [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
_SIDE = 4.05  # Å


def _aluminium(cells, sigma=0.0):
    """A face-centred cubic supercell, its atoms moved at random by `sigma` Å."""
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    positions = ((corners + np.array(_CUBIC)) * _SIDE).reshape(-1, 3)
    positions += np.random.default_rng(0).normal(0, sigma, positions.shape)
    return Crystal(
        positions,
        np.full(len(positions), 13, dtype=np.int64),
        np.eye(3) * _SIDE * cells,
        (True, True, True),
    )


@pytest.mark.parametrize("cells", [1, 2, 5])
def test_the_holes_of_a_cubic_metal_are_octahedral(cells):
    crystal = _aluminium(cells)
    holes = largest_holes(crystal)
    assert len(holes) == len(crystal)  # as many as atoms
    halves = holes.positions / (_SIDE / 2)
    assert np.allclose(halves, np.round(halves), atol=1e-6)
    assert (np.round(halves).sum(axis=1) % 2 == 1).all()


def test_a_supercell_has_the_holes_of_its_cell_in_each():
    cell = beta_silicon_nitride()
    shifts = np.array([(a, b, c) for a in range(2) for b in range(3) for c in range(4)]) @ cell.cell
    big = Crystal(
        (cell.positions + shifts[:, None]).reshape(-1, 3),
        np.tile(cell.numbers, len(shifts)),
        cell.cell * [[2], [3], [4]],
        cell.periodic,
    )
    small = largest_holes(cell)
    assert len(largest_holes(big)) == len(shifts) * len(small)


def test_a_relaxed_supercell_takes_seconds():
    crystal = _aluminium(12, sigma=0.05)  # 6,912 atoms; their 27 images took minutes
    begun = time.process_time()
    holes = largest_holes(crystal)
    assert time.process_time() - begun < 20
    assert 1 <= len(holes) < 10
