"""The camera: its pixels, and how a pattern lies on them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True)
class CameraPose:
    """How one pattern lies on the camera.

    Attributes:
        rotation_deg: Rotation of the crystal about the beam [°], from the x axis to the y axis.
        centre_offset_x_px: Error of the direct beam's column [pixel].
        centre_offset_y_px: Error of its row [pixel].
        camera_length_error: Relative error of the camera length L: a spot lies at R = λL(1 + e)g.
        ellipticity: By how much the long axis of what should be a circle exceeds the short one,
            relative to that; the area stays.
        ellipticity_angle_deg: Direction of the long axis, from the x axis to the y axis [°].
    """

    rotation_deg: float = 0.0
    centre_offset_x_px: float = 0.0
    centre_offset_y_px: float = 0.0
    camera_length_error: float = 0.0
    ellipticity: float = 0.0
    ellipticity_angle_deg: float = 0.0

    def undistorted(self, x: float, y: float) -> tuple[float, float]:
        """What a vector on the camera is without the elliptical distortion."""
        if not self.ellipticity:
            return x, y
        angle = np.deg2rad(self.ellipticity_angle_deg)
        cosine, sine = float(np.cos(angle)), float(np.sin(angle))
        stretch = (1 + self.ellipticity) ** 0.5
        along, across = (x * cosine + y * sine) / stretch, (y * cosine - x * sine) * stretch
        return along * cosine - across * sine, along * sine + across * cosine


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

    def side(self, pose: CameraPose) -> float:
        """Side of a pixel at the actual camera length [1/Å]."""
        return self.pixel_size_inv_angstrom / (1 + pose.camera_length_error)

    def lines(
        self, pose: CameraPose, parts: int = 1
    ) -> tuple[Float[np.ndarray, "m"], Float[np.ndarray, "m"]]:
        """q_y in the middle of every row and q_x in that of every column [1/Å], float64.

        Args:
            pose: How the pattern lies on the camera.
            parts: Rows and columns that each pixel is divided into; m = parts · pixels.
        """
        middles = (np.arange(self.pixels * parts) + 0.5) / parts - 0.5 - self.centre
        side = self.side(pose)
        return (middles - pose.centre_offset_y_px) * side, (
            middles - pose.centre_offset_x_px
        ) * side
