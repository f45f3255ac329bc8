"""The sites within a box are those that a search through many cells finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from crystalvision.contracts import Crystal, Parent
from crystalvision_simulate.lattice import sites_in_box

CELL = np.array([[3.1, 0.0, 0.0], [0.9, 4.2, 0.0], [-1.1, 0.7, 2.7]])
SITES = np.array([[0.0, 0.0, 0.0], [0.4, 0.6, 0.3], [0.9, 0.1, 0.8]])
NUMBERS = np.array([14, 8, 8])


def parent(rotation=None, origin=(0.0, 0.0, 0.0), cell=CELL, sites=SITES, numbers=NUMBERS):
    crystal = Crystal(sites @ cell, numbers, cell, np.array([True] * 3))
    return Parent(crystal, np.eye(3) if rotation is None else rotation, np.array(origin))


def by_search(of, lower, upper, reach=14):
    """Every site of so many cells, then those in the box."""
    cells = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), -1)
    motif = of.unit_cell.positions @ of.rotation.T + of.origin_angstrom
    sites = ((cells.reshape(-1, 3) @ of.vectors)[:, None] + motif).reshape(-1, 3)
    numbers = np.tile(of.unit_cell.numbers, len(cells.reshape(-1, 3)))
    inside = ((sites >= lower) & (sites < upper)).all(axis=1)
    return sites[inside], numbers[inside]


def ordered(positions, numbers):
    rows = np.column_stack([numbers, positions.round(6)])
    return rows[np.lexsort(rows.T)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    lower=st.tuples(*[st.floats(-6, 2)] * 3),
    size=st.tuples(*[st.floats(0.3, 11)] * 3),
)
def test_a_crystal_that_lies_in_any_way(seed, lower, size):
    rng = np.random.default_rng(seed)
    of = parent(Rotation.random(random_state=seed).as_matrix(), rng.uniform(-3, 3, 3))
    lower = np.array(lower)
    upper = lower + size
    found, expected = sites_in_box(of, lower, upper), by_search(of, lower, upper)
    assert ordered(*found) == pytest.approx(ordered(*expected), abs=1e-6)


def test_boxes_side_by_side_share_no_site_and_miss_none():
    """Faces lie on atomic planes; rounding of a turned crystal must not matter there."""
    for turn in (0.0, 90.0, 180.0, 270.0):
        of = parent(
            Rotation.from_euler("z", turn, degrees=True).as_matrix(),
            cell=np.eye(3) * 2.0,
            sites=np.zeros((1, 3)),
            numbers=np.array([29]),
        )
        whole = sites_in_box(of, np.zeros(3), np.array([12.0, 12.0, 12.0]))[0]
        halves = [
            sites_in_box(of, np.array([x, 0.0, 0.0]), np.array([x + 6.0, 12.0, 12.0]))[0]
            for x in (0.0, 6.0)
        ]
        assert len(whole) == 6**3
        assert len(np.unique(np.concatenate(halves).round(6), axis=0)) == sum(map(len, halves))
        assert sum(map(len, halves)) == len(whole)


def test_a_box_between_the_sites_is_empty():
    positions, numbers = sites_in_box(parent(), np.full(3, 0.2), np.full(3, 0.3))
    assert positions.shape == (0, 3)
    assert numbers.shape == (0,)
