"""Writes pictures with their calibration: round and centred, or as the twin takes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.measured_files import Placement, resample
from crystalvision_simulate.microscope._calibrate import Calibrated
from crystalvision_simulate.microscope._twin import pixels_in_one, pixels_of_twin

Pictures = np.ndarray[Any, np.dtype[np.float32]]


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
    size = _pixel_size(found, path)
    axes = _axes(min(found[0].analysed.hidden.shape), size)
    placements = [
        Placement(
            one.geometry.x,
            one.geometry.y,
            size,
            size,
            one.geometry.ellipticity if one.knows_ellipse else 0.0,
            one.geometry.ellipticity_angle_deg,
        )
        for one in found
    ]
    _write(path, _on(found, placements, axes), axes)


def write_as_twin(found: Sequence[Calibrated], path: Path, pixels: int | None = None) -> None:
    """Write an EMD file of pictures as the twin takes them: for a model that was trained on it.

    They are the middle square of each, off centre and elliptical as it was taken, on the pixels of
    the twin; nothing (nan) where none was seen.

    Args:
        found: The pictures.
        path: The file, of the suffix .emd.
        pixels: Those of the twin along a side, as for `twin`.

    Raises:
        InputError: The size of a pixel is not known.
    """
    shape = found[0].analysed.hidden.shape
    count = pixels_of_twin(found, pixels)
    factor = min(shape) / count
    size = _pixel_size(found, path)
    y, x = ((side - min(shape)) / 2 + (count // 2 + 0.5) * factor - 0.5 for side in shape)
    axes = _axes(count, size * factor)
    images = _on(found, [Placement(x, y, size, size)] * len(found), axes)
    images /= np.float32(pixels_in_one(found, factor))
    for one, image in zip(found, images, strict=True):
        analysed = one.analysed
        if analysed.gamma != 1:  # undone before, but the twin has it
            full = analysed.measured.full
            image[:] = full * (image / full).clip(0, 1) ** analysed.gamma
    _write(path, images, axes)


def _pixel_size(found: Sequence[Calibrated], path: Path) -> float:
    sizes = [one.pixel_size_inv_angstrom for one in found if one.pixel_size_inv_angstrom]
    if not sizes:
        raise InputError(f"{path}: nothing tells the size of a pixel, so no picture was written")
    return float(np.median(sizes))


def _axes(count: int, size: float) -> tuple[Axis, ...]:
    return tuple(
        Axis(name=name, size=count, scale=size, offset=-(count // 2) * size)
        for name in ("q_y", "q_x")
    )


def _on(
    found: Sequence[Calibrated], placements: Sequence[Placement], axes: Sequence[Axis]
) -> Pictures:
    """The pictures on other pixels, (n, m, m), nan where nothing was seen."""
    images = []
    for one, placement in zip(found, placements, strict=True):
        # Numbers of a camera that counts from below zero have no logarithm; the twin has none.
        level = min(0.0, one.analysed.noise.offset)
        counts = one.analysed.measured.counts - level
        moved, seen = resample(counts[None], one.analysed.seen, placement, axes)
        images.append(np.where(seen, moved[0], np.float32(np.nan)))
    return np.stack(images)


def _write(path: Path, images: Pictures, axes: Sequence[Axis]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        group = file.create_group("data/corrected")
        group.attrs["emd_group_type"] = 1
        group["data"] = images
        group["dim1"] = np.arange(len(images))
        for number, axis in enumerate(axes, start=2):
            dimension = group.create_dataset(f"dim{number}", data=axis.values() * 10)
            dimension.attrs.update(name=axis.name, units="[1/nm]")
