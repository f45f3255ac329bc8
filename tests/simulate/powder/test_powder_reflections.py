"""Powder patterns against pymatgen, against Debye's equation, and against themselves."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from jaxtyping import Float
from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS, XRDCalculator
from pymatgen.core import Element, Lattice, Structure

from crystalvision.contracts import Axis, Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.powder import (
    Widths,
    debye_intensity,
    lorentz_polarisation,
    march_dollase,
    peaks,
    reflections,
    ring_axis,
    rings_of_reflections,
    rings_of_supercell,
)

CU_K_ALPHA_1 = 1.540593
LATTICES = {  # one of each crystal system, with a general cell
    "triclinic": (Lattice.from_parameters(5.1, 6.2, 7.3, 81, 95, 103), (1, 2)),
    "monoclinic": (Lattice.from_parameters(5.1, 6.2, 7.3, 90, 103, 90), (4, 14, 15)),
    "orthorhombic": (Lattice.orthorhombic(5.1, 6.2, 7.3), (19, 36, 62)),
    "tetragonal": (Lattice.tetragonal(5.1, 7.3), (82, 129, 141)),
    "trigonal": (Lattice.hexagonal(5.1, 7.3), (146, 152, 167)),
    "hexagonal": (Lattice.hexagonal(5.1, 7.3), (173, 186, 194)),
    "cubic": (Lattice.cubic(6.1), (198, 216, 227)),
}
ELEMENTS = ["Na", "Si", "Ti", "O"]


def crystal_of(structure: Structure) -> Crystal:
    return Crystal(
        positions=structure.cart_coords,
        numbers=np.array(structure.atomic_numbers),
        cell=structure.lattice.matrix.copy(),
        periodic=np.ones(3, dtype=bool),
    )


def structures() -> list[Structure]:
    """Three structures in each of eighteen groups, all seven systems, by fixed draws."""
    rng = np.random.default_rng(0)
    found = []
    for lattice, groups in LATTICES.values():
        for group in groups:
            for _ in range(3):
                sites = rng.uniform(0.05, 0.45, (2, 3)).round(3)
                kinds = rng.choice(ELEMENTS, 2, replace=False).tolist()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found.append(Structure.from_spacegroup(group, lattice, kinds, sites))
    return found


def as_pymatgen(number: int, g_inv_angstrom: Float[np.ndarray, "m"]) -> Float[np.ndarray, "m"]:
    """The scattering factor of pymatgen's calculator [electrons]."""
    squared = (g_inv_angstrom / 2) ** 2
    table = np.array(ATOMIC_SCATTERING_PARAMS[Element.from_Z(number).symbol])
    terms = table[:, 0, None] * np.exp(-table[:, 1, None] * squared)
    return np.asarray(number - 41.78214 * squared * terms.sum(axis=0))


def test_positions_and_intensities_are_pymatgens_in_all_seven_systems() -> None:
    tried = structures()
    assert len(tried) >= 50
    for structure in tried:
        found = reflections(crystal_of(structure), 1.0, scattering_factor=as_pymatgen)
        angle = np.rad2deg(2 * np.arcsin(CU_K_ALPHA_1 * found.length_inv_angstrom / 2))
        strength = found.intensity * lorentz_polarisation(angle)
        peer = XRDCalculator(CU_K_ALPHA_1, symprec=0).get_pattern(
            structure, scaled=False, two_theta_range=(5, 85)
        )
        # Every reflection belongs to the nearest of its peaks, which joins those of one angle.
        inside = (angle > 5.02) & (angle < 84.98)
        nearest = np.abs(angle[inside, None] - peer.x).argmin(axis=1)
        weak = strength[inside] < 1e-3 * strength.max()  # it leaves out the weakest
        far = np.abs(angle[inside] - peer.x[nearest]) > 1e-3
        assert not (far & ~weak).any(), structure.composition
        ours = np.bincount(nearest, strength[inside], minlength=len(peer.x))
        difference = np.abs(ours / ours.max() - peer.y / peer.y.max())
        ends = (peer.x < 5.1) | (peer.x > 84.9)  # where either may leave one out
        assert difference[~ends].max() < 1e-3, structure.composition


@pytest.mark.parametrize("system", ["triclinic", "trigonal", "cubic"])
def test_a_perfect_supercell_gives_the_rings_of_its_unit_cell(system: str) -> None:
    lattice, groups = LATTICES[system]
    structure = Structure.from_spacegroup(
        groups[-1], lattice, ["Si", "O"], [[0.1, 0.2, 0.3], [0.31, 0.14, 0.07]]
    )
    axis = ring_axis(0.9)
    one = rings_of_reflections(reflections(crystal_of(structure), 0.9), axis)
    many = rings_of_supercell(crystal_of(structure * (3, 2, 2)), 0.9, axis)
    assert np.abs(one - many).max() < 1e-4 * one.max()


def test_a_cluster_in_a_large_empty_cell_is_debyes() -> None:
    rng = np.random.default_rng(1)
    positions = rng.uniform(0, 5.0, (12, 3))
    numbers = rng.choice([8, 14, 22], 12)
    cluster = Crystal(positions, numbers, np.eye(3) * 60.0, np.ones(3, dtype=bool))
    band = 0.8
    axis = ring_axis(band)
    rings = rings_of_supercell(cluster, band, axis)
    # The points of the lattice in a shell, times the volume of the cell, are its volume.
    edges = np.arange(0.2, 0.75, 0.08)
    values = axis.values()
    for low, high in pairwise(edges):
        chosen = (values >= low) & (values < high)
        length = np.linspace(low, high, 41)
        shell = 4 * np.pi * length**2 * debye_intensity(cluster, length)
        expected = np.trapezoid(shell, length) * 60.0**3 / 60.0**6
        assert rings[chosen].sum() == pytest.approx(expected, rel=0.04)


def test_vacancies_scatter_between_the_reflections() -> None:
    lattice = Lattice.cubic(4.05)
    perfect = Structure.from_spacegroup("Fm-3m", lattice, ["Al"], [[0, 0, 0]]) * (6, 6, 6)
    crystal = crystal_of(perfect)
    kept = np.random.default_rng(2).random(len(crystal)) > 0.25
    defective = Crystal(
        crystal.positions[kept], crystal.numbers[kept], crystal.cell, crystal.periodic
    )
    axis = ring_axis(0.9)
    rings = rings_of_supercell(crystal, 0.9, axis), rings_of_supercell(defective, 0.9, axis)
    values = axis.values()
    between = (values > 0.45) & (values < 0.48)  # between 111 (0.428) and 200 (0.494)
    assert rings[0][between].sum() < 1e-6 * rings[0].sum()
    # Laue: N p (1 - p) f² a point, over the squared volume.
    shell = 4 / 3 * np.pi * (0.48**3 - 0.45**3) * np.linalg.det(crystal.cell)
    from crystalvision_simulate.scattering import x_ray_scattering_factor

    squared = float(x_ray_scattering_factor(13, np.array([0.465]))[0]) ** 2
    laue = (
        len(crystal)
        * kept.mean()
        * (1 - kept.mean())
        * squared
        * shell
        / np.linalg.det(crystal.cell) ** 2
    )
    assert rings[1][between].sum() == pytest.approx(laue, rel=0.1)


def test_the_area_of_a_peak_does_not_depend_on_its_width() -> None:
    axis = ring_axis(0.9)
    rings = np.zeros(axis.size)
    rings[4000] = 1.0
    two_theta = Axis(name="two_theta", size=4001, scale=0.02, offset=5.0, units="degree")
    areas = [
        peaks(rings, axis, two_theta, [(CU_K_ALPHA_1, 1.0)], Widths(w_deg2=width**2)).sum()
        for width in (0.03, 0.1, 0.5)
    ]
    angle = np.rad2deg(2 * np.arcsin(CU_K_ALPHA_1 * 0.4 / 2))
    assert areas == pytest.approx([lorentz_polarisation(np.array([angle]))[0]] * 3, rel=1e-6)


def test_k_alpha_2_stands_at_its_angle_with_half_the_intensity() -> None:
    axis = ring_axis(1.2)
    rings = np.zeros(axis.size)
    rings[11000] = 1.0
    two_theta = Axis(name="two_theta", size=6001, scale=0.01, offset=100.0, units="degree")
    lines = [(1.540593, 2 / 3), (1.544427, 1 / 3)]
    pattern = peaks(rings, axis, two_theta, lines, Widths(w_deg2=0.0025))
    expected = [np.rad2deg(2 * np.arcsin(wavelength * 1.1 / 2)) for wavelength, _ in lines]
    values = two_theta.values()
    tops = [
        values[np.abs(values - angle) < 0.1][pattern[np.abs(values - angle) < 0.1].argmax()]
        for angle in expected
    ]
    assert tops == pytest.approx(expected, abs=0.01)
    halves = [pattern[np.abs(values - angle) < 0.2].sum() for angle in expected]
    factor = lorentz_polarisation(np.array(expected))
    assert halves[1] / halves[0] == pytest.approx(0.5 * factor[1] / factor[0], rel=1e-3)


@pytest.mark.parametrize("angle_deg", [20.0, 60.0, 110.0])
def test_widths_are_those_that_were_asked_for(angle_deg: float) -> None:
    widths = Widths(u_deg2=0.02, v_deg2=-0.01, w_deg2=0.008, size_angstrom=600, microstrain=5e-4)
    length = 2 * np.sin(np.deg2rad(angle_deg / 2)) / CU_K_ALPHA_1
    axis = ring_axis(1.2)
    rings = np.zeros(axis.size)
    rings[round(length / axis.scale)] = 1.0
    two_theta = Axis(
        name="two_theta", size=4001, scale=0.002, offset=angle_deg - 4.0, units="degree"
    )
    pattern = peaks(rings, axis, two_theta, [(CU_K_ALPHA_1, 1.0)], widths)
    above = two_theta.values()[pattern > pattern.max() / 2]
    expected = widths.of(np.array([angle_deg]), CU_K_ALPHA_1)[0][0]
    assert above[-1] - above[0] == pytest.approx(expected, rel=0.02)
    theta = np.deg2rad(angle_deg / 2)
    only_size = Widths(w_deg2=0.0, size_angstrom=600).of(np.array([angle_deg]), CU_K_ALPHA_1)
    scherrer = np.rad2deg(0.9 * CU_K_ALPHA_1 / 600 / np.cos(theta))
    assert only_size[0][0] == pytest.approx(scherrer)
    assert only_size[1][0] == pytest.approx(1.0, abs=1e-4)  # a Lorentzian


def test_shifts_of_zero_and_specimen_move_peaks() -> None:
    axis = ring_axis(0.9)
    rings = np.zeros(axis.size)
    rings[5000] = 1.0
    two_theta = Axis(name="two_theta", size=4001, scale=0.01, offset=30.0, units="degree")

    def centre(**shifts: float) -> float:
        pattern = peaks(
            rings, axis, two_theta, [(CU_K_ALPHA_1, 1.0)], Widths(), radius_mm=200, **shifts
        )
        return float(pattern @ two_theta.values() / pattern.sum())

    still = centre()
    assert centre(zero_shift_deg=0.05) - still == pytest.approx(0.05, abs=1e-4)
    moved = -np.rad2deg(2 * 0.1 / 200 * np.cos(np.deg2rad(still / 2)))
    assert centre(displacement_mm=0.1) - still == pytest.approx(moved, abs=1e-4)


def test_texture_keeps_the_sum_over_all_directions() -> None:
    crystal = crystal_of(
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.05), ["Al"], [[0, 0, 0]])
    )
    found = reflections(crystal, 3.0)
    flat = march_dollase(crystal, found, (1, 1, 1), 0.5)
    high = found.length_inv_angstrom > 2
    # W is a density over directions; many reflections of all of them have a mean of one.
    assert flat[high].mean() == pytest.approx(1.0, rel=0.05)
    along = np.abs(found.hkl).max(axis=1) == np.abs(found.hkl).min(axis=1)
    same_sign = (
        along & (found.hkl[:, 0] * found.hkl[:, 1] > 0) & (found.hkl[:, 1] * found.hkl[:, 2] > 0)
    )
    assert flat[same_sign] == pytest.approx(0.5**-3)
    assert march_dollase(crystal, found, (1, 1, 1), 1.0) == pytest.approx(1.0)


def test_thermal_motion_weakens_by_debye_and_waller() -> None:
    crystal = crystal_of(
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.05), ["Al"], [[0, 0, 0]])
    )
    cold, warm = (
        reflections(crystal, 1.0),
        reflections(crystal, 1.0, displacement_rms_angstrom={13: 0.1}),
    )
    strong = cold.intensity > 1e-6 * cold.intensity.max()
    ratio = warm.intensity[strong] / cold.intensity[strong]
    expected = np.exp(-4 * (np.pi * 0.1 * cold.length_inv_angstrom[strong]) ** 2)
    assert ratio == pytest.approx(expected)


def test_what_makes_no_sense_is_refused_in_a_line() -> None:
    crystal = crystal_of(
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.05), ["Al"], [[0, 0, 0]])
    )
    found = reflections(crystal, 0.6)
    with pytest.raises(InputError, match="March-Dollase parameter 0"):
        march_dollase(crystal, found, (1, 1, 1), 0.0)
    with pytest.raises(InputError, match="texture axis"):
        march_dollase(crystal, found, (0, 0, 0), 0.5)
    slab = Crystal(crystal.positions, crystal.numbers, crystal.cell, np.array([True, True, False]))
    with pytest.raises(InputError, match="all three"):
        reflections(slab, 0.6)
    wrong = Axis(name="q", size=10, scale=0.1, offset=0.0)
    with pytest.raises(InputError, match="expected degree"):
        peaks(np.ones(5), ring_axis(0.1), wrong, [(1.54, 1.0)], Widths())
    with pytest.raises(InputError, match="negative square"):
        Widths(u_deg2=0.0, v_deg2=-1.0).of(np.array([40.0]), 1.54)
