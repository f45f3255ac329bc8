"""Where a pattern falls on the detector."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Pattern
from crystalvision_simulate.detector import Camera, CameraPose, project

CAMERA = Camera(pixels=128, pixel_size_inv_angstrom=0.02)


def spot(q_x, q_y, sampling=(0.03, 0.04)):
    """A pattern with all its intensity in the grid point nearest to (q_x, q_y)."""
    intensity = torch.zeros(1, 81, 61, dtype=torch.float64)
    row, column = round(q_y / sampling[0]) + 40, round(q_x / sampling[1]) + 30
    intensity[0, row, column] = 1
    q = ((column - 30) * sampling[1], (row - 40) * sampling[0])
    return Pattern(intensity, sampling, (40, 30), 1.2), np.array(q)


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
    assert found.sum() == pytest.approx(1, abs=0.02)


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
        assert float(image.sum()) == pytest.approx(1, abs=0.06)


def test_even_intensity_stays_even_under_rotation():
    """No moiré between the grid and the pixels: a flat pattern is flat on the detector."""
    flat = Pattern(torch.ones(1, 161, 161, dtype=torch.float64), (0.0151, 0.0164), (80, 80), 1.1)
    image, _ = project(flat, Camera(64, 0.0125), CameraPose(rotation_deg=23))
    expected = 0.0125**2 / (0.0151 * 0.0164)
    assert image.numpy() == pytest.approx(expected, rel=1e-9)


def test_length_of_q_is_that_of_the_pixels():
    pattern, _ = spot(0.0, 0.0)
    _, length = project(pattern, CAMERA, CameraPose(centre_offset_x_px=2))
    assert float(length[64, 66 + 10]) == pytest.approx(0.2, abs=5e-4)
    assert float(length[64 + 10, 66]) == pytest.approx(0.2, abs=5e-4)
