"""Patterns of each class: small pictures with a scale bar, or curves."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from crystalvision.contracts import Axis
from crystalvision.datasets import Dataset, bin_images
from crystalvision.figures import COLOURS, new_figure
from crystalvision.report._pictures import Picture, data_uri, picture
from crystalvision.text import MOST_CLASSES, axis_symbol, figure_text, quantity_text, unit_text

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
class GalleryPattern:
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
        name: Its name; "" where the data have no classes.
        severity: Severity that stands for it; `None` for none.
        averaged: How many patterns `mean` is the mean of.
        mean: Mean pattern, or `None` where the split has none of this class.
        patterns: Single patterns.
        curves: Patterns and their mean, where they have one dimension.
    """

    name: str
    severity: float | None
    averaged: int
    mean: GalleryPattern | None = None
    patterns: tuple[GalleryPattern, ...] = ()
    curves: Picture | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """Patterns of each class.

    Attributes:
        split: The part of the dataset that they are from.
        rows: The classes.
        bin: Side of the squares of pixels that were summed.
        summed: Axis along which patterns of three dimensions were summed, or "".
        bar: Scale bar of every picture; `None` for curves, as for the rest.
        scale: Colours of the single patterns.
        mean_scale: Colours of the means.
        gradient: The colours, as a CSS gradient.
        width: Width of the pictures [pixels].
        height: Their height [pixels].
    """

    split: str
    rows: tuple[GalleryRow, ...]
    bin: int = 1
    summed: str = ""
    bar: ScaleBar | None = None
    scale: Scale | None = None
    mean_scale: Scale | None = None
    gradient: str = ""
    width: int = 0
    height: int = 0


def make_gallery(dataset: Dataset) -> Gallery:
    """Show the first patterns of each class of the test split, and the mean of each class.

    Raises:
        StorageError: The data cannot be read.
    """
    split = "test" if len(dataset.split("test")) else "all"
    classes = _classes(dataset, dataset.split(split))[:MOST_CLASSES]
    if len(dataset.header.axes) == 1:
        return Gallery(split, tuple(_curves(dataset, *each) for each in classes))
    return _pictures(dataset, split, classes)


_Class = tuple[str, float | None, np.ndarray[Any, Any]]


def _classes(dataset: Dataset, indices: np.ndarray[Any, Any]) -> list[_Class]:
    """Name, severity and samples of each class; all samples where there is none."""
    header = dataset.header
    if not header.class_names:
        return [("", None, indices)]
    labels = dataset.column("label")[indices]
    severities = header.class_severities or (None,) * len(header.class_names)
    return [
        (name, severity, indices[labels == label])
        for label, (name, severity) in enumerate(zip(header.class_names, severities, strict=True))
    ]


def _pictures(dataset: Dataset, split: str, classes: "Sequence[_Class]") -> Gallery:
    header = dataset.header
    side = header.image_shape[-2:]
    size = _bin_for(side)
    singles = [_patterns(dataset, each[:PATTERNS_A_CLASS], size) for _, _, each in classes]
    means = [_mean(dataset, each[:MEAN_OF_AT_MOST], size) for _, _, each in classes]
    counted = header.dtype != "float32"
    scale = _scale(singles, knee=1.0 if counted else None)
    mean_scale = _scale([mean for mean in means if mean is not None], knee=None)
    rows = tuple(
        GalleryRow(
            name=name,
            severity=severity,
            averaged=min(len(here), MEAN_OF_AT_MOST),
            mean=None if mean is None else GalleryPattern(_png(mean_scale(mean)), None),
            patterns=tuple(
                GalleryPattern(_png(scale(image)), int(index))
                for image, index in zip(images, here, strict=False)
            ),
        )
        for (name, severity, here), images, mean in zip(classes, singles, means, strict=True)
    )
    return Gallery(
        split=split,
        rows=rows,
        bin=size,
        summed=", ".join(axis.name for axis in header.axes[:-2]),
        bar=_scale_bar(header.axes[-1]),
        scale=scale,
        mean_scale=mean_scale,
        gradient=_gradient(),
        width=side[1] // size,
        height=side[0] // size,
    )


def _curves(
    dataset: Dataset, name: str, severity: float | None, indices: np.ndarray[Any, Any]
) -> GalleryRow:
    """The first patterns of a class and their mean against the axis, channels summed."""
    chosen = indices[:MEAN_OF_AT_MOST]
    if not len(chosen):
        return GalleryRow(name, severity, 0)
    axis = dataset.header.axes[0]
    counts = np.asarray(dataset.images(chosen)).sum(axis=1, dtype=np.float64)
    figure, (axes,) = new_figure(width=5.2, height=2.7)
    for number, curve in enumerate(counts[:PATTERNS_A_CLASS]):
        label = f"first {min(len(counts), PATTERNS_A_CLASS)} patterns" if not number else None
        axes.plot(axis.values(), curve, color=COLOURS[5], linewidth=0.7, alpha=0.7, label=label)
    mean = counts.mean(axis=0)
    axes.plot(axis.values(), mean, color=COLOURS[0], linewidth=1.4, label=f"mean of {len(counts)}")
    axes.set(
        xlabel=figure_text(axis.label),
        ylabel="counts" if counts.any() else "",
        ylim=(0, None),
    )
    axes.margins(x=0)
    figure.legend(loc="outside lower center", ncols=2)
    of = f" of class {name}" if name else ""
    peak = quantity_text(axis.values()[int(mean.argmax())], axis.units, 4)
    alt = f"Patterns{of} against {axis_symbol(axis.name)}; highest mean {mean.max():.4g} at {peak}."
    return GalleryRow(name, severity, len(counts), curves=picture(figure, alt))


def _patterns(
    dataset: Dataset, indices: np.ndarray[Any, Any], size: int
) -> Float[np.ndarray, "n h w"]:
    """Binned patterns with their channels, and all dimensions but two, summed."""
    images = np.asarray(dataset.images(indices))
    if images.ndim > 4:
        images = images.sum(axis=tuple(range(2, images.ndim - 2)), dtype=np.float64)
    return np.asarray(bin_images(images, size).sum(axis=1, dtype=np.float64))


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
    units = "Å⁻¹" if axis.units == "1/angstrom" else unit_text(axis.units)
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
