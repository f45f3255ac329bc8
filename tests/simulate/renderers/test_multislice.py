"""Multislice against float64 direct sums and what symmetry and theory demand."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from crystalvision.contracts import Beam, Specimen
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.defects.vacancy import Vacancy
from crystalvision_simulate.defects.vibration import ThermalVibration
from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.renderers._plane import Plane
from crystalvision_simulate.renderers._slices import Slices
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.scattering import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
)
from crystalvision_simulate.simulator import Simulator
from crystalvision_simulate.specimens import SlabCutter, specimen_of
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

CPU = torch.device("cpu")
DOUBLE = {"device": CPU, "dtype": torch.float64}


def random_specimen(atoms=300, thickness=1.4, box=(23.7, 19.3), seed=0, numbers=(7, 14)):
    rng = np.random.default_rng(seed)
    lengths = np.array([*box, thickness])
    return Specimen(
        rng.random((atoms, 3)) * lengths, rng.choice(np.array(numbers), size=atoms), lengths
    )


def direct_phase(specimen, energy_kev, q_y, q_x):
    """Fourier coefficients of the phase of one slice, summed atom by atom in float64."""
    x, y, _ = specimen.positions.T
    length = np.hypot(q_y, q_x)
    total = np.zeros(np.broadcast_shapes(q_y.shape, q_x.shape), dtype=complex)
    for number in np.unique(specimen.numbers):
        mine = specimen.numbers == number
        waves_y = np.exp(-2j * np.pi * q_y * y[mine])
        waves_x = np.exp(-2j * np.pi * q_x.T * x[mine])
        total += electron_scattering_factor(int(number), length) * (waves_y @ waves_x.T)
    scale = relativistic_mass_ratio(energy_kev) * electron_wavelength_angstrom(energy_kev)
    return total * scale / np.prod(specimen.box_angstrom[:2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_structure_factors_are_exact_over_the_whole_band(dtype):
    """Relative error ≤ 1e-4 in every ring of |g|, up to the 2/3 band limit, at random positions."""
    specimen = random_specimen()
    renderer = Multislice(slice_thickness_angstrom=2, band_limit_inv_angstrom=1.66)
    plane = Plane.of(specimen, renderer.band_limit_inv_angstrom)
    (phase,) = renderer.phases(specimen, 200.0, device=CPU, dtype=dtype)
    found = np.fft.fft2(phase.double().numpy(), norm="forward")
    q_y, q_x = plane.frequencies()
    expected = direct_phase(specimen, 200.0, q_y, q_x)
    length = np.hypot(q_y, q_x)
    for low in np.arange(0, 1.65, 0.15):
        ring = (length >= low) & (length < min(low + 0.15, 1.66))
        error = np.linalg.norm((found - expected)[ring]) / np.linalg.norm(expected[ring])
        assert error <= 1e-4, f"ring from {low:.2f} 1/Å"
    assert abs(found[length > 1.661]).max() < 1e-6 * abs(found).max()


def test_band_is_within_two_thirds_of_nyquist():
    plane = Plane(60.864, 65.887, 1.66)
    rows, columns = plane.shape
    assert columns / 60.864 / 2 * 2 / 3 >= 1.66
    assert rows / 65.887 / 2 * 2 / 3 >= 1.66
    assert columns <= 1.06 * 3 * 60.864 * 1.66


def test_intensity_is_conserved_but_for_the_band_limit():
    """What one slice scatters out of the band is all that is missing: to 1e-5, and in float64."""
    specimen = random_specimen()
    renderer = Multislice(slice_thickness_angstrom=2, band_limit_inv_angstrom=1.66)
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-12)):
        (phase,) = renderer.phases(specimen, 200.0, device=CPU, dtype=dtype)
        diffracted = np.fft.fft2(np.exp(1j * phase.double().numpy()), norm="forward")
        q_y, q_x = Plane.of(specimen, 1.66).frequencies()
        beyond = (abs(diffracted) ** 2)[np.hypot(q_y, q_x) > 1.66].sum()
        wave = renderer.exit_wave(specimen, Beam(200.0), device=CPU, dtype=dtype)
        total = float(wave.abs().square().double().sum())
        assert beyond > 0
        assert total + beyond == pytest.approx(1, abs=tolerance)


@pytest.mark.parametrize("mistilt", [(0.0, 0.0), (9.0, -14.0)])
def test_weak_specimens_scatter_kinematically(mistilt):
    """The first Born sum over atoms, with the curvature of the Ewald sphere and the mistilt."""
    rng = np.random.default_rng(3)
    box = np.array([30.0, 26.0, 40.0])
    renderer = Multislice(slice_thickness_angstrom=0.5, band_limit_inv_angstrom=1.2)
    slices = 80
    positions = rng.random((12, 3)) * box
    positions[:, 2] = (rng.integers(0, slices, 12) + 0.5) * box[2] / slices
    specimen = Specimen(positions, np.ones(12, dtype=int), box)  # hydrogen: a weak potential
    beam = Beam(300.0, *mistilt)
    wave = renderer.exit_wave(specimen, beam, **DOUBLE).numpy()
    q_y, q_x = Plane.of(specimen, 1.2).frequencies()
    wavelength = electron_wavelength_angstrom(300.0)
    tangent = np.tan(np.array(mistilt) * 1e-3)
    excitation = -wavelength * (q_x**2 + q_y**2) / 2 + q_x * tangent[0] + q_y * tangent[1]
    amplitude = np.zeros_like(wave)
    slice_of = Slices.filling(specimen, 0.5).of_atoms
    assert slice_of.max() < slices
    for (x, y, _), number in zip(positions, slice_of, strict=True):
        left = (slices - number) * box[2] / slices
        amplitude += np.exp(-2j * np.pi * (q_x * x + q_y * y) + 2j * np.pi * excitation * left)
    strength = relativistic_mass_ratio(300.0) * wavelength / (box[0] * box[1])
    amplitude = 1j * amplitude * strength * electron_scattering_factor(1, np.hypot(q_y, q_x))
    band = (np.hypot(q_y, q_x) <= 1.2) & (np.hypot(q_y, q_x) > 0)
    found, expected = abs(wave[band]) ** 2, abs(amplitude[band]) ** 2
    assert np.linalg.norm(found - expected) < 4e-3 * np.linalg.norm(expected)


def test_mistilt_centres_the_laue_circle_on_its_angle_over_the_wavelength():
    """A thick crystal scatters where the excitation error vanishes: on a circle through q = 0."""
    rng = np.random.default_rng(1)
    box = np.array([24.0, 24.0, 400.0])
    positions = rng.random((1, 2)) * 24
    positions = np.hstack([np.tile(positions, (200, 1)), (np.arange(200)[:, None] + 0.5) * 2])
    specimen = Specimen(positions, np.ones(200, dtype=int), box)  # one row of atoms along the beam
    renderer = Multislice(slice_thickness_angstrom=2, band_limit_inv_angstrom=1.5)
    pattern = renderer.render([[specimen]], [Beam(200.0, 12.0, 0.0)], **DOUBLE)[0]
    intensity = pattern.intensity[0].numpy()
    rows, columns = np.indices(intensity.shape)
    q_y = (rows - pattern.direct_beam[0]) * pattern.sampling_inv_angstrom[0]
    q_x = (columns - pattern.direct_beam[1]) * pattern.sampling_inv_angstrom[1]
    centre = 12e-3 / electron_wavelength_angstrom(200.0)
    from_circle = abs(np.hypot(q_x - centre, q_y) - centre)
    away = np.hypot(q_x, q_y) > 0.2
    on, off = (from_circle < 0.03) & away, (from_circle > 0.2) & away
    assert intensity[on].mean() > 30 * intensity[off].mean()


def test_ideal_pattern_has_the_symmetry_of_the_crystal():
    """Three-fold along [001], and six-fold together with the screw's half step along the beam.

    The slab's surfaces do not follow the 6₃ axis, so one pattern alone is six-fold only nearly.
    """
    slab = SlabCutter(beta_silicon_nitride(), width_angstrom=15).cut(60)
    moved = slab.positions + np.array([0, 0, 2.911 / 2])
    screwed = slab.with_atoms(np.mod(moved, np.diag(slab.cell)), slab.numbers)
    first, second = Multislice().render(
        [[specimen_of(slab)], [specimen_of(screwed)]], [Beam(200.0)] * 2, **DOUBLE
    )

    def at(pattern, q):
        row = pattern.direct_beam[0] + round(q[1] / pattern.sampling_inv_angstrom[0])
        column = pattern.direct_beam[1] + round(q[0] / pattern.sampling_inv_angstrom[1])
        return float(pattern.intensity[0, row, column])

    reciprocal = np.linalg.inv(beta_silicon_nitride().cell).T[:2, :2]
    turn = np.array([[0.5, -np.sqrt(3) / 2], [np.sqrt(3) / 2, 0.5]])
    for h, k in ((1, 0), (2, 0), (1, 1), (2, 1), (3, 1)):
        q = h * reciprocal[0] + k * reciprocal[1]
        turned = [np.linalg.matrix_power(turn, n) @ q for n in range(6)]
        found = [at(first, place) for place in turned]
        assert min(found) > 1e-6
        assert found[::2] == pytest.approx([found[0]] * 3, rel=3e-4)
        assert found[1::2] == pytest.approx([found[1]] * 3, rel=3e-4)
        assert at(second, turned[1]) == pytest.approx(found[0], rel=3e-4)
        assert found[3] == pytest.approx(found[0], rel=0.1)  # Friedel, but for the surfaces
    # P6₃/m has no mirror along [001]: (2 1) and (1 2) differ.
    assert at(first, 2 * reciprocal[0] + reciprocal[1]) != pytest.approx(
        at(first, reciprocal[0] + 2 * reciprocal[1]), rel=0.05
    )


@pytest.mark.parametrize(("energy_kev", "period"), [(80.0, 4.05), (200.0, 4.05), (80.0, 6.0)])
def test_the_first_laue_ring_has_the_radius_of_the_ewald_sphere(energy_kev, period):
    """λg²/2 = 1/c, for a row of atoms that lie c apart along the beam."""
    repeats = 40
    place = [5.1, 6.2]
    positions = np.array([[*place, (n + 0.5) * period] for n in range(repeats)])
    box = np.array([12.0, 12.0, repeats * period])
    specimen = Specimen(positions, np.ones(repeats, dtype=int), box)
    radius = np.sqrt(2 / (electron_wavelength_angstrom(energy_kev) * period))
    renderer = Multislice(slice_thickness_angstrom=0.5, band_limit_inv_angstrom=1.3 * radius)
    (pattern,) = renderer.render([[specimen]], [Beam(energy_kev)], **DOUBLE)
    rows, columns = np.indices(pattern.intensity[0].shape)
    q = np.hypot(rows - pattern.direct_beam[0], columns - pattern.direct_beam[1]) / 12.0
    beyond = (q > 0.75 * radius) & (q < 1.25 * radius)
    intensity = pattern.intensity[0].numpy() * beyond
    assert (q * intensity).sum() / intensity.sum() == pytest.approx(radius, rel=0.01)
    ring = abs(q - radius) < 0.03 * radius
    assert intensity[ring].sum() > 0.7 * intensity.sum()


def thin_layer(width=30):
    """One cell of the crystal along the beam: thin enough to scatter nearly kinematically."""
    return SlabCutter(beta_silicon_nitride(), width_angstrom=width).cut(2.911)


def rendered(crystals, energy_kev=300.0):
    """Mean intensity of thin layers at each index (row, column) about q = 0."""
    renderer = Multislice(band_limit_inv_angstrom=1.66)
    (pattern,) = renderer.render(
        [[specimen_of(crystal) for crystal in crystals]], [Beam(energy_kev)], device=CPU
    )
    step = np.array(pattern.sampling_inv_angstrom)
    intensity = pattern.intensity[0].numpy()

    def at(q):
        row, column = (np.round(np.array([q[1], q[0]]) / step)).astype(int) + pattern.direct_beam
        return float(intensity[row, column])

    return at


RECIPROCAL = np.linalg.inv(beta_silicon_nitride().cell).T[:2, :2]


def test_thermal_motion_weakens_bragg_beams_as_debye_and_waller_say():
    """Averaged over configurations: exp(−4π²g²u²)."""
    slab = thin_layer()
    vibration = ThermalVibration(b_iso_angstrom2={"Si": 0.4, "N": 0.4})
    rng = np.random.default_rng(0)
    moving = rendered([vibration.apply(slab, rng).crystal for _ in range(60)])
    still = rendered([slab])
    for h, k in ((2, 1), (3, 2), (6, 0)):
        q = h * RECIPROCAL[0] + k * RECIPROCAL[1]
        expected = np.exp(-4 * np.pi**2 * (q @ q) * 0.4 / (8 * np.pi**2))
        assert moving(q) / still(q) == pytest.approx(expected, rel=0.03), (h, k)


def test_vacancies_weaken_bragg_beams_and_add_laue_scattering():
    """Bragg ∝ (1 − c)², diffuse = c (1 − c) Σ|f|², in units of the strength of one atom."""
    slab, c = thin_layer(), 0.25
    rng = np.random.default_rng(0)
    damaged = rendered([Vacancy(c).apply(slab, rng).crystal for _ in range(60)])
    whole = rendered([slab])
    box = np.diag(slab.cell)[:2]
    strength = relativistic_mass_ratio(300.0) * electron_wavelength_angstrom(300.0) / box.prod()

    def power(q):
        """Σ|f|² over the atoms."""
        factors = {z: electron_scattering_factor(z, np.array(np.linalg.norm(q))) for z in (7, 14)}
        return sum((slab.numbers == z).sum() * factor**2 for z, factor in factors.items())

    for h, k in ((2, 0), (2, 1), (3, 2)):
        q = h * RECIPROCAL[0] + k * RECIPROCAL[1]
        laue = c * (1 - c) * power(q) * strength**2  # which lies under the Bragg beam, too
        assert (damaged(q) - laue) / whole(q) == pytest.approx((1 - c) ** 2, rel=0.05), (h, k)
    ratios = []
    for index in ((3, 2), (5, 1), (4, 7), (11, 3), (2, 13), (9, 8), (14, 5), (7, 11)):
        between = np.array(index) / box  # a wave of the box, between the Bragg beams
        assert whole(between) < 1e-3 * damaged(between)
        ratios.append(damaged(between) / (c * (1 - c) * power(between) * strength**2))
    # 480 speckles, each exponential, and a few per cent of the beam scattered elsewhere.
    assert np.mean(ratios) == pytest.approx(1, abs=4 / np.sqrt(480) + 0.03)


@pytest.mark.parametrize("thickness", range(50, 151, 10))
def test_a_slice_is_a_layer_by_default(thickness):
    cells = round(thickness / 2.911)
    specimen = Specimen(np.zeros((1, 3)), np.array([14]), np.array([5.0, 5.0, cells * 2.911]))
    assert Multislice().slice_count(specimen) == 2 * cells


@pytest.mark.parametrize("mistilt_x_mrad", [0.0, 8.0])
@pytest.mark.parametrize("thickness", [60, 105, 120])
def test_the_shipped_recipe_is_close_to_converged(catalogue, thickness, mistilt_x_mrad):
    """Within 1.2 % of the incident beam, as the README says."""
    shipped = load_recipe("si3n4-four-classes", catalogue).renderer
    slab = SlabCutter(beta_silicon_nitride(), width_angstrom=22).cut(thickness)
    specimen = specimen_of(ThermalVibration().apply(slab, np.random.default_rng(0)).crystal)
    beam = Beam(200.0, mistilt_x_mrad, mistilt_x_mrad / 2)

    def beams(renderer):
        pattern = renderer.render([[specimen]], [beam], device=CPU)[0]
        y, x = pattern.direct_beam
        reach_y, reach_x = (int(1.6 / step) for step in pattern.sampling_inv_angstrom)
        return pattern.intensity[0, y - reach_y : y + reach_y + 1, x - reach_x : x + reach_x + 1]

    coarse = beams(catalogue.create("renderer", shipped.name, shipped.options))
    error = float(abs(coarse - beams(Multislice(1.46, 4.0))).max())
    assert 1e-4 < error < 0.012


def test_float32_agrees_with_float64_and_a_batch_with_single_calls():
    slab = SlabCutter(beta_silicon_nitride(), width_angstrom=20).cut(50)
    rng = np.random.default_rng(0)
    specimens = [[specimen_of(ThermalVibration().apply(slab, rng).crystal)] for _ in range(3)]
    beams = [Beam(200.0), Beam(200.0, 5.0, 3.0), Beam(80.0)]
    batch = Multislice().render(specimens, beams, device=CPU)
    for specimen, beam, pattern in zip(specimens, beams, batch, strict=True):
        (alone,) = Multislice().render([specimen], [beam], device=CPU)
        assert torch.equal(alone.intensity, pattern.intensity)
        (exact,) = Multislice().render([specimen], [beam], **DOUBLE)
        error = (pattern.intensity - exact.intensity).norm() / exact.intensity.norm()
        assert error < 1e-4
        without_beam = exact.intensity < 0.1
        error = (pattern.intensity - exact.intensity)[without_beam].norm()
        assert error < 1e-4 * exact.intensity[without_beam].norm()


def test_configurations_are_averaged():
    slab = SlabCutter(beta_silicon_nitride(), width_angstrom=15).cut(20)
    rng = np.random.default_rng(0)
    specimens = [specimen_of(ThermalVibration().apply(slab, rng).crystal) for _ in range(4)]
    (together,) = Multislice().render([specimens], [Beam(200.0)], device=CPU)
    alone = [Multislice().render([[s]], [Beam(200.0)], device=CPU)[0] for s in specimens]
    mean = torch.stack([pattern.intensity for pattern in alone]).mean(0)
    assert torch.allclose(together.intensity, mean, rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize("height", [-1e-9, 0.0, 0.3, 0.75, 1.2, 1.4])
def test_slices_are_shifted_so_that_layers_lie_within_them(height):
    positions = np.array([[0, 0, height + z] for z in (0.0, 1.5, 3.0, 4.5)])
    for seed in range(20):
        moved = positions + np.random.default_rng(seed).normal(0, 0.05, positions.shape)
        specimen = Specimen(moved, np.full(4, 14), np.array([5.0, 5.0, 6.0]))
        assert Slices.filling(specimen, 1.5).of_atoms.tolist() == [0, 1, 2, 3]
        two = Slices.of_layers(specimen, 3.0)
        assert two.of_atoms.tolist() == [0, 0, 1, 1]


def test_thermal_motion_moves_no_layer_of_a_slab_into_another_slice():
    """With slices of one cell, which hold two layers, and of one layer."""
    aluminium = Catalogue.load().create("structure", "aluminium", {})
    slab = SlabCutter(aluminium, width_angstrom=12).cut(40)
    cells = round(slab.cell[2, 2] / aluminium.cell[2, 2])
    for slices in (cells, 2 * cells):

        def slice_of(specimen: Specimen, slices: int = slices) -> np.ndarray:
            found = Slices.filling(specimen, specimen.thickness_angstrom / slices * (1 + 1e-9))
            assert found.count == slices
            return found.of_atoms

        ideal = slice_of(specimen_of(slab))
        assert np.unique(np.bincount(ideal)).tolist() == [len(slab) / slices]
        for seed in range(3):
            rng = np.random.default_rng(seed)
            moved = slab.positions + rng.normal(0, 0.1, slab.positions.shape)
            specimen = specimen_of(slab.with_atoms(moved, slab.numbers))
            assert np.array_equal(slice_of(specimen), ideal)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu():
    slab = SlabCutter(beta_silicon_nitride(), width_angstrom=30).cut(50)
    specimen = specimen_of(ThermalVibration().apply(slab, np.random.default_rng(0)).crystal)
    (cpu,) = Multislice().render([[specimen]], [Beam(200.0, 5.0)], device=CPU)
    (cuda,) = Multislice().render([[specimen]], [Beam(200.0, 5.0)], device=torch.device("cuda"))
    error = (cuda.intensity.cpu() - cpu.intensity).norm() / cpu.intensity.norm()
    assert error < 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slice_thickness_angstrom": 0}, "slice_thickness_angstrom is 0; expected 0."),
        ({"band_limit_inv_angstrom": -1}, "band_limit_inv_angstrom is -1; expected 0."),
    ],
)
def test_unusable_numbers_are_quoted(options, message):
    with pytest.raises(InputError, match=message):
        Multislice(**options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("structure", "energy_kev", "most"),
    [
        ("silicon", 100, 0.013),
        ("aluminium", 100, 0.02),
        ("tungsten", 100, 0.12),
        ("tungsten", 300, 0.07),
    ],
)
def test_the_selected_area_recipes_are_as_converged_as_the_guide_says(structure, energy_kev, most):
    catalogue = Catalogue.load()
    crystal = [
        f"structure={structure}",
        "classes=[{name: perfect, severity: 0}]",
        "specimen.zone_axis=[0, 0, 1]",
        "specimen.thickness_angstrom=160",
        f"beam.energy_kev={energy_kev}",
        "beam.mistilt_mrad=3",
    ]
    fine = ["renderer.band_limit_inv_angstrom=5.5", "renderer.slice_thickness_angstrom=1"]
    images = []
    for settings in (crystal, [*crystal, *fine]):
        simulator = Simulator(load_recipe("sadp-defects", catalogue, settings), catalogue)
        (projection,) = simulator.render([simulator.scene(0)])
        images.append(projection.image[0].double())
    spots = 121 * functional.avg_pool2d((images[0] - images[1])[None], 11, stride=1)
    assert float(spots.abs().max()) < most
