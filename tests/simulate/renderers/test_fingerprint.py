"""Ziletti's fingerprint against sums over the atoms, and what symmetry demands of it."""

import time
from functools import cache

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from crystalvision.contracts import Aperture, Beam, Specimen
from crystalvision.errors import InputError
from crystalvision_simulate.renderers.fingerprint import Fingerprint, rotation_matrix
from crystalvision_simulate.scattering import x_ray_scattering_factor
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

CPU = torch.device("cpu")
DOUBLE = {"device": CPU, "dtype": torch.float64}


def cluster(positions, numbers, **more):
    positions = np.asarray(positions, dtype=float)
    box = np.ptp(positions, axis=0) + 3
    return Specimen(positions - positions.min(axis=0) + 1.5, np.asarray(numbers), box, **more)


def silicon_nitride(repeats, sigma=0.0):
    atoms = beta_silicon_nitride().to_ase().repeat(repeats)
    shifts = np.random.default_rng(0).normal(0, 1, atoms.positions.shape) * sigma
    return cluster(atoms.positions + shifts, atoms.numbers)


def disordered_nitride():
    return silicon_nitride((3, 2, 5), sigma=0.1)


def cube(repeats=4, spacing=2.5):
    points = np.stack(np.meshgrid(*[np.arange(repeats)] * 3), axis=-1).reshape(-1, 3) * spacing
    return points - points.mean(axis=0)


def turned(specimen, matrix):
    return cluster(specimen.positions @ matrix.T, specimen.numbers)


@cache
def direct_channels(pixels, pixel_size, wavelength):
    """|F|² of the nitride at both turns about each axis, atom by atom in float64."""
    specimen = disordered_nitride()
    steps = (np.arange(pixels) - pixels // 2) * pixel_size
    q_y, q_x = steps[:, None], steps[None, :]
    along = np.sqrt(wavelength**-2 - q_x**2 - q_y**2) - 1 / wavelength
    length = np.sqrt(q_x**2 + q_y**2 + along**2)
    factors = {
        number: x_ray_scattering_factor(int(number), length) for number in set(specimen.numbers)
    }
    channels = np.zeros((3, pixels, pixels))
    for channel, axis in enumerate("xyz"):
        for angle in (-45, 45):
            positions = Rotation.from_euler(axis, angle, degrees=True).apply(specimen.positions)
            wave = np.zeros((pixels, pixels), dtype=complex)
            for (x, y, z), number in zip(positions, specimen.numbers, strict=True):
                wave += factors[number] * np.exp(-2j * np.pi * (q_x * x + q_y * y + along * z))
            channels[channel] += abs(wave) ** 2
    return channels


@pytest.mark.parametrize(
    ("pixels", "pixel_size", "wavelength"),
    [(64, 0.08, 0.05), (65, 0.04, 0.05), (48, 0.02, 0.9)],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_intensities_are_those_of_a_sum_over_the_atoms(pixels, pixel_size, wavelength, dtype):
    """To 1e-4 of the maximum beyond the direct beam, for clusters wider than one over a pixel."""
    specimen = disordered_nitride()
    assert pixel_size != 0.08 or specimen.box_angstrom.max() > 1 / pixel_size
    renderer = Fingerprint(pixels, pixel_size, wavelength)
    found = renderer.channels(specimen, device=CPU, dtype=dtype).double().numpy()
    expected = direct_channels(pixels, pixel_size, wavelength)
    steps = np.arange(pixels) - pixels // 2
    beyond = np.hypot(steps[:, None], steps[None, :]) > 5
    assert abs(found - expected).max() < 1e-4 * expected.max()
    assert abs(found - expected)[:, beyond].max() < 1e-4 * expected[:, beyond].max()
    (pattern,) = renderer.render([[specimen]], [Beam(200.0)], device=CPU, dtype=dtype)
    masked = expected * beyond
    image = (masked - masked.min()) / (masked.max() - masked.min())
    assert pattern.intensity.numpy() == pytest.approx(image, abs=1e-4)


def test_image_has_three_channels_from_zero_to_one():
    (pattern,) = Fingerprint().render([[silicon_nitride((2, 2, 4))]], [Beam(200.0)], device=CPU)
    assert pattern.intensity.shape == (3, 64, 64)
    assert pattern.intensity.dtype == torch.float32
    assert float(pattern.intensity.min()) == 0
    assert float(pattern.intensity.max()) == 1
    assert pattern.direct_beam == (32, 32)
    assert pattern.sampling_inv_angstrom == (0.08, 0.08)


def test_mask_hides_the_direct_beam_and_only_that():
    specimen = [[silicon_nitride((2, 2, 4))]]
    masked, whole = (
        Fingerprint(mask_radius_px=radius).render(specimen, [Beam(200.0)], **DOUBLE)[0].intensity
        for radius in (5.0, 0.0)
    )
    steps = np.arange(64) - 32
    within = torch.from_numpy(np.hypot(steps[:, None], steps[None, :]) <= 5)
    assert not masked[:, within].any()
    assert masked[:, ~within].min() > 0
    assert whole[:, 32, 32].numpy() == pytest.approx(1)  # all electrons in phase
    # Beyond the mask both are the same up to a scale and an offset.
    outside = [image[:, ~within] - image[:, ~within].min() for image in (masked, whole)]
    masked_scale, whole_scale = (image.max() for image in outside)
    assert torch.allclose(outside[0] / masked_scale, outside[1] / whole_scale, atol=1e-9)
    assert masked_scale > 3 * whole_scale


def test_a_cube_is_four_fold_about_the_beam_and_alike_about_x_and_y():
    """Both turns about an axis at ±45° give the cube in one orientation: see it edge on."""
    specimen = cluster(cube(), np.full(64, 13))
    red, green, blue = Fingerprint(65, 0.03).channels(specimen, **DOUBLE)
    assert torch.allclose(blue, torch.rot90(blue), rtol=1e-3, atol=1e-4 * float(blue.max()))
    assert torch.allclose(red, torch.rot90(green), rtol=1e-3, atol=1e-4 * float(red.max()))
    assert torch.allclose(red, red.flip(0), rtol=1e-3, atol=1e-4 * float(red.max()))
    assert not torch.allclose(red, torch.rot90(red), rtol=0.1, atol=1e-2 * float(red.max()))


def test_turning_the_crystal_about_the_beam_swaps_red_and_green():
    specimen = silicon_nitride((2, 1, 3), sigma=0.2)
    renderer = Fingerprint(65, 0.04)
    red, green, blue = renderer.channels(specimen, **DOUBLE)
    new_red, new_green, new_blue = renderer.channels(
        turned(specimen, rotation_matrix(2, 90.0)), **DOUBLE
    )
    # x becomes y: columns become rows.
    for new, old in ((new_red, green), (new_green, red), (new_blue, blue)):
        difference = (new - torch.rot90(old, -1)).abs().max()
        assert difference < 1e-4 * old.max()
    assert (red - green).abs().max() > 0.1 * red.max()


def test_nothing_depends_on_place_box_or_beam():
    specimen = silicon_nitride((2, 2, 3), sigma=0.1)
    moved = Specimen(
        specimen.positions + np.array([31.0, -7.0, 100.0]), specimen.numbers, np.full(3, 500.0)
    )
    one, other = Fingerprint().render(
        [[specimen], [moved]], [Beam(200.0), Beam(60.0, 20.0, -3.0)], **DOUBLE
    )
    assert torch.allclose(one.intensity, other.intensity, atol=1e-10)


def test_scaling_to_the_nearest_neighbour_makes_crystals_of_one_shape_alike():
    small, large = (cluster(cube(spacing=spacing), np.full(64, 29)) for spacing in (2.2, 3.7))
    scaled = Fingerprint(nearest_neighbour_angstrom=1.0)
    one, other = scaled.render([[small], [large]], [Beam(200.0)] * 2, **DOUBLE)
    assert torch.allclose(one.intensity, other.intensity, atol=1e-9)
    asked = Fingerprint().render(
        [[cluster(cube(spacing=1.0), np.full(64, 29))]], [Beam(200.0)], **DOUBLE
    )[0]
    assert torch.allclose(one.intensity, asked.intensity, atol=1e-9)


def test_configurations_are_averaged_before_the_scale_is_found():
    rng = np.random.default_rng(1)
    still = silicon_nitride((2, 2, 3))
    moments = [
        cluster(still.positions + rng.normal(0, 0.1, still.positions.shape), still.numbers)
        for _ in range(3)
    ]
    renderer = Fingerprint(mask_radius_px=0)
    (pattern,) = renderer.render([moments], [Beam(200.0)], **DOUBLE)
    mean = sum(renderer.channels(moment, **DOUBLE) for moment in moments) / 3
    expected = (mean - mean.min()) / (mean.max() - mean.min())
    assert torch.allclose(pattern.intensity, expected, atol=1e-12)


def test_a_batch_gives_what_single_calls_give():
    specimens = [[silicon_nitride((2, 2, 3), sigma)] for sigma in (0.0, 0.1)]
    batch = Fingerprint().render(specimens, [Beam(200.0)] * 2, device=CPU)
    for specimen, pattern in zip(specimens, batch, strict=True):
        (alone,) = Fingerprint().render([specimen], [Beam(200.0)], device=CPU)
        assert torch.equal(alone.intensity, pattern.intensity)


@pytest.mark.slow  # not for its length: a busy machine would fail it
def test_the_cluster_that_silicon_nitride_needs_takes_well_below_a_second():
    """17,920 atoms at 256² take 0.3 s on one core."""
    specimen = silicon_nitride((8, 8, 20), sigma=0.05)
    assert len(specimen.numbers) == 17920
    renderer = Fingerprint(256, 0.0125)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        renderer.render([[specimen]], [Beam(200.0)], device=CPU)
        times.append(time.perf_counter() - start)
    assert min(times) < 1.0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu():
    specimen = [[silicon_nitride((4, 4, 8), sigma=0.05)]]
    (cpu,) = Fingerprint(128, 0.025).render(specimen, [Beam(200.0)], device=CPU)
    (cuda,) = Fingerprint(128, 0.025).render(specimen, [Beam(200.0)], device=torch.device("cuda"))
    assert (cuda.intensity.cpu() - cpu.intensity).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pixels": 0}, "pixels is 0; expected 2 to 4096"),
        ({"pixel_size_inv_angstrom": -0.1}, r"pixel_size_inv_angstrom is -0\.1; expected"),
        (
            {"wavelength_angstrom": float("nan")},
            "wavelength_angstrom is nan; expected 0.0001 to 100",
        ),
        ({"nearest_neighbour_angstrom": -1.0}, r"nearest_neighbour_angstrom is -1; expected"),
        ({"nearest_neighbour_angstrom": 0.0}, r"nearest_neighbour_angstrom is 0; expected"),
        ({"mask_radius_px": 32}, "mask_radius_px is 32; expected 0 to less than half of 64"),
        ({"wavelength_angstrom": 1.54}, r"wavelength of 1\.54 Å scatters nowhere"),
    ],
)
def test_unusable_options_are_quoted(options, message):
    with pytest.raises(InputError, match=message):
        Fingerprint(**options)


def test_unusable_specimens_are_refused():
    specimen = silicon_nitride((1, 1, 2))
    behind = Specimen(
        specimen.positions, specimen.numbers, specimen.box_angstrom, Aperture(8.0, 2.0)
    )
    with pytest.raises(InputError, match="without an aperture; leave"):
        Fingerprint().render([[behind]], [Beam(200.0)], device=CPU)
    with pytest.raises(InputError, match="at least two atoms; this has one"):
        Fingerprint().render([[cluster([[0, 0, 0]], [14])]], [Beam(200.0)], device=CPU)
