"""Kinematic patterns against what crystallography demands of them."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Aperture, Beam, Specimen
from crystalvision_simulate.defects.vacancy import Vacancy
from crystalvision_simulate.defects.vibration import ThermalVibration
from crystalvision_simulate.renderers.kinematic import Kinematic
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.scattering import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
    x_ray_scattering_factor,
)
from crystalvision_simulate.specimens import SlabCutter, specimen_of
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

CPU = torch.device("cpu")
DOUBLE = {"device": CPU, "dtype": torch.float64}
FLAT_KEV = 1e7  # an Ewald sphere of 8e5 1/Å: flat
CELL = beta_silicon_nitride()
RECIPROCAL = np.linalg.inv(CELL.cell).T


class Spots:
    """Values of a pattern at any wave of its box."""

    def __init__(self, pattern):
        self.intensity = pattern.intensity[0].double().numpy()
        self.step = np.array(pattern.sampling_inv_angstrom)
        self.origin = pattern.direct_beam
        rows, columns = np.indices(self.intensity.shape)
        self.q_y = (rows - self.origin[0]) * self.step[0]
        self.q_x = (columns - self.origin[1]) * self.step[1]
        self.q = np.hypot(self.q_y, self.q_x)

    def __call__(self, q):
        place = np.array([q[1], q[0]]) / self.step
        index = np.round(place).astype(int)
        assert abs(place - index).max() < 1e-6, "no wave of the box"
        return float(self.intensity[tuple(index + self.origin)])


def rendered(crystals, energy_kev=FLAT_KEV, *, band=1.6, radiation="electrons", **precision):
    renderer = Kinematic(radiation, band_limit_inv_angstrom=band)
    configurations = [specimen_of(crystal) for crystal in crystals]
    (pattern,) = renderer.render([configurations], [Beam(energy_kev)], **(precision or DOUBLE))
    return Spots(pattern)


def slab(thickness=30, width=15, zone_axis=(0, 0, 1)):
    return SlabCutter(CELL, zone_axis=zone_axis, width_angstrom=width).cut(thickness)


def test_the_screw_axis_extinguishes_odd_orders():
    """P6₃/m: 00l with l odd, below 1e-8 of 00l with l even."""
    crystal = slab(zone_axis=(1, 0, 0))
    axis = RECIPROCAL[2] @ crystal.parent.rotation.T
    assert abs(axis[2]) < 1e-9
    for radiation in ("electrons", "x-rays"):
        spots = rendered([crystal], radiation=radiation)
        odd = [spots(order * axis) for order in (1, 3)]
        even = [spots(order * axis) for order in (2, 4)]
        assert max(odd) < 1e-8 * min(even)


def test_friedel_pairs_are_equal_on_a_flat_sphere_and_differ_on_a_curved_one():
    rng = np.random.default_rng(0)
    box = np.array([12.0, 10.0, 60.0])
    polar = Specimen(rng.random((30, 3)) * box, rng.choice([7, 14], 30), box)
    renderer = Kinematic(band_limit_inv_angstrom=1.6)
    flat, curved = (
        renderer.render([[polar]], [Beam(energy)], **DOUBLE)[0].intensity[0].numpy()
        for energy in (FLAT_KEV, 200.0)
    )
    assert np.linalg.norm(flat - flat[::-1, ::-1]) < 1e-4 * np.linalg.norm(flat[flat < 0.5])
    assert np.linalg.norm(curved - curved[::-1, ::-1]) > 0.1 * np.linalg.norm(curved[curved < 0.5])


def six(spots, h, k):
    turn = np.array([[0.5, -np.sqrt(3) / 2], [np.sqrt(3) / 2, 0.5]])
    q = h * RECIPROCAL[0, :2] + k * RECIPROCAL[1, :2]
    return [spots(np.linalg.matrix_power(turn, n) @ q) for n in range(6)]


def test_the_zone_axis_001_is_six_fold():
    """On a flat sphere; on a curved one three-fold: the surfaces follow no 6₃ axis."""
    crystal = slab(60)
    flat, curved = rendered([crystal]), rendered([crystal], 200.0)
    for h, k in ((1, 0), (2, 0), (1, 1), (2, 1), (3, 1)):
        found = six(flat, h, k)
        assert found == pytest.approx([found[0]] * 6, rel=1e-4)
        found = six(curved, h, k)
        assert found[::2] == pytest.approx([found[0]] * 3, rel=1e-4)
        assert found[1::2] == pytest.approx([found[1]] * 3, rel=1e-4)
    # P6₃/m has no mirror along [001]: (2 1) and (1 2) differ.
    assert six(flat, 2, 1)[0] != pytest.approx(six(flat, 1, 2)[0], rel=0.05)


def x_ray_structure_factors(crystal, fits):
    """F(q) with the scattering factors of `fits`: our sums over each element, other factors."""
    renderer = Kinematic("x-rays", band_limit_inv_angstrom=1.25)
    total = 0
    for number, fit in fits.items():
        mine = crystal.numbers == number
        element = specimen_of(crystal.with_atoms(crystal.positions[mine], crystal.numbers[mine]))
        beam = Beam(FLAT_KEV)
        waves = renderer.structure_factors(element, beam, **DOUBLE).numpy()
        g = renderer.grid(element, beam).length()
        total = total + waves * (fit(g) / x_ray_scattering_factor(number, g))
    return total, renderer.render([[specimen_of(crystal)]], [Beam(FLAT_KEV)], **DOUBLE)[0]


def pymatgen_factor(number):
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS
    from pymatgen.core import Element

    fit = np.array(ATOMIC_SCATTERING_PARAMS[Element.from_Z(number).symbol])

    def factor(g):
        squared = (g / 2) ** 2
        return number - 41.78214 * squared * sum(a * np.exp(-b * squared) for a, b in fit)

    return factor


@pytest.mark.parametrize("zone_axis", [(0, 0, 1), (1, 0, 0)])
def test_x_ray_intensities_are_those_of_pymatgen(zone_axis):
    """Σ|F|² of every family in the zone, to 1e-3, with pymatgen's own scattering factors.

    pymatgen has another fit than Waasmaier and Kirfel's, which differs by up to 1 % of Z; so the
    phases, positions and multiplicities are compared with its factors put into our sums. In the
    zone [100] only 0kl lies in the plane, of which a family has three times as many: its sixfold
    equivalents.
    """
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    crystal = slab(2.911 if zone_axis == (0, 0, 1) else 7.608, 10, zone_axis)
    cells = len(crystal) / len(CELL)
    fits = {number: pymatgen_factor(number) for number in (7, 14)}
    waves, pattern = x_ray_structure_factors(crystal, fits)
    spots = Spots(pattern)
    found: dict[float, float] = {}
    for length, power in zip(spots.q.ravel(), abs(waves.ravel() / cells) ** 2, strict=True):
        found[round(length, 6)] = found.get(round(length, 6), 0.0) + power
    wavelength = 0.7
    calculated = XRDCalculator(wavelength, symprec=0).get_pattern(
        CELL.to_pymatgen(), scaled=False, two_theta_range=(0, 50)
    )
    compared = 0
    for two_theta, intensity, families in zip(
        calculated.x, calculated.y, calculated.hkls, strict=True
    ):
        indices = [family["hkl"] for family in families]  # hkil
        theta = np.radians(two_theta / 2)
        length = 2 * np.sin(theta) / wavelength
        in_zone = [hkil[3] == 0 if zone_axis == (0, 0, 1) else 0 in hkil[:3] for hkil in indices]
        if not all(in_zone) or length > 1.2:
            continue
        lorentz = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
        times = 3 if zone_axis == (1, 0, 0) and any(indices[0][:3]) else 1
        summed = times * sum(v for q, v in found.items() if abs(q - length) < 2e-5)
        assert summed == pytest.approx(intensity / lorentz, rel=1e-3), indices
        compared += 1
    assert compared >= 8


def power(crystal, q):
    """What independent atoms scatter to |q|, as a fraction of the beam: the sum over each alone."""
    area = float(np.prod(np.diag(crystal.cell)[:2]))
    strength = relativistic_mass_ratio(FLAT_KEV) * electron_wavelength_angstrom(FLAT_KEV) / area
    return strength**2 * sum(
        (crystal.numbers == number).sum() * electron_scattering_factor(number, np.asarray(q)) ** 2
        for number in (7, 14)
    )


def test_thermal_motion_weakens_bragg_beams_as_debye_and_waller_say():
    """Averaged over configurations: exp(−4π²g²u²), with u along one axis."""
    crystal = slab(12, 30)
    vibration = ThermalVibration(b_iso_angstrom2={"Si": 0.4, "N": 0.4})
    rng = np.random.default_rng(0)
    moved = [vibration.apply(crystal, rng).crystal for _ in range(40)]
    moving, still = rendered(moved, device=CPU), rendered([crystal])
    for h, k in ((2, 0), (2, 1), (3, 2), (5, 1)):
        q = np.linalg.norm(h * RECIPROCAL[0] + k * RECIPROCAL[1])
        expected = np.exp(-4 * np.pi**2 * q**2 * 0.4 / (8 * np.pi**2))
        under = (1 - expected) * power(crystal, q)  # thermal diffuse scattering lies there as well
        bragg = np.mean(six(still, h, k))
        left = (np.mean(six(moving, h, k)) - under) / bragg
        # The diffuse wave beats with the Bragg wave, anew in every configuration and Friedel pair.
        sampling = np.sqrt(2 * under / (bragg * expected) / (3 * len(moved)))
        assert sampling < 0.01
        assert left == pytest.approx(expected, rel=4 * sampling), (h, k)


@pytest.mark.parametrize("c", [0.05, 0.25])
def test_vacancies_weaken_bragg_beams_and_add_laue_scattering(c):
    """Bragg ∝ (1 − c)², diffuse = c (1 − c) Σ|f|² (von Laue)."""
    crystal = slab(12, 30)
    rng = np.random.default_rng(0)
    configurations = 60
    damaged = rendered(
        [Vacancy(c).apply(crystal, rng).crystal for _ in range(configurations)], device=CPU
    )
    whole = rendered([crystal])
    laue = c * (1 - c) * power(crystal, whole.q)
    bragg = whole.intensity > 1e-6 * np.sort(whole.intensity.ravel())[-2]
    diffuse = ~bragg & (whole.q < 1.55) & (whole.q > 0.1)
    ratio = (damaged.intensity / laue)[diffuse]
    # Every column of sites along the beam is one independent random number a configuration.
    columns = len(crystal) * CELL.cell[2, 2] / crystal.cell[2, 2]
    assert ratio.mean() == pytest.approx(1, abs=4 / np.sqrt(columns * configurations))
    strong = whole.intensity > 1e-2 * np.sort(whole.intensity.ravel())[-2]
    strong[whole.origin] = False
    left = (damaged.intensity - laue)[strong] / whole.intensity[strong]
    assert left.mean() == pytest.approx((1 - c) ** 2, rel=0.01)


@pytest.mark.parametrize(("energy_kev", "period"), [(80.0, 4.05), (200.0, 4.05), (80.0, 6.0)])
def test_the_first_laue_ring_has_the_radius_of_the_ewald_sphere(energy_kev, period):
    """1/λ − √(1/λ² − q²) = 1/c for a row of atoms that lie c apart along the beam."""
    repeats = 40
    positions = np.array([[5.1, 6.2, (n + 0.5) * period] for n in range(repeats)])
    box = np.array([40.0, 40.0, repeats * period])
    specimen = Specimen(positions, np.full(repeats, 14), box)
    wavelength = electron_wavelength_angstrom(energy_kev)
    radius = np.sqrt(2 / (wavelength * period) - 1 / period**2)
    renderer = Kinematic(band_limit_inv_angstrom=1.3 * radius)
    (pattern,) = renderer.render([[specimen]], [Beam(energy_kev)], **DOUBLE)
    spots = Spots(pattern)
    rows_power = spots.intensity / electron_scattering_factor(14, spots.q) ** 2
    rows_power *= (spots.q > 0.8 * radius) & (spots.q < 1.2 * radius)
    assert (spots.q * rows_power).sum() / rows_power.sum() == pytest.approx(radius, rel=2e-3)
    ring = abs(spots.q - radius) < 0.03 * radius
    assert rows_power[ring].sum() > 0.8 * rows_power.sum()


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, -1.0), (0.6, 0.8)])
def test_mistilt_centres_the_laue_circle_on_its_angle_over_the_wavelength(direction):
    box = np.array([60.0, 60.0, 400.0])
    rows = np.array([[5.0, 7.0, (n + 0.5) * 2] for n in range(200)])
    specimen = Specimen(rows, np.full(200, 14), box)
    tilt = 12.0 * np.array(direction)
    renderer = Kinematic(band_limit_inv_angstrom=1.4)
    (pattern,) = renderer.render([[specimen]], [Beam(200.0, *tilt)], **DOUBLE)
    spots = Spots(pattern)
    centre = np.tan(tilt * 1e-3) / electron_wavelength_angstrom(200.0)
    radius = np.hypot(*centre)
    power = spots.intensity / electron_scattering_factor(14, spots.q) ** 2
    distance = np.hypot(spots.q_x - centre[0], spots.q_y - centre[1])
    away = spots.q > 0.1
    assert power[away & (abs(distance - radius) < 0.03)].mean() > 50 * (
        power[away & (spots.q < 1.4) & (abs(distance - radius) > 0.2)].mean()
    )
    bright = away & (power > 0.5 * power[away].max())
    assert (distance * power)[bright].sum() / power[bright].sum() == pytest.approx(radius, rel=0.01)


def test_spots_stay_where_they_are_and_scale_with_the_wavelength_squared():
    """A thin crystal: R = λLg, so that in units of g energy changes only the strength, (γλ)²."""
    crystal = slab(2.911, 15)
    low, high = rendered([crystal], 80.0), rendered([crystal], 300.0)

    def strength(energy_kev):
        return relativistic_mass_ratio(energy_kev) * electron_wavelength_angstrom(energy_kev)

    for h, k in ((1, 0), (2, 0), (2, 1)):
        ratio = np.mean(six(high, h, k)) / np.mean(six(low, h, k))
        assert ratio == pytest.approx((strength(300.0) / strength(80.0)) ** 2, rel=2e-3)


@pytest.mark.parametrize("mistilt", [(0.0, 0.0), (9.0, -14.0)])
def test_multislice_of_a_weak_specimen_is_kinematic(mistilt):
    rng = np.random.default_rng(3)
    box = np.array([30.0, 26.0, 40.0])
    positions = rng.random((12, 3)) * box
    positions[:, 2] = (rng.integers(0, 80, 12) + 0.5) * 0.5  # in the middle of slices
    specimen = Specimen(positions, np.ones(12, dtype=int), box)  # hydrogen: a weak potential
    beam = Beam(300.0, *mistilt)
    born, dynamical = (
        renderer.render([[specimen]], [beam], **DOUBLE)[0]
        for renderer in (
            Kinematic(band_limit_inv_angstrom=1.2),
            Multislice(slice_thickness_angstrom=0.5, band_limit_inv_angstrom=1.2),
        )
    )
    assert born.sampling_inv_angstrom == dynamical.sampling_inv_angstrom
    assert born.direct_beam == dynamical.direct_beam
    scattered = born.intensity < 0.5
    difference = (born.intensity - dynamical.intensity)[scattered].norm()
    assert difference < 4e-3 * born.intensity[scattered].norm()


def test_multislice_behind_an_aperture_is_kinematic_as_well():
    """Atoms count by the amplitude over them: right where its edge is wide."""
    rng = np.random.default_rng(4)
    box = np.array([60.0, 56.0, 20.0])
    positions = rng.random((60, 3)) * box
    positions[:, 2] = (rng.integers(0, 20, 60) + 0.5) * 1.0
    aperture = Aperture(diameter_angstrom=34.0, edge_angstrom=16.0)
    specimen = Specimen(positions, np.ones(60, dtype=int), box, aperture)
    born, dynamical = (
        renderer.render([[specimen]], [Beam(300.0)], **DOUBLE)[0]
        for renderer in (
            Kinematic(band_limit_inv_angstrom=1.2),
            Multislice(slice_thickness_angstrom=1.0, band_limit_inv_angstrom=1.2),
        )
    )
    spots = Spots(born)
    far = (spots.q > 0.2) & (spots.q < 1.1)
    difference = (born.intensity - dynamical.intensity)[0].numpy()
    scattered = born.intensity[0].numpy()
    assert np.linalg.norm(difference[far]) < 0.02 * np.linalg.norm(scattered[far])
    assert abs(difference[~far]).max() < 1e-3 * scattered.max()
