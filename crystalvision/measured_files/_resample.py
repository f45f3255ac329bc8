"""Brings measured pictures onto the pixels that a model was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Num

from crystalvision.contracts import Axis
from crystalvision.errors import InputError

_PARTS = 8  # of a pixel of either grid, where the two do not lie along each other
_MOST_PARTS = 64
_LEAST_SEEN = 0.5  # of a pixel: one of which less was seen was not seen
_AT_ONCE = 2**22  # parts in memory


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a diffraction pattern lies on a picture.

    Attributes:
        centre_x_px: Column of the direct beam; the middle of the first is 0 [pixel].
        centre_y_px: Row of it.
        pixel_size_y_inv_angstrom: Height of a pixel [1/Å].
        pixel_size_x_inv_angstrom: Width of a pixel [1/Å].
        ellipticity: By how much the long axis of what should be a circle exceeds the short one,
            relative to that, without changing its area.
        ellipticity_angle_deg: Direction of the long axis, from the x axis to the y axis [°].
    """

    centre_x_px: float
    centre_y_px: float
    pixel_size_y_inv_angstrom: float
    pixel_size_x_inv_angstrom: float
    ellipticity: float = 0.0
    ellipticity_angle_deg: float = 0.0

    @classmethod
    def of_axes(cls, axes: Sequence[Axis]) -> Self:
        """As the axes q_y and q_x of a picture say.

        Raises:
            InputError: They are not two, in 1/Å.
        """
        if len(axes) != 2 or any(axis.units != "1/angstrom" for axis in axes):
            found = ", ".join(f"{axis.name} [{axis.units}]" for axis in axes)
            raise InputError(f"a picture on {found}; expected rows and columns in 1/angstrom")
        rows, columns = axes
        return cls(
            -columns.offset / columns.scale, -rows.offset / rows.scale, rows.scale, columns.scale
        )

    def q(
        self, rows: Float[np.ndarray, "*s"], columns: Float[np.ndarray, "*s"]
    ) -> tuple[Float[np.ndarray, "*s"], Float[np.ndarray, "*s"]]:
        """q_y and q_x [1/Å] of places on the picture [pixel]."""
        y = (rows - self.centre_y_px) * self.pixel_size_y_inv_angstrom
        x = (columns - self.centre_x_px) * self.pixel_size_x_inv_angstrom
        if not self.ellipticity:
            return y, x
        angle, stretch = np.deg2rad(self.ellipticity_angle_deg), np.sqrt(1 + self.ellipticity)
        cosine, sine = np.cos(angle), np.sin(angle)
        along, across = (x * cosine + y * sine) / stretch, (y * cosine - x * sine) * stretch
        return along * sine + across * cosine, along * cosine - across * sine


def resample(
    counts: Num[np.ndarray, "c h w"],
    seen: Bool[np.ndarray, "h w"] | None,
    placement: Placement,
    axes: Sequence[Axis],
) -> tuple[Float[np.ndarray, "c m n"], Bool[np.ndarray, "m n"]]:
    """A picture on other pixels: each gets the counts that fell on its area.

    All counts within the new pixels are kept, exactly where both lie along each other and within
    some 10⁻³ where an ellipse is undone; a flat picture stays flat; negative counts are values. A
    pixel of which less than half was seen is not seen and has no counts; one of which a part was
    not seen has what the seen part would have had on the whole.

    Args:
        counts: The picture, (c, h, w).
        seen: What was seen, (h, w); `None` for all.
        placement: Where the pattern lies on it.
        axes: q_y and q_x of the new pixels, in 1/Å.

    Returns:
        The counts, float32, and what was seen.

    Raises:
        InputError: The new axes are not two, in 1/Å, or the picture does not meet them.
    """
    Placement.of_axes(axes)  # refuses other axes
    known = np.ones(counts.shape[1:], dtype=bool) if seen is None else seen
    stack = np.concatenate([np.where(known, counts, 0), known[None]]).astype(np.float64)
    moved = (
        _parts(stack, placement, axes)
        if placement.ellipticity
        else _overlaps(stack, placement, axes)
    )
    area = axes[0].scale * axes[1].scale
    area /= placement.pixel_size_y_inv_angstrom * placement.pixel_size_x_inv_angstrom
    covered = moved[-1] / area
    new_seen = covered >= _LEAST_SEEN
    if not new_seen.any():
        raise InputError(
            "the picture shows nothing of what the model sees: its pixels lie elsewhere; check "
            "where its centre is and the size of its pixels"
        )
    whole = np.where(new_seen, moved[:-1] / np.maximum(covered, _LEAST_SEEN), 0.0)
    return whole.astype(np.float32), new_seen


def _overlaps(
    stack: Float[np.ndarray, "k h w"], placement: Placement, axes: Sequence[Axis]
) -> Float[np.ndarray, "k m n"]:
    """Sums over the exact overlap of pixels that lie along each other."""
    sizes = (placement.pixel_size_y_inv_angstrom, placement.pixel_size_x_inv_angstrom)
    middles = (placement.centre_y_px, placement.centre_x_px)
    down, across = (
        _overlap((np.arange(count + 1) - 0.5 - middle) * size, axis)
        for count, middle, size, axis in zip(stack.shape[1:], middles, sizes, axes, strict=True)
    )
    moved: Float[np.ndarray, "k m n"] = down @ stack @ across.T
    return moved


def _overlap(edges: Float[np.ndarray, "s"], axis: Axis) -> Float[np.ndarray, "m n"]:
    """The share of each old pixel, by its edges, that lies within each new one, (new, old)."""
    new = axis.offset + (np.arange(axis.size + 1) - 0.5) * axis.scale
    low = np.maximum(new[:-1, None], edges[None, :-1])
    high = np.minimum(new[1:, None], edges[None, 1:])
    share: Float[np.ndarray, "m n"] = np.clip(high - low, 0, None) / (edges[1] - edges[0])
    return share


def _parts(
    stack: Float[np.ndarray, "k h w"], placement: Placement, axes: Sequence[Axis]
) -> Float[np.ndarray, "k m n"]:
    """Sums over small parts of the old pixels, each where its middle falls."""
    ratio = max(
        placement.pixel_size_y_inv_angstrom / axes[0].scale,
        placement.pixel_size_x_inv_angstrom / axes[1].scale,
    )
    parts = int(np.clip(np.ceil(_PARTS * max(1.0, ratio)), _PARTS, _MOST_PARTS))
    height, width = stack.shape[1:]
    moved = np.zeros((len(stack), axes[0].size * axes[1].size))
    columns = (np.arange(width * parts) + 0.5) / parts - 0.5
    step = max(1, _AT_ONCE // (parts * parts * width))
    for first in range(0, height, step):
        last = min(first + step, height)
        rows = (np.arange(first * parts, last * parts) + 0.5) / parts - 0.5
        q_y, q_x = placement.q(*np.meshgrid(rows, columns, indexing="ij"))
        row = np.rint((q_y - axes[0].offset) / axes[0].scale).astype(int)
        column = np.rint((q_x - axes[1].offset) / axes[1].scale).astype(int)
        inside = (row >= 0) & (row < axes[0].size) & (column >= 0) & (column < axes[1].size)
        place = (row * axes[1].size + column)[inside]
        for number, image in enumerate(stack):
            fine = image[first:last].repeat(parts, 0).repeat(parts, 1)[inside]
            moved[number] += np.bincount(place, fine, moved.shape[1])
    return moved.reshape(len(stack), axes[0].size, axes[1].size) / parts**2
