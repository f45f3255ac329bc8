"""Reads the images that a user gives to `predict`."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Dataset
from crystalvision.errors import InputError

_SAMPLE = re.compile(r"(?P<path>.+)\[(?P<index>[^\]]*)\]")
_SUFFIXES = ".png, .tif, .tiff, .npy, or DATA.zarr[INDEX]"

Array = np.ndarray[Any, Any]


def read_image(source: str) -> Array:
    """Read one pattern.

    Args:
        source: Path of a PNG, TIFF or NPY file, or `DATA.zarr[INDEX]` for a dataset's sample.

    Returns:
        (h, w), or (c, h, w) where the file has several channels.

    Raises:
        InputError: No such file or sample, or one that is no image.
    """
    sample = _SAMPLE.fullmatch(source)
    if sample and not Path(source).is_file():
        return _read_sample(sample["path"], sample["index"])
    path = Path(source)
    if path.is_dir():
        raise InputError(f"{source} is a folder; expected {_SUFFIXES}")
    if not path.is_file():
        raise InputError(f"{source}: no such file")
    readers = {".png": _read_png, ".tif": _read_tiff, ".tiff": _read_tiff, ".npy": _read_npy}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{source}: images of type '{path.suffix}' are not read; use {_SUFFIXES}")
    try:
        return reader(path)
    except Exception as error:  # decoders raise many kinds of error for a damaged file
        raise InputError(
            f"{source} is not a {path.suffix.lower().lstrip('.').upper()} image: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from error


def _read_sample(path: str, index: str) -> Array:
    dataset = Dataset.open(Path(path))
    if not index.isdigit() or int(index) >= len(dataset):
        raise InputError(f"{path}[{index}]: expected an index from 0 to {len(dataset) - 1}")
    sample: Array = dataset.images(np.array([int(index)]))[0]
    return sample


def _read_png(path: Path) -> Array:
    from PIL import Image

    with Image.open(path, formats=["PNG"]) as file:
        if file.mode == "P":
            raise ValueError("it has a palette of colours; expected counts")
        image = np.asarray(file)
    return np.moveaxis(image, -1, 0) if image.ndim == 3 else image


def _read_tiff(path: Path) -> Array:
    import tifffile

    with tifffile.TiffFile(path) as file:
        image = np.asarray(file.asarray())
        interleaved = image.ndim == 3 and file.pages.first.samplesperpixel == image.shape[-1] > 1
    return np.moveaxis(image, -1, 0) if interleaved else image


def _read_npy(path: Path) -> Array:
    return np.asarray(np.load(path, allow_pickle=False))
