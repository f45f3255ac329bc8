"""Patterns of any number of dimensions as figures and thumbnails."""

import io
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Axis
from crystalvision.samples import Curve, Curves, Picture

Array = np.ndarray[Any, Any]

_DECADES = 3.0  # that colours reach down from the brightest
_TOP = 0.999  # quantile that is the brightest: a direct beam would leave the rest dark
_SIDE = 96  # pixels of a thumbnail
_LINE, _GAP = (86, 180, 233), (128, 128, 128)


def hidden(image: Array, seen: Array | None) -> Float[np.ndarray, "c *grid"]:
    """A pattern (c, *grid) with NaN for what was not measured."""
    values = np.asarray(image, dtype=np.float32)
    return values if seen is None else np.where(seen, values, np.float32(np.nan))


def flat(image: Array) -> Float[np.ndarray, "*grid"]:
    """The sum over channels of a pattern, and over all but the last two axes of its grid."""
    total: Array = np.asarray(image, dtype=np.float64).sum(axis=0)
    while total.ndim > 2:
        total = total.sum(axis=0)
    return total


def figure_of(
    title: str, patterns: Sequence[tuple[str, Array]], axes: tuple[Axis, ...], quantity: str
) -> Picture | Curves:
    """What to draw of a pattern; of curves, several in one figure.

    Args:
        title: What it is.
        patterns: Names and patterns (c, *grid), NaN for what was not measured. Of images, only the
            first is drawn.
        axes: Of the grid.
        quantity: What values are.
    """
    if len(axes) == 1:
        (axis,) = axes
        curves = tuple(Curve(name, axis.values(), flat(image)) for name, image in patterns)
        return Curves(title, axis.label, quantity, curves)
    rows, columns = axes[-2:]
    if axes[:-2]:
        title = f"{title}, summed along {', '.join(axis.name for axis in axes[:-2])}"
    image = flat(patterns[0][1])
    low, high = limits(image)
    return Picture(title, image, (rows, columns), quantity, low, high)


def limits(image: Array) -> tuple[float, float]:
    """What the darkest and the brightest colour of a picture mean."""
    known = image[np.isfinite(image) & (image > 0)]
    if not known.size:
        return 0.5, 1.0
    high = max(float(np.quantile(known, _TOP)), float(known.min()))
    low = max(float(known.min()) / 2, high * 10**-_DECADES)  # so that one count is no darkness
    return low, max(high, 2 * low)


def thumbnail(image: Array, side: int = _SIDE) -> str:
    """A small picture of a pattern (c, *grid), as the address of a PNG that holds it.

    Args:
        image: NaN for what was not measured.
        side: Its longest side [pixels].
    """
    values = flat(image)
    pixels = _curve(values, side) if values.ndim == 1 else _image(values, side)
    return png_address(pixels)


def png_address(pixels: Array) -> str:
    """The address of a PNG that holds pixels (h, w, 3) of uint8."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def _image(values: Float[np.ndarray, "h w"], side: int) -> Array:
    step = max(1, -(-max(values.shape) // side))
    if step > 1:
        rows, columns = (size // step * step for size in values.shape)
        blocks = values[:rows, :columns].reshape(rows // step, step, columns // step, step)
        values = blocks.mean(axis=(1, 3))
    low, high = limits(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = (np.log(values) - np.log(low)) / (np.log(high) - np.log(low))
    places = np.nan_to_num(255 * np.clip(shown, 0, 1), nan=0.0).astype(np.uint8)
    pixels: Array = _palette()[places]
    pixels[np.isnan(values)] = _GAP
    return pixels


def _curve(values: Float[np.ndarray, "n"], side: int) -> Array:
    """A curve on a dark ground, of its root: weak peaks beside strong ones."""
    from PIL import Image, ImageDraw

    height = side * 2 // 3
    picture = Image.new("RGB", (side, height), (20, 23, 29))
    roots = np.sqrt(np.clip(np.nan_to_num(values, nan=0.0), 0, None))
    # The highest value that falls into each pixel, so that no peak is lost.
    parts = np.array_split(roots, min(side, len(roots)))
    tops = np.array([part.max() for part in parts])
    scaled = (height - 3) * (1 - tops / max(float(tops.max()), 1e-12)) + 1
    across = np.linspace(0, side - 1, len(tops))
    ImageDraw.Draw(picture).line([*zip(across, scaled, strict=True)], fill=_LINE)
    return np.asarray(picture)


def _palette() -> Array:
    from bokeh.palettes import Inferno256

    return np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in Inferno256], np.uint8)
