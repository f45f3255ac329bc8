"""Each defect against what theory says of it."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.defects.edge_dislocation import EdgeDislocation, Field
from crystalvision_simulate.defects.interstitial import Interstitial
from crystalvision_simulate.defects.strain import Strain
from crystalvision_simulate.defects.substitution import Substitution
from crystalvision_simulate.defects.twin import Twin
from crystalvision_simulate.lattice import sites_in_box
from crystalvision_simulate.specimens import CrystalCutter, SlabCutter

CATALOGUE = Catalogue.load()
RNG = np.random.default_rng


def cut(name, zone_axis=(1, -1, 0), width=48.0, thickness=24.0):
    unit_cell = CATALOGUE.create("structure", name, {})
    return CrystalCutter(unit_cell, zone_axis=zone_axis, width_angstrom=width).cut(thickness)


def nearest(crystal):
    distances, _ = cKDTree(crystal.positions).query(crystal.positions, k=2)
    return distances[:, 1]


def inner(crystal, margin=6.0):
    box = np.diag(crystal.cell)
    return ((crystal.positions > margin) & (crystal.positions < box - margin)).all(axis=1)


def brightness(crystal, g, diameter=30.0):
    """|Σ exp(−2πi g·r)| per atom, softly windowed about the middle."""
    apart = crystal.positions - np.diag(crystal.cell) / 2
    weight = np.exp(-2 * (np.linalg.norm(apart, axis=1) * 2 / diameter) ** 2)
    return abs((weight * np.exp(-2j * np.pi * apart @ g)).sum()) / weight.sum()


def test_substitution_replaces_an_exact_number_of_the_element():
    crystal = cut("sodium-chloride")
    result = Substitution(0.3, "K", "Na").apply(crystal, RNG(0))
    sodium = (crystal.numbers == 11).sum()
    assert (result.crystal.numbers == 19).sum() == pytest.approx(0.3 * sodium, abs=1)
    assert (result.crystal.numbers == 17).sum() == (crystal.numbers == 17).sum()
    assert result.degree["substitution_fraction"] == pytest.approx(0.15, abs=0.01)


def test_strain_moves_bragg_peaks():
    """Stretched by 3 % along [001], the peak (004) lies at g / 1.03, and (400) where it was."""
    crystal = cut("aluminium", zone_axis=(0, 1, 0))
    result = Strain(axial=0.03, direction=(0, 0, 1)).apply(crystal, RNG(0))
    along, across = (crystal.parent.reciprocal(hkl) for hkl in ((0, 0, 4), (4, 0, 0)))
    assert brightness(result.crystal, along / 1.03) > 0.99
    assert brightness(result.crystal, along) < 0.7
    assert brightness(result.crystal, across) > 0.99
    shear = Strain(shear_rad=0.03, direction=(1, 0, 0), plane=(0, 0, 1)).apply(crystal, RNG(0))
    moved = across - 0.03 * np.linalg.norm(across) * along / np.linalg.norm(along)
    assert brightness(shear.crystal, moved) > 0.99
    assert brightness(shear.crystal, across) < 0.7


def test_components_of_strain_are_those_of_the_specimen():
    crystal = cut("aluminium", zone_axis=(0, 0, 1))
    along_beam = Strain(axial=0.02, direction=(0, 0, 1), poisson_ratio=0.25)
    degree = along_beam.apply(crystal, RNG(0)).degree
    assert degree["strain_zz"] == pytest.approx(0.02)
    assert degree["strain_xx"] == pytest.approx(-0.005)
    assert degree["strain_xy"] == pytest.approx(0, abs=1e-12)
    gradient = ((0, 0.01, 0), (0, 0, 0), (0, 0, 0.02))
    turned = Strain(gradient=gradient).gradient_in(crystal.parent)
    rotation = crystal.parent.rotation
    np.testing.assert_allclose(rotation.T @ turned @ rotation, gradient, atol=1e-12)


def test_the_box_of_a_slab_follows_its_strain_or_the_strain_is_refused():
    unit_cell = CATALOGUE.create("structure", "aluminium", {})
    slab = SlabCutter(unit_cell, width_angstrom=20).cut(12)
    stretched = Strain(axial=0.02, direction=(1, 0, 0)).apply(slab, RNG(0)).crystal
    x = slab.parent.direction((1, 0, 0))
    axis = int(np.argmax(abs(x)))
    if abs(abs(x[axis]) - np.linalg.norm(x)) < 1e-9:
        assert stretched.cell[axis, axis] == pytest.approx(1.02 * slab.cell[axis, axis])
    with pytest.raises(InputError, match=r"would be skewed by .*aperture_diameter_angstrom"):
        Strain(shear_rad=0.05, direction=(1, 0, 0), plane=(0, 1, 0)).apply(slab, RNG(0))


def test_the_field_of_a_dislocation_jumps_by_its_burgers_vector_and_nowhere_else():
    burgers = 2.86
    line = ((np.zeros(3), 1),)
    field = Field(line, np.eye(3)[0], np.eye(3)[1], burgers, 0.3).displacement
    angles = np.linspace(-np.pi, np.pi, 100_001)[1:-1]
    u_x, u_y = field(9 * np.cos(angles), 9 * np.sin(angles))
    assert u_x[-1] - u_x[0] == pytest.approx(burgers, abs=1e-3)
    assert u_y[-1] - u_y[0] == pytest.approx(0, abs=1e-3)
    assert abs(np.diff(u_x)).max() < 1e-3
    # In equilibrium the dilatation of an edge dislocation goes as −sin θ / r.
    step = 1e-4
    x, y = np.array([3.0, 5.0, -4.0]), np.array([4.0, -2.0, 7.0])
    dilatation = (
        field(x + step, y)[0]
        - field(x - step, y)[0]
        + field(x, y + step)[1]
        - field(x, y - step)[1]
    ) / (2 * step)
    expected = -burgers / (2 * np.pi) * (1 - 2 * 0.3) / (1 - 0.3) * y / (x**2 + y**2)
    np.testing.assert_allclose(dilatation, expected, rtol=1e-5)


DISLOCATED = cut("aluminium", zone_axis=(1, -1, 2), width=80.0, thickness=12.0)


def burgers_circuit(crystal, start, half_width, half_height):
    """Where a circuit of lattice steps, each to the nearest atom, ends against where it began.

    In an ideal crystal it closes. The steps are ½[110] and [1-1-1], across the line [1-12].
    """
    tree = cKDTree(crystal.positions)
    right, up = (crystal.parent.direction(uvw) for uvw in ((0.5, 0.5, 0), (1, -1, -1)))
    at = first = crystal.positions[tree.query(start)[1]]
    steps = [up] * 2 * half_height + [right] * 2 * half_width
    for step in steps + [-step for step in steps]:
        distance, index = tree.query(at + step)
        assert distance < 0.9, "the lattice is lost"
        at = crystal.positions[index]
    return at - first


def test_the_circuit_about_a_dislocation_fails_by_its_burgers_vector():
    middle = np.diag(DISLOCATED.cell) / 2
    right, up = (DISLOCATED.parent.direction(uvw) for uvw in ((0.5, 0.5, 0), (1, -1, -1)))
    corner = middle - 8 * right - 3 * up
    assert np.allclose(burgers_circuit(DISLOCATED, corner, 8, 3), 0)
    for seed in range(3):
        result = EdgeDislocation().apply(DISLOCATED, RNG(seed)).crystal
        closure = burgers_circuit(result, corner, 8, 3)
        assert np.linalg.norm(closure) == pytest.approx(2.8635, abs=0.12)
        assert abs(closure @ right) / np.linalg.norm(right) == pytest.approx(2.8635, abs=0.12)
        # One that does not enclose the line closes.
        assert np.linalg.norm(burgers_circuit(result, corner + 12 * right, 2, 3)) < 0.3
    pairs = EdgeDislocation(count=4, signs="alternating", spacing_angstrom=10)
    closure = burgers_circuit(pairs.apply(DISLOCATED, RNG(0)).crystal, corner, 8, 3)
    assert np.linalg.norm(closure) < 0.3


def test_the_extra_half_plane_lies_on_one_side():
    """The layer above the glide plane holds b more of the lattice in its length than that below."""
    above = below = 0
    for seed in range(4):
        result = EdgeDislocation().apply(DISLOCATED, RNG(seed)).crystal
        field = result.parent.move
        apart = result.positions - field.lines[0][0]
        x, y = apart @ field.along, apart @ field.normal
        above += ((abs(x) < 30) & (y > 0) & (y < 2)).sum()
        below += ((abs(x) < 30) & (y < 0) & (y > -2)).sum()
    assert above / below - 1 == pytest.approx(field.burgers_angstrom / 60, abs=0.012)


def test_beyond_the_core_every_atom_has_its_neighbours():
    """Nothing overlaps or gapes where the two halves have slipped over each other."""
    defect = EdgeDislocation(count=4, spacing_angstrom=20)
    result = defect.apply(DISLOCATED, RNG(0)).crystal
    apart = result.positions - np.diag(result.cell) / 2
    parent = DISLOCATED.parent
    along, line = (parent.direction(uvw) for uvw in ((1, 1, 0), (1, -1, 2)))
    normal = np.cross(line, along)
    corners = [
        10 * (x * along / np.linalg.norm(along) + y * normal / np.linalg.norm(normal))
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    far = inner(result, 3.5)
    for corner in corners:
        across = np.cross(apart - corner, line / np.linalg.norm(line))
        far &= np.linalg.norm(across, axis=1) > 9
    assert far.sum() > 1000
    neighbours = cKDTree(result.positions).query_ball_point(
        result.positions[far], 1.2 * 2.8635, return_length=True
    )
    assert set(neighbours - 1) == {12}


@pytest.mark.parametrize(
    ("structure", "burgers", "line"),
    [
        ("aluminium", (0.5, 0.5, 0), (1, -1, 2)),
        ("iron", (0.5, 0.5, 0.5), (1, 1, -2)),
        ("silicon", (0.5, 0.5, 0), (1, -1, 2)),
        ("si3n4-beta", (0, 0, 1), (1, 0, 0)),
    ],
)
def test_no_atoms_come_too_near_at_the_core(structure, burgers, line):
    crystal = cut(structure, zone_axis=line, width=50.0, thickness=12.0)
    for seed in range(4):
        result = EdgeDislocation(burgers, line).apply(crystal, RNG(seed))
        assert nearest(result.crystal).min() > 0.7 * nearest(crystal).min()
    density = result.degree["dislocation_density_inv_angstrom2"]
    assert density == pytest.approx(1 / 50**2)


def test_the_density_of_dislocations_counts_what_lies_in_the_box():
    """Lines at 45° across a plate 12 Å thick, of which the box is 48 Å wide."""
    crystal = cut("aluminium", zone_axis=(0, 0, 1), thickness=12.0)
    defect = EdgeDislocation((0.5, -0.5, 0), (1, 1, 2), count=4, spacing_angstrom=10)
    inclination = np.sqrt(6) / 2  # of the length of a line over the thickness
    density = defect.apply(crystal, RNG(0)).degree["dislocation_density_inv_angstrom2"]
    assert density == pytest.approx(4 * inclination / 48**2)


def far_from_atoms(crystal):
    """The greatest distance of a point of the box from the nearest atom."""
    points = RNG(1).uniform(np.zeros(3), np.diag(crystal.cell), (20_000, 3))
    return cKDTree(crystal.positions).query(points)[0].max()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Strain(axial=-0.1, direction=(1, 1, 2)),
        lambda: Strain(shear_rad=0.15, direction=(1, 0, 0), plane=(0, 1, 1)),
        lambda: EdgeDislocation(count=4, signs="same"),
        lambda: Twin(lamella_thickness_angstrom=10),
    ],
)
def test_the_box_stays_full_to_its_sides(make):
    """Compressed or slipped, a cut crystal is still the cut of a larger one."""
    crystal = cut("aluminium", zone_axis=(0, 1, 3))
    result = make().apply(crystal, RNG(0)).crystal
    assert far_from_atoms(result) < 1.15 * far_from_atoms(crystal)
    assert nearest(result).min() > 0.65 * 2.8635


def test_a_strained_crystal_is_the_cut_of_the_strained_lattice():
    crystal = cut("silicon", zone_axis=(1, 1, 3))
    result = Strain(axial=0.06, direction=(1, 0, 2), poisson_ratio=0.3).apply(crystal, RNG(0))
    sites, _ = sites_in_box(result.crystal.parent, np.zeros(3), np.diag(result.crystal.cell))
    assert len(sites) == len(result.crystal)
    assert cKDTree(sites).query(result.crystal.positions)[0].max() < 1e-9
    zz = result.degree["strain_zz"]
    assert result.crystal.cell[2, 2] == pytest.approx((1 + zz) * crystal.cell[2, 2])


def test_a_shear_turns_a_right_angle_by_its_angle():
    crystal = cut("aluminium", zone_axis=(0, 0, 1))
    shear = Strain(shear_rad=0.1, direction=(1, 0, 0), plane=(0, 1, 0))
    parent = shear.apply(crystal, RNG(0)).crystal.parent
    a, b = parent.direction((1, 0, 0)), parent.direction((0, 1, 0))
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert np.pi / 2 - np.arccos(cosine) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("name", "bond", "lamella"),
    [
        ("aluminium", 2.8635, None),
        ("aluminium", 2.8635, 9.0),
        ("silicon", 2.3516, None),
        ("silicon", 2.3516, 9.0),
        ("sodium-chloride", 2.8201, None),
    ],
)
def test_a_twin_keeps_bonds_and_density(name, bond, lamella):
    """Coherent (111) boundaries: on a layer of atoms, in silicon in the middle of the bonds."""
    crystal = cut(name)
    result = Twin(lamella_thickness_angstrom=lamella).apply(crystal, RNG(0))
    inside = inner(result.crystal)
    np.testing.assert_allclose(nearest(result.crystal)[inside], bond, rtol=1e-3)
    assert inside.sum() == pytest.approx(inner(crystal).sum(), rel=0.01)
    neighbours = cKDTree(result.crystal.positions).query_ball_point(
        result.crystal.positions[inside], 1.05 * bond, return_length=True
    )
    assert set(neighbours - 1) == {{"aluminium": 12, "silicon": 4, "sodium-chloride": 6}[name]}


def test_a_twin_of_iron_lies_on_112():
    """Unrelaxed, the layers beside the mirror plane are nearer than bonds: twice d(112)."""
    crystal = cut("iron")
    result = Twin((1, 1, 2)).apply(crystal, RNG(0)).crystal
    assert nearest(result)[inner(result)].min() == pytest.approx(2 * 2.8665 / 6**0.5, rel=1e-3)


def test_twin_spots_are_mirrored():
    crystal = cut("aluminium", width=72.0, thickness=30.0)
    parent = crystal.parent
    normal = parent.reciprocal((1, 1, 1))
    normal /= np.linalg.norm(normal)
    spot = parent.reciprocal((0, 0, 2))
    mirrored = spot - 2 * (spot @ normal) * normal
    assert brightness(crystal, mirrored) < 0.05
    twinned = Twin().apply(crystal, RNG(0)).crystal
    assert brightness(twinned, mirrored) > 0.3
    assert brightness(twinned, spot) > 0.3
    shared = parent.reciprocal((1, 1, 1))
    assert brightness(twinned, shared) > 0.9
    lamella = Twin(lamella_thickness_angstrom=12.0, offset_angstrom=-6.0).apply(crystal, RNG(0))
    assert lamella.degree["twin_fraction"] < 0.35
    heights = (lamella.crystal.positions - np.diag(crystal.cell) / 2) @ normal
    for beyond in (heights > 10, heights < -10):  # on both sides the matrix, as it was
        part = lamella.crystal.positions[beyond]
        amplitude = abs(np.exp(-2j * np.pi * part @ spot).sum()) / beyond.sum()
        assert amplitude > 0.95


def test_reflection_and_rotation_differ_without_a_centre_of_symmetry():
    crystal = cut("aluminium")
    one, other = (
        Twin(kind=kind).apply(crystal, RNG(0)).crystal for kind in ("reflection", "rotation")
    )
    distances, _ = cKDTree(one.positions).query(other.positions[inner(other)])
    assert distances.max() < 1e-6
    crystal = cut("srsi2", zone_axis=(0, 0, 1))
    one, other = (
        Twin(kind=kind).apply(crystal, RNG(0)).crystal for kind in ("reflection", "rotation")
    )
    distances, _ = cKDTree(one.positions).query(other.positions[inner(other)])
    assert distances.max() > 0.3


@pytest.mark.parametrize(
    ("structure", "site", "distance", "number"),
    [
        ("aluminium", None, 4.04958 / 2, 6),
        ("aluminium", (0.25, 0.25, 0.25), 4.04958 * 3**0.5 / 4, 4),
        ("iron", None, 2.8665 * 5**0.5 / 4, 4),
    ],
)
def test_interstitials_lie_in_the_holes(structure, site, distance, number):
    """Octahedral and tetrahedral ones of face-centred, tetrahedral ones of body-centred cubes."""
    crystal = cut(structure)
    result = Interstitial(0.01, "C", site).apply(crystal, RNG(0))
    added = result.crystal.positions[len(crystal) :]
    assert (result.crystal.numbers[len(crystal) :] == 6).all()
    assert len(added) == pytest.approx(0.01 * len(crystal), abs=1)
    box = np.diag(crystal.cell)
    deep = ((added > 4) & (added < box - 4)).all(axis=1)
    distances, _ = cKDTree(crystal.positions).query(added[deep], k=number + 1)
    np.testing.assert_allclose(distances[:, :number], distance, rtol=1e-3)
    assert (distances[:, number] > 1.05 * distance).all()


@pytest.mark.parametrize(
    ("before", "spread"),
    [
        (lambda: Strain(axial=0.05, direction=(0, 0, 1)), 0.06),
        (lambda: Strain(axial=0.02, direction=(1, 1, 1)), 0.03),
        (lambda: EdgeDislocation(count=4), 0.3),
        (Twin, 1e-6),
    ],
)
def test_interstitials_find_the_holes_of_a_lattice_that_has_moved(before, spread):
    crystal = before().apply(cut("aluminium"), RNG(0)).crystal
    drawn = [Interstitial(0.05, "C").apply(crystal, RNG(seed)).crystal for seed in range(1, 9)]
    result = drawn[0]
    added = np.concatenate([each.positions[len(crystal) :] for each in drawn])
    added = added[((added > 4) & (added < np.diag(result.cell) - 4)).all(axis=1)]
    distances, _ = cKDTree(crystal.positions).query(added)
    # About a core, a few holes are squeezed.
    assert np.quantile(abs(distances - 4.04958 / 2), 0.95) < spread
    if isinstance(before(), Twin):  # they are as frequent in the twin as before it
        parts = np.bincount(crystal.parent.part_of(added), minlength=2) / len(added)
        atoms = crystal.parent.part_of(crystal.positions[inner(crystal, 4.0)])
        assert parts[1] == pytest.approx(atoms.mean(), abs=0.1)


def test_interstitials_keep_away_from_each_other():
    crystal = cut("iron", width=24)
    result = Interstitial(0.3, "C", smallest_distance_fraction=0.5).apply(crystal, RNG(0))
    assert nearest(result.crystal).min() >= 0.5 * 2.48
