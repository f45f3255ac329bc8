"""Kinematic patterns against float64 sums over the atoms."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Aperture, Beam, Specimen
from crystalvision.errors import InputError
from crystalvision_simulate.renderers.kinematic import Kinematic
from crystalvision_simulate.scattering import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
    x_ray_scattering_factor,
    x_ray_wavelength_angstrom,
)

CPU = torch.device("cpu")
DOUBLE = {"device": CPU, "dtype": torch.float64}
BOX = np.array([23.7, 19.3, 60.0])


def random_specimen(atoms=150, seed=0, numbers=(7, 14), box=BOX, aperture=None):
    rng = np.random.default_rng(seed)
    drawn = rng.choice(np.array(numbers), size=atoms)
    return Specimen((rng.random((atoms, 3)) * 1.4 - 0.2) * box, drawn, box, aperture)


def grid_of(pattern):
    """q_y and q_x of every point of a pattern."""
    rows, columns = pattern.intensity.shape[1:]
    step_y, step_x = pattern.sampling_inv_angstrom
    q_y = (np.arange(rows) - pattern.direct_beam[0])[:, None] * step_y
    q_x = (np.arange(columns) - pattern.direct_beam[1])[None, :] * step_x
    return q_y, q_x


def ewald(q_y, q_x, wavelength, mistilt_mrad):
    """g_z, |g| and the cosine of the scattered wave, straight from |k + g| = |k|."""
    slope = np.tan(np.array(mistilt_mrad) * 1e-3)
    k = np.array([-slope[0], -slope[1], 1.0]) / np.sqrt(1 + slope @ slope) / wavelength
    scattered = np.sqrt(np.maximum(wavelength**-2 - (k[0] + q_x) ** 2 - (k[1] + q_y) ** 2, 0))
    along = scattered - k[2]
    return along, np.sqrt(q_x**2 + q_y**2 + along**2), scattered * wavelength, k[2] * wavelength


def direct_sum(specimen, factor, q_y, q_x, along, length, weights=None):
    """Σ w f(g) exp(−2πi g·r), atom by atom."""
    weights = np.ones(len(specimen.numbers)) if weights is None else weights
    total = np.zeros(length.shape, dtype=complex)
    for number in np.unique(specimen.numbers):
        waves = np.zeros_like(total)
        for atom in np.flatnonzero(specimen.numbers == number):
            x, y, z = specimen.positions[atom]
            waves += weights[atom] * np.exp(-2j * np.pi * (q_x * x + q_y * y + along * z))
        total += factor(int(number), length) * waves
    return total


RADIATIONS = {
    "electrons": (electron_wavelength_angstrom, electron_scattering_factor),
    "x-rays": (x_ray_wavelength_angstrom, x_ray_scattering_factor),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("mistilt", [(0.0, 0.0), (17.0, -9.0)])
@pytest.mark.parametrize(
    ("radiation", "energy_kev", "band"),
    [("electrons", 200.0, 1.66), ("electrons", 60.0, 2.0), ("x-rays", 8.05, 0.5)],
)
def test_structure_factors_are_exact_over_the_whole_band(
    radiation, energy_kev, band, mistilt, dtype
):
    """Relative error ≤ 1e-4 in every ring of |q|, with a curved sphere and atoms anywhere."""
    specimen = random_specimen()
    renderer = Kinematic(radiation, band_limit_inv_angstrom=band)
    beam = Beam(energy_kev, *mistilt)
    (pattern,) = renderer.render([[specimen]], [beam], device=CPU)
    q_y, q_x = grid_of(pattern)
    wavelength_of, factor = RADIATIONS[radiation]
    along, length, *_ = ewald(q_y, q_x, wavelength_of(energy_kev), mistilt)
    expected = direct_sum(specimen, factor, q_y, q_x, along, length)
    found = renderer.structure_factors(specimen, beam, device=CPU, dtype=dtype).numpy()
    radius = np.hypot(q_y, q_x)
    for low in np.linspace(0, band, 9)[:-1]:
        ring = (radius >= low) & (radius < min(low + band / 8, band))
        error = np.linalg.norm((found - expected)[ring]) / np.linalg.norm(expected[ring])
        assert error <= 1e-4, f"ring from {low:.2f} 1/Å"
    assert not found[radius > band].any()


@pytest.mark.parametrize("polarised", [True, False])
def test_intensity_is_the_fraction_of_the_beam_that_is_scattered(polarised):
    """One atom: the differential cross-section times the solid angle, over the area."""
    box = np.array([9.0, 7.0, 5.0])
    specimen = Specimen(np.array([[1.0, 2.0, 3.0]]), np.array([14]), box)
    for radiation, energy_kev, band, mistilt in (
        ("electrons", 200.0, 2.0, (8.0, 5.0)),
        ("x-rays", 17.48, 1.2, (0.0, 0.0)),
    ):
        wavelength_of, factor = RADIATIONS[radiation]
        wavelength = wavelength_of(energy_kev)
        renderer = Kinematic(radiation, band, polarisation_factor=polarised)
        (pattern,) = renderer.render([[specimen]], [Beam(energy_kev, *mistilt)], **DOUBLE)
        q_y, q_x = grid_of(pattern)
        _, length, cosine, incident = ewald(q_y, q_x, wavelength, mistilt)
        cross_section = factor(14, length) ** 2  # [Å²] a steradian
        if radiation == "electrons":
            cross_section *= relativistic_mass_ratio(energy_kev) ** 2
        else:
            cross_section *= 2.8179403e-5**2
            if polarised:
                cross_section *= (1 + (1 - wavelength**2 * length**2 / 2) ** 2) / 2
        solid_angle = wavelength**2 / (box[0] * box[1]) / np.maximum(cosine, 0.1)
        expected = cross_section * solid_angle / (box[0] * box[1] * incident)
        beyond = np.hypot(q_y, q_x) > 0
        inside = beyond & (np.hypot(q_y, q_x) <= band)
        found = pattern.intensity[0].numpy()
        assert found[inside] == pytest.approx(expected[inside], rel=2e-4)
        assert found[pattern.direct_beam] == pytest.approx(1)
        assert not found[beyond & ~inside].any()


def test_aperture_weighs_the_atoms_and_spreads_the_beam():
    aperture = Aperture(diameter_angstrom=24.0, edge_angstrom=6.0)
    box = np.array([40.0, 36.0, 30.0])
    specimen = random_specimen(atoms=60, box=box, aperture=aperture)
    renderer = Kinematic(band_limit_inv_angstrom=1.0)
    beam = Beam(200.0, 6.0, 0.0)
    from_middle = np.mod(specimen.positions[:, :2], box[:2]) - box[:2] / 2
    weights = aperture.transmission(np.hypot(*from_middle.T))
    assert 0 < weights.min(initial=1, where=weights > 0) < 0.9

    # Between the points of the box's own grid it matters in which of its images an atom is.
    across = np.column_stack([np.mod(specimen.positions[:, :2], box[:2]), specimen.positions[:, 2]])
    within_box = Specimen(across, specimen.numbers, box, aperture)

    def weighted_sum(q_y, q_x):
        along, length, *_ = ewald(q_y, q_x, electron_wavelength_angstrom(200.0), (6.0, 0.0))
        total = direct_sum(
            within_box, electron_scattering_factor, q_y, q_x, along, length, weights=weights
        )
        return total, along, np.hypot(q_y, q_x) <= 1.0

    expected, _, inside = weighted_sum(*renderer.grid(specimen, beam).q)
    found = renderer.structure_factors(specimen, beam, **DOUBLE).numpy()
    assert np.linalg.norm((found - expected)[inside]) < 3e-5 * np.linalg.norm(expected[inside])
    (pattern,) = renderer.render([[specimen]], [beam], **DOUBLE)
    q_y, q_x = grid_of(pattern)
    assert pattern.sampling_inv_angstrom == pytest.approx((0.5 / box[1], 0.5 / box[0]))
    expected, along, inside = weighted_sum(q_y, q_x)
    # The beam through the aperture, by a plain sum over the box.
    y, x = ((np.arange(200)[:, None] / 200) * box[1], (np.arange(200)[None, :] / 200) * box[0])
    amplitude = aperture.transmission(np.hypot(y - box[1] / 2, x - box[0] / 2))
    waves_y, waves_x = np.exp(-2j * np.pi * q_y * y.T), np.exp(-2j * np.pi * x.T * q_x)
    direct = waves_y @ amplitude @ waves_x / amplitude.size
    direct = direct * np.exp(-1j * np.pi * along * box[2])
    scattered = expected - expected[pattern.direct_beam] / direct[pattern.direct_beam] * direct
    strength = relativistic_mass_ratio(200.0) * electron_wavelength_angstrom(200.0)
    wave = direct + 1j * strength / (box[0] * box[1]) * scattered
    # A point of the pattern stands for a fourth of the cell that one of the box's grid has.
    intensity = abs(wave) ** 2 / np.mean(amplitude**2) / 4
    difference = (pattern.intensity[0].numpy() - intensity)[inside]
    assert np.linalg.norm(difference) < 1e-3 * np.linalg.norm(intensity[inside])
    far = inside & (np.hypot(q_y, q_x) > 0.15)
    difference = (pattern.intensity[0].numpy() - intensity)[far]
    assert np.linalg.norm(difference) < 1e-3 * np.linalg.norm(intensity[far])


def test_an_aperture_passes_the_whole_beam_where_nothing_scatters():
    aperture = Aperture(diameter_angstrom=24.0, edge_angstrom=6.0)
    specimen = Specimen(
        np.array([[1.0, 1.0, 1.0]]), np.array([1]), np.array([40.0, 36.0, 30.0]), aperture
    )
    (pattern,) = Kinematic(band_limit_inv_angstrom=1.5).render(
        [[specimen]], [Beam(200.0)], **DOUBLE
    )
    assert float(pattern.intensity.sum()) == pytest.approx(1, abs=1e-4)


def test_float32_agrees_with_float64_and_a_batch_with_single_calls():
    specimens = [[random_specimen(400, seed)] for seed in range(3)]
    beams = [Beam(200.0), Beam(200.0, 5.0, 3.0), Beam(80.0)]
    renderer = Kinematic(band_limit_inv_angstrom=1.3)
    batch = renderer.render(specimens, beams, device=CPU)
    for specimen, beam, pattern in zip(specimens, beams, batch, strict=True):
        (alone,) = renderer.render([specimen], [beam], device=CPU)
        assert torch.equal(alone.intensity, pattern.intensity)
        assert pattern.intensity.dtype == torch.float32
        (exact,) = renderer.render([specimen], [beam], **DOUBLE)
        scattered = exact.intensity < 0.5
        error = (pattern.intensity - exact.intensity)[scattered].norm()
        assert error < 1e-4 * exact.intensity[scattered].norm()


def test_configurations_are_averaged():
    specimens = [random_specimen(100, seed) for seed in range(4)]
    renderer = Kinematic(band_limit_inv_angstrom=1.0)
    (together,) = renderer.render([specimens], [Beam(200.0)], device=CPU)
    alone = [renderer.render([[one]], [Beam(200.0)], device=CPU)[0] for one in specimens]
    mean = torch.stack([pattern.intensity for pattern in alone]).mean(0)
    assert torch.allclose(together.intensity, mean, rtol=1e-5, atol=1e-12)


def test_band_limit_changes_nothing_below_it():
    specimen = random_specimen(200)
    narrow, wide = (
        Kinematic(band_limit_inv_angstrom=band).render([[specimen]], [Beam(200.0)], **DOUBLE)[0]
        for band in (0.8, 1.7)
    )
    q_y, q_x = grid_of(narrow)
    rows, columns = (
        slice(w - n, w + n + 1) for w, n in zip(wide.direct_beam, narrow.direct_beam, strict=True)
    )
    inside = np.hypot(q_y, q_x) <= 0.8
    difference = (wide.intensity[0, rows, columns] - narrow.intensity[0]).numpy()[inside]
    assert abs(difference).max() < 1e-4 * float(narrow.intensity[narrow.intensity < 0.5].max())


@pytest.mark.parametrize("atoms", [1, 2])
def test_atoms_all_in_one_plane_or_point_are_no_special_case(atoms):
    positions = np.array([[3.0, 4.0, 2.0], [8.0, 1.0, 2.0]])[:atoms]
    specimen = Specimen(positions, np.full(atoms, 14), np.array([12.0, 10.0, 2.0]))
    renderer = Kinematic(band_limit_inv_angstrom=1.0)
    found = renderer.structure_factors(specimen, Beam(200.0), **DOUBLE).numpy()
    q_y, q_x = grid_of(renderer.render([[specimen]], [Beam(200.0)], **DOUBLE)[0])
    along, length, *_ = ewald(q_y, q_x, electron_wavelength_angstrom(200.0), (0, 0))
    expected = direct_sum(specimen, electron_scattering_factor, q_y, q_x, along, length)
    inside = np.hypot(q_y, q_x) <= 1.0
    assert np.linalg.norm((found - expected)[inside]) < 3e-5 * np.linalg.norm(expected[inside])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("radiation", ["electrons", "x-rays"])
def test_cuda_agrees_with_the_cpu(radiation):
    specimen = random_specimen(2000)
    renderer = Kinematic(radiation, band_limit_inv_angstrom=1.3)
    beam = Beam(100.0, 5.0)
    (cpu,) = renderer.render([[specimen]], [beam], device=CPU)
    (cuda,) = renderer.render([[specimen]], [beam], device=torch.device("cuda"))
    scattered = cpu.intensity < 0.5
    error = (cuda.intensity.cpu() - cpu.intensity)[scattered].norm()
    assert error < 1e-4 * cpu.intensity[scattered].norm()


def test_unusable_settings_are_quoted():
    with pytest.raises(InputError, match="radiation is 'neutrons'; expected electrons or x-rays"):
        Kinematic("neutrons")
    with pytest.raises(InputError, match=r"band_limit_inv_angstrom is -1; expected 0\.01 to 50"):
        Kinematic(band_limit_inv_angstrom=-1)


def test_a_wave_too_long_for_the_band_is_refused():
    renderer = Kinematic("x-rays", band_limit_inv_angstrom=1.0)
    with pytest.raises(InputError, match=r"wavelength of 1\.54 Å scatters nowhere; lower the band"):
        renderer.render([[random_specimen(2)]], [Beam(8.05)], device=CPU)


def test_configurations_must_share_a_box():
    one, other = random_specimen(2), random_specimen(2, box=BOX + 1)
    with pytest.raises(InputError, match="must share one box and aperture"):
        Kinematic().render([[one, other]], [Beam(200.0)], device=CPU)
