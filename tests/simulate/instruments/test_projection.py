"""Where a pattern falls on the detector."""

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from crystalvision.contracts import Pattern
from crystalvision.errors import InputError
from crystalvision_simulate.instruments.detector import (
    Camera,
    CameraPose,
    _projection,
    project,
    project_batch,
    q_of_pixels,
)

CAMERA = Camera(pixels=128, pixel_size_inv_angstrom=0.02)


def spot(q_x, q_y, sampling=(0.03, 0.04)):
    """A pattern with all its intensity in the grid point nearest to (q_x, q_y)."""
    intensity = torch.zeros(1, 81, 61, dtype=torch.float64)
    row, column = round(q_y / sampling[0]) + 40, round(q_x / sampling[1]) + 30
    intensity[0, row, column] = 1
    q = ((column - 30) * sampling[1], (row - 40) * sampling[0])
    return Pattern.diffraction(intensity, sampling, (40, 30), 1.2), np.array(q)


def centre_of_mass(image):
    rows, columns = np.indices(image.shape)
    return np.array([(columns * image).sum(), (rows * image).sum()]) / image.sum()


@pytest.mark.parametrize(
    "pose",
    [
        CameraPose(),
        CameraPose(rotation_deg=30),
        CameraPose(rotation_deg=200, centre_offset_x_px=1.3, centre_offset_y_px=-0.7),
        CameraPose(camera_length_error=0.02),
        CameraPose(rotation_deg=77.7, camera_length_error=-0.02, centre_offset_y_px=2),
    ],
)
def test_spots_fall_where_the_calibration_says_and_no_intensity_is_lost(pose):
    pattern, q = spot(0.6, -0.35)
    image, _ = project(pattern, CAMERA, pose)
    turn = np.deg2rad(pose.rotation_deg)
    turned = np.array(
        [q[0] * np.cos(turn) - q[1] * np.sin(turn), q[0] * np.sin(turn) + q[1] * np.cos(turn)]
    )
    offset = np.array([pose.centre_offset_x_px, pose.centre_offset_y_px])
    expected = 64 + offset + turned * (1 + pose.camera_length_error) / 0.02
    found = image[0].numpy()
    assert centre_of_mass(found) == pytest.approx(expected, abs=0.05)
    assert found.sum() == pytest.approx(1, abs=0.012)


def test_camera_length_scales_a_pattern():
    """λL = R·d: at a camera length that is 1 % longer a spot is 1 % further out."""
    pattern, q = spot(0.8, 0.0)
    radii = []
    for error in (0.0, 0.01):
        image, _ = project(pattern, CAMERA, CameraPose(camera_length_error=error))
        radii.append(centre_of_mass(image[0].numpy())[0] - 64)
    assert radii[0] * 0.02 == pytest.approx(q[0], abs=1e-3)
    assert radii[1] / radii[0] == pytest.approx(1.01, abs=1e-3)


@pytest.mark.parametrize("pixel", [0.0125, 0.025, 0.05])
@pytest.mark.parametrize("width", [40, 60, 120, 300])
def test_a_spot_keeps_its_intensity_wherever_it_falls(pixel, width):
    """Whatever the size of the pixels against that of the spot."""
    sampling = (1 / width, 1 / width)
    pattern, _ = spot(0.05, 0.03, sampling)
    rng = np.random.default_rng(0)
    for _ in range(5):
        offsets = rng.uniform(-2, 2, 2)
        pose = CameraPose(rng.uniform(0, 360), *offsets)
        image, _ = project(pattern, Camera(round(1 / pixel), pixel), pose)
        assert float(image.sum()) == pytest.approx(1, abs=0.012)


def test_even_intensity_stays_even_under_rotation():
    """No moiré between the grid and the pixels: a flat pattern is flat on the detector."""
    flat = Pattern.diffraction(
        torch.ones(1, 161, 161, dtype=torch.float64), (0.0151, 0.0164), (80, 80), 1.1
    )
    image, _ = project(flat, Camera(64, 0.0125), CameraPose(rotation_deg=23))
    expected = 0.0125**2 / (0.0151 * 0.0164)
    assert image.numpy() == pytest.approx(expected, rel=1e-9)


def noise_pattern(dtype=torch.float64, seed=0, shape=(121, 111), sampling=(0.0162, 0.0171)):
    """A pattern whose every point is another number, direct beam in the middle."""
    intensity = torch.rand((2, *shape), generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return Pattern.diffraction(intensity**6, sampling, (shape[0] // 2, shape[1] // 2), 0.9)


def integrated_by_brute_force(pattern, camera, pose, parts=40):
    """The linear interpolation, integrated over every true, turned pixel by the midpoint rule."""
    rows, columns = camera.lines(pose, parts)
    turn = np.deg2rad(pose.rotation_deg)
    x = columns[None] * np.cos(turn) + rows[:, None] * np.sin(turn)
    y = rows[:, None] * np.cos(turn) - columns[None] * np.sin(turn)
    step_y, step_x = pattern.sampling_inv_angstrom
    points = [y / step_y + pattern.direct_beam[0], x / step_x + pattern.direct_beam[1]]
    images = np.stack([map_coordinates(c, points, order=1) for c in pattern.intensity.numpy()])
    shape = (2, camera.pixels, parts, camera.pixels, parts)
    return images.reshape(shape).mean(axis=(2, 4)) * camera.side(pose) ** 2 / (step_y * step_x)


@pytest.mark.parametrize("pixel", [0.0125, 0.02])
@pytest.mark.parametrize(("rotation", "error"), [(0, 5e-4), (90, 5e-4), (45, 0.015), (67, 0.015)])
def test_pixels_hold_the_integral_of_the_interpolated_pattern(pixel, rotation, error):
    """To the brute force's accuracy along the grid; turned squares differ from what is taken."""
    camera, pose = Camera(30, pixel), CameraPose(rotation, 0.3, -0.4, 0.013)
    pattern = noise_pattern()
    expected = integrated_by_brute_force(pattern, camera, pose)
    image, _ = project(pattern, camera, pose)
    assert np.abs(image.numpy() - expected).max() < error * expected.max()


def test_float32_is_as_good_as_float64():
    camera, pose = Camera(128, 0.0125), CameraPose(23, 1.1, -0.3, -0.02)
    double, q = project(noise_pattern(), camera, pose)
    pattern = noise_pattern()
    single = Pattern.diffraction(
        pattern.intensity.float(), *(pattern.sampling_inv_angstrom, (60, 55), 0.9)
    )
    image, q_single = project(single, camera, pose)
    assert image.dtype == q_single.dtype == torch.float32
    assert (image - double).abs().max() < 1e-4 * double.max()
    assert (q - q_single).abs().max() < 1e-6


def test_a_batch_gives_what_single_calls_give():
    """Bit for bit, also among patterns of other sizes and poses of other camera lengths."""
    camera = Camera(64, 0.0125)
    patterns = [
        noise_pattern(torch.float32, 0),
        noise_pattern(torch.float32, 1, (90, 141), (0.02, 0.0123)),
        noise_pattern(torch.float32, 2),
    ]
    poses = [CameraPose(10, 1, 2, 0.01), CameraPose(200, -1, 0.5, -0.3), CameraPose(33)]
    images, q = (
        project_batch(patterns, camera, poses),
        q_of_pixels(camera, poses, patterns[0].intensity),
    )
    assert images.shape == (3, 2, 64, 64)
    assert q.shape == (3, 2, 64, 64)
    for pattern, pose, image, where in zip(patterns, poses, images, q, strict=True):
        alone, q_alone = project(pattern, camera, pose)
        assert torch.equal(image, alone)
        assert torch.equal(where, q_alone)


def test_patterns_projected_together_are_what_they_are_alone():
    """As on a GPU, where patterns of one layout are projected in one go."""
    camera = Camera(64, 0.0125)
    patterns = [noise_pattern(seed=seed) for seed in range(3)]
    poses = [CameraPose(10 * seed, seed, -seed, 0.01 * seed) for seed in range(3)]
    together = _projection._project_alike(patterns, camera, poses)
    for pattern, pose, image in zip(patterns, poses, together, strict=True):
        alone, _ = project(pattern, camera, pose)
        assert (image - alone).abs().max() < 1e-12 * alone.max()


def test_q_is_that_of_the_middle_of_each_pixel():
    pattern, _ = spot(0.0, 0.0)
    _, (q_y, q_x) = project(pattern, CAMERA, CameraPose(90, centre_offset_x_px=2))
    assert q_x[5, 66 + 10] == pytest.approx(0.2, abs=1e-9)
    assert q_y[64 + 10, 5] == pytest.approx(0.2, abs=1e-9)
    assert abs(q_x[64, 66]) < 1e-9
    _, (q_y, _) = project(pattern, CAMERA, CameraPose(camera_length_error=0.25))
    assert q_y[64 + 10, 0] == pytest.approx(0.16, abs=1e-9)


def test_every_pattern_needs_a_pose():
    with pytest.raises(InputError, match="2 patterns and 1 poses to project; expected"):
        project_batch([noise_pattern()] * 2, CAMERA, [CameraPose()])
    with pytest.raises(InputError, match="0 patterns and 0 poses"):
        project_batch([], CAMERA, [])
