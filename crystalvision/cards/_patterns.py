"""Sample patterns of each class in grey."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from crystalvision.cards._style import FAINT, INK, WIDTH, shortened
from crystalvision.cards._text import unit_of
from crystalvision.datasets import Axis, Dataset, bin_images

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLASSES_SHOWN = 36
_ACROSS = 6  # tiles in a row
_GAP = 0.06
_TITLE = 0.24
_SIDE = 160  # pixels; larger patterns are binned, which shows single electrons better
_DECADES = 2.5  # of float images, which have no count that could be the least
_TOP = 0.999  # quantile that is drawn white; the direct beam would leave the rest black


@dataclass(frozen=True, slots=True)
class Tiles:
    """The patterns of each class, and how they are laid out.

    Attributes:
        names: What stands above each class.
        images: For each class its patterns, (n, h, w) in grey or (n, h, w, 3) in colour, 0 to 1.
        each: Tiles that a class may fill.
        axis: The axis that runs across.
        aspect: Height of a pattern over its width, in units of the axes.
        caption: What the grey means.
    """

    names: tuple[str, ...]
    images: tuple[Float[np.ndarray, "n h w *c"], ...]
    each: int
    axis: Axis
    aspect: float
    caption: str

    @property
    def blocks(self) -> int:
        """Classes in a row."""
        return min(len(self.images), _ACROSS // self.each)

    @property
    def width(self) -> float:
        """Width of all of it [inch]."""
        return self.blocks * self.each * (self.side + _GAP) + _GAP

    @property
    def side(self) -> float:
        """Width of a tile [inch]."""
        return (WIDTH - (_ACROSS + 1) * _GAP) / _ACROSS

    @property
    def height(self) -> float:
        """Height of all of it [inch]."""
        rows = -(-len(self.images) // self.blocks)
        return rows * (_TITLE + self.side * self.aspect + _GAP) + _TITLE


def choose_tiles(dataset: Dataset) -> Tiles:
    """Read the first patterns of each class.

    Raises:
        StorageError: The data cannot be read.
    """
    header = dataset.header
    classes = range(min(len(header.class_names), CLASSES_SHOWN))
    labels = dataset.column("label")
    most = _ACROSS if len(classes) <= 4 else 3 if len(classes) <= 10 else 1
    each = min(most, int(np.bincount(labels).max()))
    size = _bin_for(header.image_shape[1:])
    raw = [
        bin_images(dataset.images(np.flatnonzero(labels == index)[:each]), size)
        for index in classes
    ]
    shown, caption = _grey(raw, counted=header.dtype != "float32")
    if size > 1:
        caption += f"; sums over {size} × {size} pixels"
    if len(classes) < len(header.class_names):
        caption += f"; {len(classes)} of {len(header.class_names)} classes"
    y, x = header.axes
    extent = (y.scale * y.size) / (x.scale * x.size) if y.units == x.units else y.size / x.size
    return Tiles(
        names=tuple(
            f"{name}  (severity {severity:g})" if each > 1 else name
            for name, severity in zip(header.class_names, header.class_severities, strict=True)
        )[: len(classes)],
        images=tuple(shown),
        each=each,
        axis=x,
        aspect=float(np.clip(extent, 0.3, 3)),
        caption=caption,
    )


def draw_tiles(figure: "Figure", tiles: Tiles, top: float) -> None:
    """Draw the patterns below `top`, a height above the figure's lower edge [inch]."""
    width, height = figure.get_size_inches()
    step = tiles.side + _GAP
    tall = tiles.side * tiles.aspect
    for index, (name, images) in enumerate(zip(tiles.names, tiles.images, strict=True)):
        row, block = divmod(index, tiles.blocks)
        left = _GAP + block * tiles.each * step
        upper = top - row * (_TITLE + tall + _GAP) - _TITLE
        room = min(tiles.each * step, width - left) - _GAP
        place = left / width, (upper + 0.06) / height
        figure.text(*place, shortened(name, room), color=INK, fontweight="bold")
        for number, image in enumerate(images):
            corner = (left + number * step) / width, (upper - tall) / height
            axes = figure.add_axes((*corner, tiles.side / width, tall / height))
            axes.imshow(image, cmap="gray", vmin=0, vmax=1, aspect="auto")
            axes.set_axis_off()
            if number == 0:
                _draw_bar(axes, tiles.axis)
        if not len(images):
            place = left / width, (upper - 0.2) / height
            figure.text(*place, "no sample", color=FAINT)
    place = _GAP / width, (top - tiles.height + 0.06) / height
    figure.text(*place, tiles.caption, color=FAINT, fontsize=8.5)


def _draw_bar(axes: "Axes", axis: Axis) -> None:
    """A bar of a round length, at most a third of the width, with its length."""
    from matplotlib.patheffects import withStroke

    width = axis.scale * axis.size
    power = 10.0 ** np.floor(np.log10(width / 4))
    length = max(step * power for step in (1, 2, 5, 10) if step * power <= width / 3)
    edge = [withStroke(linewidth=2.4, foreground="black")]
    line = [withStroke(linewidth=4.5, foreground="black")]
    places: dict[str, Any] = {"transform": axes.transAxes, "color": "white"}
    axes.plot([0.05, 0.05 + length / width], [0.06, 0.06], lw=2.5, path_effects=line, **places)
    text = f"{length:g} {unit_of(axis.units)}".strip()
    axes.text(0.05, 0.09, text, fontsize=9, va="bottom", path_effects=edge, **places)


def _grey(
    raw: list[Float[np.ndarray, "n c h w"]], *, counted: bool
) -> tuple[list[Float[np.ndarray, "n h w *c"]], str]:
    """Patterns as grey or as colours from 0 to 1, and what that means."""
    channels = raw[0].shape[1]
    if channels == 3:
        parts = [_scaled([each[:, [c]] for each in raw], counted=counted)[0] for c in range(3)]
        joined = [np.concatenate(layers, axis=1) for layers in zip(*parts, strict=True)]
        text = "channels 1, 2, 3 in red, green and blue, each on a logarithmic scale of its own"
        return [np.moveaxis(each, 1, -1) for each in joined], text
    scaled, text = _scaled([each.sum(axis=1, keepdims=True) for each in raw], counted=counted)
    if channels > 1:
        text += f"; sum of {channels} channels"
    return [each[:, 0] for each in scaled], text


def _scaled(
    raw: list[np.ndarray[Any, Any]], *, counted: bool
) -> tuple[list[np.ndarray[Any, Any]], str]:
    """Values on one logarithmic scale from 0 to 1, and how to say it."""
    values = np.concatenate([each.ravel() for each in raw]).astype(np.float64)
    low = min(0.0, float(values.min())) if counted else float(values.min())
    top = float(np.quantile(values - low, _TOP)) or float((values - low).max())
    knee = 1.0 if counted else (top or 1.0) / 10**_DECADES
    top = max(top, 3 * knee)
    scaled = [np.clip(np.log1p((each - low) / knee) / np.log1p(top / knee), 0, 1) for each in raw]
    if counted:
        return scaled, f"grey: log(1 + counts), white from {top:.0f} counts on"
    return scaled, f"grey: logarithmic, from {low:.3g} to {low + top:.3g}"


def _bin_for(shape: tuple[int, ...]) -> int:
    height, width = shape
    wanted = max(1, max(height, width) // _SIDE)
    return next(n for n in range(wanted, 0, -1) if not (height % n or width % n))
