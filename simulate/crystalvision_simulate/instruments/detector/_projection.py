"""Projects patterns from the renderer's reciprocal grid onto the pixels of a camera."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Axis, Pattern
from crystalvision.errors import InputError
from crystalvision_simulate.instruments.detector._camera import Camera, CameraPose

_WHOLE = 1e-6  # of a point: what rounding leaves of a place that is one
_PARTS_A_STEP = 1.25  # of the renderer's grid; with fewer, a spot's total depends on where it falls


def project(
    pattern: Pattern, camera: Camera, pose: CameraPose
) -> tuple[Float[torch.Tensor, "c n n"], Float[torch.Tensor, "2 n n"]]:
    """Project one pattern onto the detector; see `project_batch`.

    Returns:
        The fraction of the incident beam in each pixel, (c, n, n), and q_y and q_x in the middle of
        each [1/Å], (2, n, n), along the rows and the columns of the detector.
    """
    fractions = project_batch([pattern], camera, [pose])
    return fractions[0], q_of_pixels(camera, [pose], pattern.intensity)[0]


def project_batch(
    patterns: Sequence[Pattern], camera: Camera, poses: Sequence[CameraPose]
) -> Float[torch.Tensor, "b c n n"]:
    """Project patterns onto the detector, on the device that they are on.

    Each point of the renderer's grid stands for the cell of reciprocal space about it; between
    points the intensity is interpolated linearly, so a spot is as wide as the specimen's box
    allows. The interpolation is integrated over each pixel, or over as many equal parts of it as
    are narrower than a cell. A part is taken as a square along the axes of the renderer's grid: it
    has the area, the middle and the second moments of the true, turned one. So a flat pattern is
    exactly flat, and a spot keeps its intensity within 1.2 % wherever it falls.

    Args:
        patterns: From a renderer, all on one device and of as many channels.
        camera: The detector.
        poses: How each pattern lies on it.

    Returns:
        The fraction of the incident beam in each pixel, (b, c, n, n). On a CPU a pattern gives the
        same bits whatever else is in the batch.

    Raises:
        InputError: No pattern, or not as many poses as patterns.
    """
    if not patterns or len(patterns) != len(poses):
        raise InputError(
            f"{len(patterns)} patterns and {len(poses)} poses to project; expected at least one "
            "pattern, and a pose for each"
        )
    alike: dict[Hashable, list[int]] = defaultdict(list)
    for index, pattern in enumerate(patterns):
        alike[_layout(pattern, camera, poses[index], index)].append(index)
    fractions: dict[int, Float[torch.Tensor, "c n n"]] = {}
    for indices in alike.values():
        chosen = [patterns[index] for index in indices]
        together = _project_alike(chosen, camera, [poses[index] for index in indices])
        fractions.update(zip(indices, together, strict=True))
    return torch.stack([fractions[index] for index in range(len(patterns))])


def _layout(pattern: Pattern, camera: Camera, pose: CameraPose, index: int) -> Hashable:
    """What patterns share that are projected together; on a CPU none are, for its cache's sake."""
    return (
        tuple(pattern.intensity.shape),
        pattern.axes,
        _parts(pattern, camera, pose),
        index if pattern.intensity.device.type == "cpu" else None,
    )


def _parts(pattern: Pattern, camera: Camera, pose: CameraPose) -> int:
    """Parts along the side of a pixel."""
    steps = camera.side(pose) / min(pattern.sampling_inv_angstrom)
    return max(1, int(np.ceil(_PARTS_A_STEP * steps)))


def _project_alike(
    patterns: Sequence[Pattern], camera: Camera, poses: Sequence[CameraPose]
) -> Float[torch.Tensor, "b c n n"]:
    """Project patterns of one layout together."""
    intensity = torch.stack([pattern.intensity for pattern in patterns])
    batch, channels = intensity.shape[:2]
    parts = _parts(patterns[0], camera, poses[0])
    size = camera.pixels * parts
    x_middle, x_reach = _readings(patterns[0], camera, poses, 1, intensity)
    y_middle, y_reach = _readings(patterns[0], camera, poses, 0, intensity)
    where = intensity.new_empty((batch, 2, 2, size, size, 2))
    for end, sign in enumerate((-1, 1)):
        where[:, :, end, ..., 0] = torch.add(x_middle, x_reach, alpha=sign)[:, None]
        where[:, end, :, ..., 1] = torch.add(y_middle, y_reach, alpha=sign)[:, None]
    readings = torch.nn.functional.grid_sample(
        intensity,
        where.view(batch, 4 * size, size, 2),
        mode="bilinear",
        padding_mode="zeros",
        align_corners=True,
    ).view(batch, channels, 4, size, size)
    mean = readings[:, :, 0] + readings[:, :, 1]
    mean += readings[:, :, 2]
    mean += readings[:, :, 3]
    if parts > 1:
        mean = torch.nn.functional.avg_pool2d(mean, parts)
    cell = float(np.prod(patterns[0].sampling_inv_angstrom))
    cells_a_pixel = [camera.side(pose) ** 2 / cell for pose in poses]
    return mean.mul_(_of_each(cells_a_pixel, intensity)[..., None] / 4)


def _readings(
    pattern: Pattern, camera: Camera, poses: Sequence[CameraPose], axis: int, like: torch.Tensor
) -> tuple[Float[torch.Tensor, "b m m"], Float[torch.Tensor, "b m m"]]:
    """Where to read the pattern along its axis 0, y, or 1, x: a middle and a reach to both sides.

    The mean of the linear interpolation over a part equals the mean of two readings of it, at the
    middle of the part ± δ. With t the distance of the middle from the nearest grid point and h the
    side of the part, in steps of the grid: δ = t where t ≥ h/2, so that the part lies between two
    points, and δ = t²/h + h/4 elsewhere. Both are returned on the scale of `grid_sample`, which
    counts from -1 at the first point to 1 at the last, (b, m, m).
    """
    step, origin = pattern.sampling_inv_angstrom[axis], _origin(pattern.axes[axis])
    parts = _parts(pattern, camera, poses[0])
    columns, rows, sides = [], [], []
    for pose in poses:
        turn = np.deg2rad(pose.rotation_deg)
        along_x, along_y = (np.cos(turn), np.sin(turn)) if axis else (-np.sin(turn), np.cos(turn))
        along_x, along_y = pose.undistorted(along_x, along_y)
        q_y, q_x = camera.lines(pose, parts)
        columns.append(q_x * (along_x / step))
        rows.append(q_y * (along_y / step))
        sides.append(camera.side(pose) / (parts * step))
    across, down = (
        torch.from_numpy(np.stack(lines)).to(like.device, like.dtype) for lines in (columns, rows)
    )
    middle = down[:, :, None] + across[:, None, :]
    side = _of_each(sides, like)
    distance = (middle - middle.round()).abs_()
    within = torch.minimum(distance, side / 2)
    reach = distance.sub_(within).addcmul_(within, within / side).add_(side / 4)
    scale = 2 / (pattern.intensity.shape[axis + 1] - 1)
    return middle.mul_(scale).add_(origin * scale - 1), reach.mul_(scale)


def _origin(axis: Axis) -> float:
    """The place of zero on an axis [points]; whole where it is meant to be."""
    place = -axis.offset / axis.scale
    return round(place) if abs(place - round(place)) < _WHOLE else place


def q_of_pixels(
    camera: Camera, poses: Sequence[CameraPose], like: torch.Tensor
) -> Float[torch.Tensor, "b 2 n n"]:
    """q_y and q_x in the middle of every pixel [1/Å], where `like` is and in its precision."""
    lines = np.stack([camera.lines(pose) for pose in poses])
    q = torch.from_numpy(lines).to(like.device, like.dtype)
    shape = (len(poses), camera.pixels, camera.pixels)
    return torch.stack((q[:, 0, :, None].expand(shape), q[:, 1, None, :].expand(shape)), dim=1)


def _of_each(values: Sequence[float], like: torch.Tensor) -> Float[torch.Tensor, "b 1 1"]:
    """One number a pattern, on the device and in the precision of `like`."""
    return torch.tensor(values, dtype=like.dtype).to(like.device)[:, None, None]
