"""Reads the images that a user gives to `predict`."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.image_files import SUFFIXES, read_image_file

_SAMPLE = re.compile(r"(?P<path>.+)\[(?P<index>[^\]]*)\]")

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
    path = Path(source)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return read_image_file(path)
    expected = f"{', '.join(SUFFIXES)}, or DATA.zarr[INDEX]"
    if path.is_file():
        raise InputError(f"{source}: images of type '{path.suffix}' are not read; use {expected}")
    if path.is_dir():
        raise InputError(f"{source} is a folder; expected {expected}")
    sample = _SAMPLE.fullmatch(source)
    if sample is None:
        raise InputError(f"{source}: no such file")
    return _read_sample(sample["path"], sample["index"])


def _read_sample(path: str, index: str) -> Array:
    dataset = Dataset.open(Path(path))
    if not index.isdigit() or int(index) >= len(dataset):
        raise InputError(f"{path}[{index}]: expected an index from 0 to {len(dataset) - 1}")
    sample: Array = dataset.images(np.array([int(index)]))[0]
    return sample
