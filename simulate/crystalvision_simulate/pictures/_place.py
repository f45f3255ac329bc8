"""Where things lie on a picture of a pattern."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Axis


@dataclass(frozen=True, slots=True)
class Calibration:
    """The axes of a pattern, and how the crystal's own reciprocal space lies on them.

    Axes are those that a dataset states: what the pixels were meant to be. A pattern that is
    turned, off centre, or taken at another camera length lies on them as it came out.

    Attributes:
        step: Distance between pixels along q_y and q_x [1/Å].
        direct_beam: Row and column of q = 0 on the axes.
        rotation_deg: Rotation of the crystal about the beam [°], from x to y.
        offset_px: How far below and to the right the direct beam fell, (y, x) [pixel].
        camera_length_error: Relative error of the camera length.
    """

    step: tuple[float, float]
    direct_beam: tuple[float, float]
    rotation_deg: float = 0.0
    offset_px: tuple[float, float] = (0.0, 0.0)
    camera_length_error: float = 0.0

    @classmethod
    def of(cls, axes: Sequence[Axis], drawn: Mapping[str, float] | None = None) -> Self:
        """The calibration of a pattern on two axes, with what was drawn for its camera, if any."""
        drawn = drawn or {}
        rows, columns = axes
        return cls(
            (rows.scale, columns.scale),
            (-rows.offset / rows.scale, -columns.offset / columns.scale),
            rotation_deg=drawn.get("rotation_deg", 0.0),
            offset_px=(drawn.get("centre_offset_y_px", 0.0), drawn.get("centre_offset_x_px", 0.0)),
            camera_length_error=drawn.get("camera_length_error", 0.0),
        )

    def extent(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Edges of the image on the axes: left, right, bottom, top [1/Å]; q_y runs downwards."""
        (step_y, step_x), (row, column) = self.step, self.direct_beam
        left, right = (-column - 0.5) * step_x, (width - column - 0.5) * step_x
        top, bottom = (-row - 0.5) * step_y, (height - row - 0.5) * step_y
        return left, right, bottom, top

    def on_axes(self, q_inv_angstrom: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Where q = (q_x, q_y) in the frame of the specimen lies on the axes [1/Å], (n, 2)."""
        turned = q_inv_angstrom @ rotation(self.rotation_deg).T * (1 + self.camera_length_error)
        offset = np.array([self.offset_px[1] * self.step[1], self.offset_px[0] * self.step[0]])
        placed: Float[np.ndarray, "n 2"] = turned + offset
        return placed

    def on_pixels(self, q_inv_angstrom: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Column and row of q = (q_x, q_y) in the frame of the specimen, (n, 2)."""
        pixels: Float[np.ndarray, "n 2"] = (
            self.on_axes(q_inv_angstrom) / self.step[::-1] + self.direct_beam[::-1]
        )
        return pixels


def rotation(angle_deg: float) -> Float[np.ndarray, "2 2"]:
    """The rotation from x to y by an angle [°], (2, 2)."""
    angle = np.deg2rad(angle_deg)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
