"""Projects a pattern from the renderer's reciprocal grid onto the pixels of a detector."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Pattern

_SAMPLES_A_STEP = 2.5  # of the renderer's grid; fewer lose some of a spot that falls between them


@dataclass(frozen=True, slots=True)
class Camera:
    """A square detector with square pixels, as it is meant to be.

    Attributes:
        pixels: Pixels along a side.
        pixel_size_inv_angstrom: Side of a pixel at the nominal camera length [1/Å].
    """

    pixels: int
    pixel_size_inv_angstrom: float

    @property
    def centre(self) -> float:
        """Row and column where the direct beam should fall: the middle of a pixel."""
        return float(self.pixels // 2)


@dataclass(frozen=True, slots=True)
class CameraPose:
    """How one pattern lies on the camera.

    Attributes:
        rotation_deg: Rotation of the crystal about the beam [°], from the x axis to the y axis.
        centre_offset_x_px: Error of the direct beam's column [pixel].
        centre_offset_y_px: Error of its row [pixel].
        camera_length_error: Relative error of the camera length L: a spot lies at R = λL(1 + e)g.
    """

    rotation_deg: float = 0.0
    centre_offset_x_px: float = 0.0
    centre_offset_y_px: float = 0.0
    camera_length_error: float = 0.0


def project(
    pattern: Pattern, camera: Camera, pose: CameraPose
) -> tuple[Float[torch.Tensor, "c n n"], Float[torch.Tensor, "n n"]]:
    """Project a pattern onto the detector.

    Each point of the renderer's grid stands for the cell of reciprocal space about it; between
    points the intensity is interpolated linearly, so a spot is as wide as the specimen's box allows
    and no intensity is lost.

    Args:
        pattern: From a renderer.
        camera: The detector.
        pose: How this pattern lies on it.

    Returns:
        The fraction of the incident beam in each pixel, (c, n, n), and |q| there [1/Å], (n, n).
    """
    intensity = pattern.intensity
    side = camera.pixel_size_inv_angstrom / (1 + pose.camera_length_error)
    samples_a_pixel = _SAMPLES_A_STEP * side / min(pattern.sampling_inv_angstrom)
    subpixels = max(2, int(np.ceil(samples_a_pixel)))
    q_y, q_x = _reciprocal(camera, pose, subpixels, intensity.device)
    turn = np.deg2rad(pose.rotation_deg)
    x = q_x * np.cos(turn) + q_y * np.sin(turn)
    y = q_y * np.cos(turn) - q_x * np.sin(turn)
    step_y, step_x = pattern.sampling_inv_angstrom
    rows, columns = intensity.shape[1:]
    # grid_sample counts from -1 at the first point to 1 at the last.
    where = torch.stack(
        (
            (x / step_x + pattern.direct_beam[1]) * (2 / (columns - 1)) - 1,
            (y / step_y + pattern.direct_beam[0]) * (2 / (rows - 1)) - 1,
        ),
        dim=-1,
    ).to(intensity.dtype)
    samples = torch.nn.functional.grid_sample(
        intensity[None], where[None], mode="bilinear", padding_mode="zeros", align_corners=True
    )
    binned = torch.nn.functional.avg_pool2d(samples, subpixels)[0]
    length = torch.nn.functional.avg_pool2d(torch.hypot(q_y, q_x)[None], subpixels)[0]
    return binned * (side**2 / (step_y * step_x)), length


def _reciprocal(
    camera: Camera, pose: CameraPose, subpixels: int, device: torch.device
) -> tuple[Float[torch.Tensor, "m m"], Float[torch.Tensor, "m m"]]:
    """q_y and q_x of every subpixel [1/Å], float64, (m, m) each."""
    points = _subpixel_positions(camera.pixels, subpixels, device) - camera.centre
    side = camera.pixel_size_inv_angstrom / (1 + pose.camera_length_error)
    q_y = (points - pose.centre_offset_y_px) * side
    q_x = (points - pose.centre_offset_x_px) * side
    size = len(points)
    return q_y[:, None].expand(size, size), q_x[None, :].expand(size, size)


@lru_cache(maxsize=8)
def _subpixel_positions(
    pixels: int, subpixels: int, device: torch.device
) -> Float[torch.Tensor, "m"]:
    """Centres of the subpixels, in pixels from the middle of the first pixel."""
    count = pixels * subpixels
    return (torch.arange(count, dtype=torch.float64, device=device) + 0.5) / subpixels - 0.5
