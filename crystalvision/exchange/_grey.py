"""How counts become the grey values of a PNG file."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8, UInt16

from crystalvision.errors import InputError
from crystalvision.exchange._selection import Begin, Selection

SCALES = ("log", "counts")
# A float image is drawn as if its brightest pixel had this many counts: nearly five decades.
_COUNTS_OF_BRIGHTEST = 65535.0
_LARGEST = np.iinfo(np.uint16).max


class Grey(ABC):
    """A grey scale.

    Attributes:
        name: `log` or `counts`.
    """

    name: str

    @abstractmethod
    def __call__(self, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Grey values of images, same shape."""

    @abstractmethod
    def explain(self) -> str:
        """What a grey value means, for the README."""


@dataclass(frozen=True, slots=True)
class Log(Grey):
    """8 bits on a logarithmic scale: round(255 · ln(1 + K · I / I_max) / ln(1 + K)).

    Attributes:
        brightest: I_max, the greatest value in the dataset.
        knee: K. For counts it is I_max, so that the scale is that of ln(1 + counts).
        is_counts: Whether the values are counts.
    """

    brightest: float
    knee: float
    is_counts: bool
    name = "log"

    def __call__(self, images: np.ndarray[Any, Any]) -> UInt8[np.ndarray, "*s"]:
        """Grey values of images, same shape."""
        if self.brightest == 0:
            return np.zeros(images.shape, dtype=np.uint8)
        relative = images.astype(np.float64) / self.brightest
        grey = np.log1p(self.knee * relative) / np.log1p(self.knee)
        return np.asarray(np.rint(255 * grey), dtype=np.uint8)

    def explain(self) -> str:
        """What a grey value means, for the README."""
        if self.is_counts:
            return (
                "8 bits, logarithmic: grey = round(255 · ln(1 + counts) / ln(1 + maximum)), with "
                f"the maximum of the whole dataset, {self.brightest:.0f} counts. Approximately, "
                "counts = exp(grey / 255 · ln(1 + maximum)) − 1; exact counts are in an export "
                "with `--scale counts`, or in HDF5."
            )
        return (
            "8 bits, logarithmic. The values are no counts but fractions, so they are drawn as if "
            f"the brightest pixel had {self.knee:.0f} counts: grey = round(255 · "
            f"ln(1 + {self.knee:.0f} · value / maximum) / ln(1 + {self.knee:.0f})), with the "
            f"maximum of the whole dataset, {self.brightest:.9g}. Exact values are in HDF5."
        )


@dataclass(frozen=True, slots=True)
class Counts(Grey):
    """16 bits, as counted."""

    name = "counts"

    def __call__(self, images: np.ndarray[Any, Any]) -> UInt16[np.ndarray, "*s"]:
        """Grey values of images, same shape."""
        return images.astype(np.uint16)

    def explain(self) -> str:
        """What a grey value means, for the README."""
        return "16 bits: the grey value is the number of counts."


def choose_grey(selection: Selection, scale: str, begin: Begin) -> Grey:
    """The grey scale of an export; it looks for the maximum of the whole dataset.

    Args:
        selection: What is exported.
        scale: `log` or `counts`.
        begin: Told what begins.

    Raises:
        InputError: No such scale, or one on which the images cannot be written.
        StorageError: The data cannot be read.
    """
    _check(selection, scale)
    dataset = selection.dataset
    if scale == "counts" and dataset.header.dtype == "uint16":
        return Counts()
    least, greatest = _range(selection, begin)
    if scale == "counts":
        if greatest > _LARGEST:
            raise InputError(
                f"{dataset.path}: {greatest:.0f} counts do not fit into the 16 bits of --scale "
                f"counts, which end at {_LARGEST}; use --to hdf5, or --scale log"
            )
        return Counts()
    if least < 0:
        raise InputError(
            f"{dataset.path}: values go down to {least:g}, of which there is no logarithm; use "
            "--to hdf5 or webdataset"
        )
    if dataset.header.dtype == "float32":
        return Log(greatest, _COUNTS_OF_BRIGHTEST, is_counts=False)
    return Log(greatest, greatest, is_counts=True)


def _check(selection: Selection, scale: str) -> None:
    """Refuse what needs no look at the images."""
    path = selection.dataset.path
    header = selection.dataset.header
    channels = header.image_shape[0]
    if scale not in SCALES:
        raise InputError(f"--scale {scale} is not one of {', '.join(SCALES)}")
    if len(header.axes) != 2:
        raise InputError(
            f"{path}: patterns along {', '.join(axis.name for axis in header.axes)} are no images; "
            "use --to hdf5 or webdataset"
        )
    if channels not in {1, 3}:
        raise InputError(
            f"{path}: images of {channels} channels are no PNG; use --to hdf5 or webdataset"
        )
    if scale == "counts" and header.dtype == "float32":
        raise InputError(
            f"{path}: --scale counts needs counts, but images are float32; use --scale log, or "
            "--to hdf5 for exact values"
        )
    if scale == "counts" and channels == 3:
        raise InputError(
            f"{path}: --scale counts writes 16 bits, which PNG readers do not give back for 3 "
            "channels; use --scale log, or --to hdf5 for exact values"
        )


def _range(selection: Selection, begin: Begin) -> tuple[float, float]:
    """Least and greatest value of the whole dataset, so that exports of its parts agree."""
    whole = Selection(selection.dataset)
    least, greatest = np.inf, -np.inf
    for _, images in whole.batches(begin("finding the maximum", len(whole))):
        least = min(least, float(images.min()))
        greatest = max(greatest, float(images.max()))
    return least, greatest
