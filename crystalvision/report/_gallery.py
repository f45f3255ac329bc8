"""Patterns of each class, as small pictures with a scale bar."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from crystalvision.datasets import Axis, Dataset, bin_images
from crystalvision.report._pictures import data_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

PATTERNS_A_CLASS = 5
MEAN_OF_AT_MOST = 200  # patterns; reading more makes the mean no clearer to the eye
_CHUNK = 50
_SIDE = 128  # pixels; larger patterns are binned, which shows single electrons better
_COLOURS = 256


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A bar across part of a picture.

    Attributes:
        percent: Its length, of the picture's width [%].
        text: Its length with units.
    """

    percent: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """How counts become colours: colour runs with log(1 + counts / knee) from 0 to `top`.

    Attributes:
        knee: Counts below which colour is nearly linear.
        top: Counts that are drawn in the last colour, as more are.
    """

    knee: float
    top: float

    def __call__(self, counts: Float[np.ndarray, "*s"]) -> Float[np.ndarray, "*s"]:
        """Place on the colour scale, from 0 to 1."""
        place = np.log1p(np.maximum(counts, 0) / self.knee) / np.log1p(self.top / self.knee)
        return np.asarray(np.nan_to_num(np.clip(place, 0, 1)))

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Where to write which number beside the scale [%]."""
        decades = 10.0 ** np.arange(np.ceil(np.log10(self.knee)), np.log10(self.top) + 1e-9)
        values = [0.0, *decades.tolist()]
        return [(100 * float(self(np.asarray(value))), f"{value:g}") for value in values]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One picture.

    Attributes:
        uri: The picture, as a data URI.
        index: The sample's index, or `None` for a mean.
    """

    uri: str
    index: int | None


@dataclass(frozen=True, slots=True)
class GalleryRow:
    """One class.

    Attributes:
        name: Its name.
        severity: Severity that stands for it.
        averaged: How many patterns `mean` is the mean of.
        mean: Mean pattern, or `None` where the split has none of this class.
        patterns: Single patterns.
    """

    name: str
    severity: float
    averaged: int
    mean: Pattern | None
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Gallery:
    """Patterns of each class.

    Attributes:
        split: The part of the dataset that they are from.
        bin: Side of the squares of pixels that were summed.
        rows: The classes.
        bar: Scale bar of every picture.
        scale: Colours of the single patterns.
        mean_scale: Colours of the means.
        gradient: The colours, as a CSS gradient.
        size: Side of the pictures' longer side [pixels].
    """

    split: str
    bin: int
    rows: tuple[GalleryRow, ...]
    bar: ScaleBar
    scale: Scale
    mean_scale: Scale
    gradient: str
    size: int


def make_gallery(dataset: Dataset) -> Gallery:
    """Show the first patterns of each class of the test split, and the mean of each class.

    Raises:
        StorageError: The data cannot be read.
    """
    header = dataset.header
    split = "test" if len(dataset.split("test")) else "all"
    indices = dataset.split(split)
    labels = dataset.column("label")[indices]
    size = _bin_for(header.image_shape[1:])
    chosen = [indices[labels == label] for label in range(len(header.class_names))]
    singles = [_patterns(dataset, each[:PATTERNS_A_CLASS], size) for each in chosen]
    means = [_mean(dataset, each[:MEAN_OF_AT_MOST], size) for each in chosen]
    counted = header.dtype != "float32"
    scale = _scale(singles, knee=1.0 if counted else None)
    mean_scale = _scale([mean for mean in means if mean is not None], knee=None)
    rows = tuple(
        GalleryRow(
            name=name,
            severity=severity,
            averaged=min(len(here), MEAN_OF_AT_MOST),
            mean=None if mean is None else Pattern(_png(mean_scale(mean)), None),
            patterns=tuple(
                Pattern(_png(scale(image)), int(index))
                for image, index in zip(images, here, strict=False)
            ),
        )
        for name, severity, here, images, mean in zip(
            header.class_names, header.class_severities, chosen, singles, means, strict=True
        )
    )
    return Gallery(
        split=split,
        bin=size,
        rows=rows,
        bar=_scale_bar(header.axes[1]),
        scale=scale,
        mean_scale=mean_scale,
        gradient=_gradient(),
        size=max(header.image_shape[1:]) // size,
    )


def _patterns(
    dataset: Dataset, indices: np.ndarray[Any, Any], size: int
) -> Float[np.ndarray, "n h w"]:
    """Binned patterns with their channels summed."""
    binned = bin_images(dataset.images(indices), size)
    return np.asarray(binned.sum(axis=1, dtype=np.float64))


def _mean(
    dataset: Dataset, indices: np.ndarray[Any, Any], size: int
) -> Float[np.ndarray, "h w"] | None:
    if not len(indices):
        return None
    starts = range(0, len(indices), _CHUNK)
    total = sum(
        _patterns(dataset, indices[start : start + _CHUNK], size).sum(axis=0) for start in starts
    )
    return np.asarray(total / len(indices))


def _bin_for(shape: tuple[int, ...]) -> int:
    height, width = shape
    wanted = max(1, max(height, width) // _SIDE)
    return next(n for n in range(wanted, 0, -1) if not (height % n or width % n))


def _scale(images: "Sequence[np.ndarray[Any, Any]]", knee: float | None) -> Scale:
    values = [image[np.isfinite(image)] for image in images if image.size]
    top = max((float(np.quantile(each, 0.9995)) for each in values if each.size), default=0.0)
    if knee is None:
        top = top if top > 0 else 1.0
        return Scale(top / 300, top)
    return Scale(knee, max(top, 3 * knee))


def _scale_bar(axis: Axis) -> ScaleBar:
    """A bar of a round length, at most a third of the width."""
    width = axis.scale * axis.size
    power = 10.0 ** np.floor(np.log10(width / 4))
    length = max(step * power for step in (1, 2, 5, 10) if step * power <= width / 3)
    units = axis.units.replace("1/angstrom", "Å⁻¹")
    return ScaleBar(100 * length / width, f"{length:g} {units}".strip())


def _palette() -> UInt8[np.ndarray, "colours 3"]:
    from matplotlib import colormaps

    colours = colormaps["inferno"](np.linspace(0, 1, _COLOURS))
    return (colours[:, :3] * 255).round().astype(np.uint8)


def _gradient() -> str:
    stops = _palette()[:: _COLOURS // 16]
    return f"linear-gradient(90deg, {', '.join(f'rgb({r} {g} {b})' for r, g, b in stops)})"


def _png(place: Float[np.ndarray, "h w"]) -> str:
    from PIL import Image

    image = Image.fromarray((place * (_COLOURS - 1)).round().astype(np.uint8), mode="L")
    image.putpalette(_palette().tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return data_uri(buffer.getvalue(), "image/png")
