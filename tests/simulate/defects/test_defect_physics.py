"""Each defect against what theory says of it."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.defects.edge_dislocation import EdgeDislocation
from crystalvision_simulate.defects.interstitial import Interstitial
from crystalvision_simulate.defects.strain import Strain
from crystalvision_simulate.defects.substitution import Substitution
from crystalvision_simulate.defects.twin import Twin
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
    field = EdgeDislocation()._field
    burgers = 2.86
    angles = np.linspace(-np.pi, np.pi, 100_001)[1:-1]
    u_x, u_y = field(9 * np.cos(angles), 9 * np.sin(angles), burgers)
    assert u_x[-1] - u_x[0] == pytest.approx(burgers, abs=1e-3)
    assert u_y[-1] - u_y[0] == pytest.approx(0, abs=1e-3)
    assert abs(np.diff(u_x)).max() < 1e-3
    # In equilibrium the dilatation of an edge dislocation goes as −sin θ / r.
    step = 1e-4
    x, y = np.array([3.0, 5.0, -4.0]), np.array([4.0, -2.0, 7.0])
    dilatation = (
        field(x + step, y, burgers)[0]
        - field(x - step, y, burgers)[0]
        + field(x, y + step, burgers)[1]
        - field(x, y - step, burgers)[1]
    ) / (2 * step)
    expected = -burgers / (2 * np.pi) * (1 - 2 * 0.3) / (1 - 0.3) * y / (x**2 + y**2)
    np.testing.assert_allclose(dilatation, expected, rtol=1e-5)


@pytest.mark.parametrize(("count", "signs", "extra"), [(1, "same", 1), (4, "alternating", 0)])
def test_one_half_plane_more_ends_at_the_line(count, signs, extra):
    """Far from the line, rows above the glide plane are pressed together by b, beside those below.

    So as many atoms take one Burgers vector less: there is room for half a plane more.
    """
    crystal = cut("aluminium", zone_axis=(1, -1, 2), width=80.0)
    defect = EdgeDislocation(count=count, signs=signs, spacing_angstrom=12.0)
    moved = defect.apply(crystal, RNG(0)).crystal.positions - crystal.positions
    along, normal, burgers = defect._axes(crystal.parent)
    apart = crystal.positions - np.diag(crystal.cell) / 2
    x, y = apart @ along, apart @ normal
    stretch = {}
    for side in (1, -1):
        rows = (side * y > 2) & (side * y < 5)
        right, left = rows & (x > 34) & (x < 40), rows & (x < -34) & (x > -40)
        stretch[side] = (moved[right] @ along).mean() - (moved[left] @ along).mean()
    assert (stretch[-1] - stretch[1]) / burgers == pytest.approx(extra, abs=0.15)


def test_no_atoms_come_too_near_at_the_core():
    crystal = cut("aluminium", zone_axis=(1, -1, 2), width=60.0)
    for seed in range(6):
        result = EdgeDislocation().apply(crystal, RNG(seed))
        assert nearest(result.crystal).min() > 0.6 * 2.86
        assert len(result.crystal) == len(crystal)
    density = result.degree["dislocation_density_inv_angstrom2"]
    assert density == pytest.approx(1 / 60**2)


@pytest.mark.parametrize(
    ("name", "plane", "bond"), [("aluminium", (1, 1, 1), 2.8635), ("silicon", (1, 1, 1), 2.3516)]
)
def test_a_twin_keeps_bonds_and_density(name, plane, bond):
    crystal = cut(name)
    result = Twin(plane).apply(crystal, RNG(0))
    inside = inner(result.crystal)
    np.testing.assert_allclose(nearest(result.crystal)[inside], bond, rtol=1e-3)
    assert inside.sum() == pytest.approx(inner(crystal).sum(), rel=0.01)
    neighbours = cKDTree(result.crystal.positions).query_ball_point(
        result.crystal.positions[inside], 1.05 * bond, return_length=True
    )
    assert set(neighbours - 1) == {12 if name == "aluminium" else 4}


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


def test_interstitials_keep_away_from_each_other():
    crystal = cut("iron", width=24)
    result = Interstitial(0.3, "C", smallest_distance_fraction=0.5).apply(crystal, RNG(0))
    assert nearest(result.crystal).min() >= 0.5 * 2.48


def without_parent(crystal):
    return Crystal(crystal.positions, crystal.numbers, crystal.cell, crystal.periodic)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Substitution(1.2, "Cu"), r"fraction is 1\.2; expected a fraction from 0 to 1"),
        (lambda: Substitution(0.1, "Xx"), r"replacement is 'Xx'; expected a chemical symbol"),
        (lambda: Substitution(0.1, "Al", "Al"), r"element and replacement are both Al"),
        (lambda: Substitution(0.1, "Cu", "N").apply(cut("iron"), RNG(0)), r"has no N to replace"),
        (lambda: Interstitial(-0.1, "C"), r"fraction is -0\.1; expected a fraction"),
        (lambda: Interstitial(0.1, "Q"), r"element is 'Q'; expected a chemical symbol"),
        (
            lambda: Interstitial(0.5, "C", (0.25, 0.25, 0.25)).apply(cut("silicon"), RNG(0)),
            r"atoms to add, but only 0 of \d+ sites lie 1\.18 Å or more from every atom",
        ),
        (
            lambda: Interstitial(0.1, "C").apply(without_parent(cut("iron")), RNG(0)),
            r"interstitial: the crystal does not say what it was cut from",
        ),
        (lambda: Strain(axial=0.5), r"axial is 0\.5; expected -0\.2 to 0\.2"),
        (lambda: Strain(shear_rad=0.1), r"shear_rad is 0\.1 without a plane; expected \(hkl\)"),
        (
            lambda: Strain(shear_rad=0.1, direction=(1, 0, 0), plane=(1, 0, 0)),
            r"direction \[1, 0, 0\] does not lie in plane \[1, 0, 0\]",
        ),
        (lambda: Strain(direction=(0, 0, 0)), r"direction is \[0, 0, 0\]"),
        (lambda: Strain(poisson_ratio=0.7), r"poisson_ratio is 0\.7; expected -1 to 0\.5"),
        (lambda: Strain(gradient=((1, 0, 0),) * 3), r"gradient has a component 1; expected at"),
        (
            lambda: EdgeDislocation(line=(1, 1, 0)).apply(cut("aluminium"), RNG(0)),
            r"burgers_vector .* and line .* are 0\.0° apart; an edge dislocation needs 90°",
        ),
        (lambda: EdgeDislocation(burgers_vector=(0, 0, 0)), r"burgers_vector is \[0, 0, 0\]"),
        (lambda: EdgeDislocation(spacing_angstrom=0), r"spacing_angstrom is 0; expected more"),
        (lambda: Twin((0, 0, 0)), r"plane is \[0, 0, 0\]; expected indices \(hkl\)"),
        (lambda: Twin(lamella_thickness_angstrom=0), r"lamella_thickness_angstrom is 0; expected"),
        (
            lambda: Twin(offset_angstrom=500).apply(cut("aluminium"), RNG(0)),
            r"500 Å from the middle, lies outside of the crystal; make offset_angstrom smaller",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
