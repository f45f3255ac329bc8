"""Slabs are pieces of the crystal they were cut from."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.lattice import sites_in_box
from crystalvision_simulate.specimens import SlabCutter, specimen_of
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

CATALOGUE = Catalogue.load()
CUBIC = Crystal(
    np.array([[0, 0, 0], [0, 2.025, 2.025], [2.025, 0, 2.025], [2.025, 2.025, 0]]),
    np.full(4, 13),
    np.eye(3) * 4.05,
    np.array([True] * 3),
)


@pytest.mark.parametrize(
    ("crystal", "axis"),
    [
        (beta_silicon_nitride(), (0, 0, 1)),
        (beta_silicon_nitride(), (1, 0, 0)),
        (CUBIC, (0, 0, 1)),
        (CUBIC, (1, 1, 0)),
        (CUBIC, (1, 1, 1)),
        (CUBIC, (1, 1, 2)),
    ],
)
def test_every_atom_has_the_neighbourhood_of_the_crystal(crystal, axis):
    slab = SlabCutter(crystal, zone_axis=axis, width_angstrom=20).cut(30)
    box = np.diag(slab.cell)
    assert len(slab) / box.prod() == pytest.approx(len(crystal) / crystal.volume_angstrom3)
    wrapped = slab.positions % box
    near = cKDTree(wrapped, boxsize=box).query(wrapped, k=13)[0][:, 1:]
    copies = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), -1).reshape(-1, 3)
    lattice = (crystal.positions + (copies @ crystal.cell)[:, None]).reshape(-1, 3)
    ideal = cKDTree(lattice).query(crystal.positions, k=13)[0][:, 1:]
    assert np.unique(near.round(4), axis=0) == pytest.approx(
        np.unique(ideal.round(4), axis=0), abs=2e-4
    )


def test_widths_and_thickness_are_met_as_nearly_as_repeats_allow():
    specimen = specimen_of(SlabCutter(beta_silicon_nitride(), width_angstrom=60).cut(100))
    assert specimen.box_angstrom == pytest.approx(
        [8 * 7.608, 5 * 7.608 * np.sqrt(3), 34 * 2.911], abs=1e-3
    )
    assert specimen.positions.min() >= 0
    assert (specimen.positions < specimen.box_angstrom).all()


def test_slabs_are_quick_and_of_the_asked_thickness():
    cutter = SlabCutter(beta_silicon_nitride(), width_angstrom=30)
    for thickness in (2.0, 50.0, 150.0):
        assert abs(np.diag(cutter.cut(thickness).cell)[2] - thickness) <= 2.911 / 2
    with pytest.raises(InputError, match=r"repeats along this zone axis only every 2\.911 Å"):
        cutter.cut(1.0)


def test_an_ase_and_a_pymatgen_crystal_give_the_same_slab():
    ours = beta_silicon_nitride()
    slabs = [
        SlabCutter(crystal, zone_axis=(1, 0, 0), width_angstrom=20).cut(30)
        for crystal in (
            ours,
            Crystal.from_ase(ours.to_ase()),
            Crystal.from_pymatgen(ours.to_pymatgen()),
        )
    ]
    for slab in slabs[1:]:
        assert np.array_equal(slab.numbers, slabs[0].numbers)
        assert slab.positions == pytest.approx(slabs[0].positions, abs=1e-9)
        assert slab.cell == pytest.approx(slabs[0].cell, abs=1e-9)
        assert slab.parent is not None


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 1, 0), (1, 1, 1)])
@pytest.mark.parametrize("name", ["aluminium", "iron", "silicon"])
def test_faces_lie_between_layers_and_the_parent_knows_where(name, axis):
    unit_cell = CATALOGUE.create("structure", name, {})
    slab = SlabCutter(unit_cell, zone_axis=axis, width_angstrom=30).cut(30)
    heights = np.unique(np.round(slab.positions[:, 2], 6))
    assert min(heights[0], slab.cell[2, 2] - heights[-1]) >= min(0.2, np.diff(heights).max() / 2)
    sites, numbers = sites_in_box(slab.parent, np.zeros(3), np.diag(slab.cell))
    assert len(sites) == len(slab)
    apart, nearest = cKDTree(slab.positions).query(sites)
    assert apart.max() < 1e-3
    assert np.array_equal(slab.numbers[nearest], numbers)


@pytest.mark.parametrize("name", ["si3n4-alpha", "si3n4-beta"])
def test_a_crystal_without_a_layer_on_its_faces_is_cut_as_it_comes(name):
    slab = SlabCutter(CATALOGUE.create("structure", name, {}), width_angstrom=30).cut(30)
    assert not slab.parent.origin_angstrom.any()


def test_axes_without_an_orthogonal_cell_are_refused():
    with pytest.raises(InputError, match=r"zone_axis \[0, 0, 0\]; expected|zone_axis is \[0, 0, 0"):
        SlabCutter(CUBIC, zone_axis=(0, 0, 0))
    with pytest.raises(
        InputError,
        match=r"no orthogonal cell narrower than 30 Å there, which .* specimen\.aperture_diam",
    ):
        SlabCutter(beta_silicon_nitride(), zone_axis=(1, 2, 3), width_angstrom=20)
