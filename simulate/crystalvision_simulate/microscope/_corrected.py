"""Writes pictures round and centred, with their calibration, as any reader takes them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.measured_files import Placement, resample
from crystalvision_simulate.microscope._calibrate import Calibrated


def write_corrected(found: Sequence[Calibrated], path: Path) -> None:
    """Write an EMD file of calibrated pictures: counts, and nothing (nan) where none was seen.

    They lie on square pixels about the direct beam, as large as those of the pictures and as many
    as their shorter side, without the ellipse.

    Args:
        found: The pictures.
        path: The file, of the suffix .emd.

    Raises:
        InputError: The size of a pixel is not known.
    """
    import h5py

    sizes = [one.pixel_size_inv_angstrom for one in found if one.pixel_size_inv_angstrom]
    if not sizes:
        raise InputError(f"{path}: nothing tells the size of a pixel, so nothing was corrected")
    size = float(np.median(sizes))
    count = min(found[0].analysed.hidden.shape)
    axes = tuple(
        Axis(name=name, size=count, scale=size, offset=-(count // 2) * size)
        for name in ("q_y", "q_x")
    )
    with h5py.File(path, "w") as file:
        group = file.create_group("data/corrected")
        group.attrs["emd_group_type"] = 1
        group["data"] = np.stack([_corrected(one, size, axes) for one in found])
        group["dim1"] = np.arange(len(found))
        for number, axis in enumerate(axes, start=2):
            dimension = group.create_dataset(f"dim{number}", data=axis.values() * 10)
            dimension.attrs.update(name=axis.name, units="[1/nm]")


def _corrected(
    one: Calibrated, size: float, axes: Sequence[Axis]
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    geometry = one.geometry
    placement = Placement(
        geometry.x,
        geometry.y,
        size,
        size,
        geometry.ellipticity if one.knows_ellipse else 0.0,
        geometry.ellipticity_angle_deg,
    )
    counts, seen = resample(one.analysed.measured.counts[None], one.analysed.seen, placement, axes)
    picture: np.ndarray[tuple[int, int], np.dtype[np.float32]] = np.where(
        seen, counts[0], np.float32(np.nan)
    )
    return picture
