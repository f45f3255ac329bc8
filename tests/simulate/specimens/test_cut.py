"""Cut crystals are the crystal, turned as they say, and diffract where they say."""

from itertools import product
from math import gcd

import numpy as np
import pytest
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.specimens import CrystalCutter, aperture_of, specimen_of
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

A_ALUMINIUM = 4.04958
FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def periodic(fractional, numbers, cell):
    cell = np.asarray(cell, dtype=float)
    return Crystal(np.asarray(fractional) @ cell, np.array(numbers), cell, np.array([True] * 3))


ALUMINIUM = periodic(FCC, [13] * 4, np.eye(3) * A_ALUMINIUM)
TRICLINIC = periodic(
    [[0.1, 0.2, 0.3], [0.6, 0.7, 0.55]],
    [14, 8],
    [[5.1, 0, 0], [1.3, 6.2, 0], [-0.9, 1.7, 7.4]],
)
ZONE_AXES = [
    axis for axis in product(range(4), repeat=3) if sorted(axis) == list(axis) and gcd(*axis) == 1
] + [(0, 1, 4), (1, 1, 4), (1, 2, 4)]


def test_there_are_sixteen_zone_axes():
    assert len(ZONE_AXES) == 16


def allowed(hkl):
    """Whether face centring lets a reflection be."""
    return len({index % 2 for index in hkl}) == 1


def shortest_allowed_length(axis, reach=6):
    """Length of the shortest reflection of an fcc crystal in a zone [1/Å], found by trying all."""
    lengths = [
        np.linalg.norm(hkl) / A_ALUMINIUM
        for hkl in product(range(-reach, reach + 1), repeat=3)
        if any(hkl) and allowed(hkl) and np.dot(hkl, axis) == 0
    ]
    return min(lengths)


def reflections_along(parent, vector, reach=6):
    """Indices of the reflections of fcc along a direction, shortest first."""
    found = []
    for hkl in product(range(-reach, reach + 1), repeat=3):
        g = parent.reciprocal(hkl)
        if any(hkl) and allowed(hkl) and np.allclose(g / np.linalg.norm(g), vector, atol=1e-9):
            found.append(hkl)
    return sorted(found, key=np.linalg.norm)


def density(crystal):
    """Atoms a volume [1/Å³], weighted by a window that falls to zero at the faces.

    Whether a layer lies just within a face or just outside does not matter to it, as it would to
    the number of atoms in the box; a layer left out or doubled does.
    """
    box = np.diag(crystal.cell)
    window = 1 - np.cos(2 * np.pi * crystal.positions / box)  # one on average
    return window.prod(axis=1).sum() / box.prod()


def unit(vector):
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("axis", ZONE_AXES)
def test_every_zone_axis_of_aluminium(axis):
    crystal = CrystalCutter(ALUMINIUM, zone_axis=axis, width_angstrom=51).cut(51)
    parent = crystal.parent
    assert unit(parent.direction(axis)) == pytest.approx([0, 0, 1], abs=1e-12)
    (shortest, *_) = reflections_along(parent, [1, 0, 0])
    assert np.dot(shortest, axis) == 0
    assert np.linalg.norm(parent.reciprocal(shortest)) == pytest.approx(
        shortest_allowed_length(axis)
    )
    assert np.linalg.det(parent.rotation) == pytest.approx(1)
    assert density(crystal) == pytest.approx(4 / A_ALUMINIUM**3, rel=1e-3)
    _check_neighbours(crystal, A_ALUMINIUM / np.sqrt(2), 12)


def _check_neighbours(crystal, nearest, count):
    """Every atom within the box has the neighbours of the crystal, and none is nearer."""
    tree = cKDTree(crystal.positions)
    distances = tree.query(crystal.positions, k=count + 1)[0][:, 1:]
    assert distances.min() == pytest.approx(nearest, abs=1e-9)
    deep = (crystal.positions > nearest) & (crystal.positions < np.diag(crystal.cell) - nearest)
    assert distances[deep.all(axis=1)] == pytest.approx(nearest, abs=1e-9)


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 2, 3), (-1, 1, 2)])
@pytest.mark.parametrize("rotation_deg", [0.0, 37.5])
def test_a_triclinic_crystal_lies_as_its_parent_says(axis, rotation_deg):
    cutter = CrystalCutter(TRICLINIC, zone_axis=axis, width_angstrom=60, rotation_deg=rotation_deg)
    crystal = cutter.cut(70)
    parent = crystal.parent
    assert unit(parent.direction(axis)) == pytest.approx([0, 0, 1], abs=1e-12)
    zone = [hkl for hkl in product(range(-6, 7), repeat=3) if any(hkl) and np.dot(hkl, axis) == 0]
    shortest = min(np.linalg.norm(parent.reciprocal(hkl)) for hkl in zone)
    angle = np.deg2rad(rotation_deg)
    along_x = shortest * np.array([np.cos(angle), np.sin(angle), 0])
    assert min(np.linalg.norm(parent.reciprocal(hkl) - along_x) for hkl in zone) < 1e-9
    fractional = (crystal.positions - parent.origin_angstrom) @ np.linalg.inv(parent.vectors)
    for number, site in ((14, [0.1, 0.2, 0.3]), (8, [0.6, 0.7, 0.55])):
        from_lattice = fractional[crystal.numbers == number] - site
        assert from_lattice == pytest.approx(np.rint(from_lattice), abs=1e-9)
    assert len(np.unique(fractional.round(6), axis=0)) == len(crystal)
    assert density(crystal) == pytest.approx(2 / TRICLINIC.volume_angstrom3, rel=1e-3)


@pytest.mark.parametrize("axis", [(0, 1, 1), (1, 1, 2), (1, 2, 4)])
def test_a_primitive_cell_is_turned_as_the_conventional_one(axis):
    """[uvw] of the conventional cell is another triple of the primitive one, of the same length."""
    primitive = periodic([[0, 0, 0]], [13], (np.ones((3, 3)) - np.eye(3)) * A_ALUMINIUM / 2)
    indices = np.linalg.solve(primitive.cell.T, np.array(axis) @ ALUMINIUM.cell)
    indices = np.rint(indices * 2).astype(int)
    one, other = (
        CrystalCutter(cell, zone_axis=tuple(of), width_angstrom=40).cut(40)
        for cell, of in ((ALUMINIUM, axis), (primitive, indices.tolist()))
    )
    (hkl, *_) = reflections_along(one.parent, [1, 0, 0])
    length = np.linalg.norm(one.parent.reciprocal(hkl))
    near = [
        other.parent.reciprocal(indices)
        for indices in product(range(-6, 7), repeat=3)
        if np.linalg.norm(other.parent.reciprocal(indices)[1:]) < 1e-9 and any(indices)
    ]
    assert min(np.linalg.norm(g) for g in near) == pytest.approx(length)


def test_the_box_is_exact_and_periodic_nowhere():
    crystal = CrystalCutter(beta_silicon_nitride(), zone_axis=(1, 0, 1), width_angstrom=33.3).cut(
        21.7
    )
    assert np.array_equal(crystal.cell, np.diag([33.3, 33.3, 21.7]))
    assert not crystal.periodic.any()
    assert crystal.positions.min() > -1e-5
    assert (crystal.positions < np.diag(crystal.cell)).all()
    assert crystal.parent.origin_angstrom[:2] == pytest.approx([33.3 / 2] * 2)
    assert np.array_equal(specimen_of(crystal).box_angstrom, [33.3, 33.3, 21.7])


def test_the_faces_lie_between_layers():
    """Layers of [001] are 2.025 Å apart: the faces must cut none, whatever the thickness."""
    half = A_ALUMINIUM / 4
    cutter = CrystalCutter(ALUMINIUM, zone_axis=(0, 0, 1), width_angstrom=30)
    for thickness in (40 * half, 42 * half, 70.0, 71.0, 72.5):
        heights = cutter.cut(thickness).positions[:, 2]
        assert heights.min() == pytest.approx(half)
        assert 0 < thickness - heights.max() <= 3 * half + 1e-9
        layers = np.unique(heights.round(6))
        assert len(layers) == round((thickness - 1e-6) / (2 * half))


def test_unit_cells_cut_again_give_the_same_crystal():
    cutter = CrystalCutter(ALUMINIUM, zone_axis=(1, 1, 2), width_angstrom=40)
    first, second = cutter.cut(30), cutter.cut(30)
    assert np.array_equal(first.positions, second.positions)
    assert np.array_equal(first.numbers, second.numbers)


@pytest.mark.parametrize(
    ("axis", "rotation_deg"), [((0, 0, 1), 0.0), ((1, 1, 2), 0.0), ((1, 2, 3), 23.0)]
)
def test_it_diffracts_at_the_reflections_of_the_zone_and_nowhere_else(axis, rotation_deg):
    """A direct sum over the atoms behind the aperture, with the Ewald sphere flat."""
    period = np.linalg.norm(axis) * A_ALUMINIUM  # so that reflections of other zones are extinct
    crystal = CrystalCutter(
        ALUMINIUM, zone_axis=axis, width_angstrom=110, rotation_deg=rotation_deg
    ).cut(period)
    aperture = aperture_of(80, 110)
    x, y, _ = (crystal.positions - np.diag(crystal.cell) / 2).T
    weights = aperture.transmission(np.hypot(x, y))
    zone = [hkl for hkl in product(range(-5, 6), repeat=3) if np.dot(hkl, axis) == 0]
    spots = np.array([crystal.parent.reciprocal(hkl) for hkl in zone if allowed(hkl)])
    assert spots[:, 2] == pytest.approx(0, abs=1e-12)
    spots = spots[np.linalg.norm(spots, axis=1) < 1, :2]
    assert len(spots) >= 5
    at_spots = np.exp(-2j * np.pi * spots @ np.stack([x, y])) @ weights
    assert abs(at_spots) / weights.sum() == pytest.approx(1, abs=0.01)
    grid = np.arange(-0.6, 0.6, 0.009)
    along_x, along_y = (np.exp(-2j * np.pi * np.outer(grid, of)) for of in (x, y))
    elsewhere = abs((along_y * weights) @ along_x.T) / weights.sum()
    q = np.stack(np.meshgrid(grid, grid), axis=-1)
    far = cKDTree(spots).query(q)[0] > 6 / aperture.diameter_angstrom
    assert far.sum() > 1000
    assert elsewhere[far].max() < 0.005


def test_many_atoms_are_all_there():
    crystal = CrystalCutter(ALUMINIUM, zone_axis=(1, 2, 3), width_angstrom=250).cut(80)
    assert len(crystal) == pytest.approx(250 * 250 * 80 * 4 / A_ALUMINIUM**3, rel=0.003)
    assert len(crystal) > 300_000


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"zone_axis": (0, 0, 0)}, r"zone_axis is \[0, 0, 0\]; expected a direction such as"),
        ({"width_angstrom": 0.0}, r"width_angstrom is 0; expected a positive number of Å"),
        ({"width_angstrom": float("nan")}, r"width_angstrom is nan; expected a positive number"),
    ],
)
def test_what_cannot_be_cut_is_refused(options, error):
    with pytest.raises(InputError, match=error):
        CrystalCutter(ALUMINIUM, **{"zone_axis": (0, 0, 1), "width_angstrom": 20.0, **options})


def test_a_thickness_without_atoms_is_refused():
    cutter = CrystalCutter(ALUMINIUM, zone_axis=(0, 0, 1), width_angstrom=20)
    with pytest.raises(InputError, match=r"no atom lies in a box of 20 × 20 × 0\.5 Å; make"):
        cutter.cut(0.5)
    with pytest.raises(InputError, match="thickness_angstrom is -3; expected a positive number"):
        cutter.cut(-3)


def test_an_aperture_has_a_soft_edge_within_the_box():
    aperture = aperture_of(60, 80)
    assert aperture.transmission(np.array([0, 23.9, 30, 36.1])) == pytest.approx([1, 1, 0.5, 0])
    assert 36 + 4 <= 80 / 2


def test_an_aperture_that_does_not_fit_is_refused_with_the_width_that_it_needs():
    with pytest.raises(
        InputError,
        match=r"aperture_diameter_angstrom is 61, but in a box 80 Å wide its soft edge leaves room "
        r"for 60 at most; make it smaller, or width_angstrom 81\.2 or more",
    ):
        aperture_of(61, 80)
    aperture_of(61, 81.2)
    with pytest.raises(InputError, match="aperture_diameter_angstrom is 0; expected a positive"):
        aperture_of(0, 80)
