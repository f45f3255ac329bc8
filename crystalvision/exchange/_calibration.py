"""Where the pixels of imported images lie in reciprocal space."""

from pathlib import Path

from crystalvision.datasets import Axis, DatasetHeader, detector_axes
from crystalvision.errors import InputError
from crystalvision.exchange._check_images import Kind

Pair = tuple[float, float]


def axes_of(
    folder: Path,
    kind: Kind,
    pixel_size_inv_angstrom: float | Pair | None,
    centre: Pair | None,
    known: DatasetHeader | None,
) -> tuple[Axis, Axis]:
    """The axes of the images: rows, then columns.

    Args:
        folder: Where the images are, for errors.
        kind: What all images have in common.
        pixel_size_inv_angstrom: Size of a pixel [1/Å], or that of rows (y) and of columns (x).
        centre: Row and column of the direct beam [pixels]; by default half of the size.
        known: Header of the dataset from which the folder was exported, if it was; what it says
            holds where nothing is given.

    Raises:
        InputError: A number makes no sense, or the size of a pixel is not known.
    """
    sizes = kind.shape[1:]
    if pixel_size_inv_angstrom is None:
        if known is None:
            raise InputError(
                f"{folder}: the size of a pixel is not known; give it in 1/Å by "
                "--pixel-size-inv-angstrom"
            )
        if known.image_shape[1:] != sizes:
            raise InputError(
                f"{folder}: images are {sizes[0]}×{sizes[1]} pixels, but dataset.json is of "
                f"{known.image_shape[1]}×{known.image_shape[2]}; give --pixel-size-inv-angstrom"
            )
        scales: Pair = (known.axes[0].scale, known.axes[1].scale)
        if centre is None:
            return known.axes[0], known.axes[1]
    else:
        scales = pair(pixel_size_inv_angstrom)
    return detector_axes((sizes[0], sizes[1]), scales, centre)


def pair(value: float | Pair) -> Pair:
    """A number for each of both axes."""
    return value if isinstance(value, tuple) else (value, value)
