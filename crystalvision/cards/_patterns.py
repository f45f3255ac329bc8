"""Sample patterns of each class in grey: images, and volumes as sums along their first axis."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from crystalvision.cards._classes import choose_patterns
from crystalvision.cards._style import FAINT, INK, WIDTH, shortened
from crystalvision.contracts import Axis
from crystalvision.datasets import Dataset, bin_images
from crystalvision.text import axis_symbol, figure_text, quantity_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACROSS = 6  # tiles in a row
_GAP = 0.06
_TITLE = 0.24
_SIDE = 160  # pixels; larger patterns are binned, which shows single electrons better
_DECADES = 2.5  # of float images, which have no count that could be the least
_UNSEEN = (0.2, 0.31, 0.42)  # what was not measured
_TOP = 0.999  # quantile that is drawn white; the direct beam would leave the rest black


@dataclass(frozen=True, slots=True)
class Tiles:
    """The patterns of each class, and how they are laid out.

    Attributes:
        names: What stands above each class.
        images: For each class its patterns, (n, h, w) in grey or (n, h, w, 3) in colour, 0 to 1;
            nan where nothing was measured.
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
    shown = choose_patterns(dataset)
    *along, y, x = header.axes
    summed = "".join(f"; sum along {axis_symbol(axis.name)}" for axis in along)
    size = _bin_for((y.size, x.size))
    raw, masks = [], []
    for images, seen in zip(shown.images, shown.seen, strict=True):
        flat = images.sum(axis=2, dtype=np.float64) if along else images
        raw.append(bin_images(flat, size))
        masks.append(None if seen is None else _unseen(seen, size))
    grey, caption = _grey(_hidden(raw, masks), counted=header.dtype != "float32")
    if size > 1:
        caption += f"; sums over {size} × {size} pixels"
    if header.seen is not None:
        caption += "; blue: not measured"
    extent = (y.scale * y.size) / (x.scale * x.size) if y.units == x.units else y.size / x.size
    return Tiles(
        names=shown.names,
        images=tuple(map(_with_gaps, grey, masks)),
        each=shown.each,
        axis=x,
        aspect=float(np.clip(extent, 0.3, 3)),
        caption=f"{caption}{summed}{shown.left_out}",
    )


def _unseen(seen: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """Where something of a binned pixel was not measured, in any channel, (n, h, w).

    A pixel of a sum along an axis counts as measured where any of what is summed was.
    """
    flat = np.asarray(seen.any(axis=2)) if seen.ndim > 4 else seen
    return np.asarray(bin_images(~flat, size).any(axis=1))


def _hidden(
    raw: list[Float[np.ndarray, "n c h w"]], masks: list[np.ndarray[Any, Any] | None]
) -> list[Float[np.ndarray, "n c h w"]]:
    """Values whose scale does not hang on what was not measured."""
    return [
        each if mask is None else np.where(mask[:, None], 0, each)
        for each, mask in zip(raw, masks, strict=True)
    ]


def _with_gaps(
    grey: Float[np.ndarray, "n h w *c"], mask: np.ndarray[Any, Any] | None
) -> Float[np.ndarray, "n h w *c"]:
    """Patterns whose gaps are nan in grey, and of the colour of gaps in colour."""
    if mask is None:
        return grey
    gaps = grey.astype(np.float64)
    gaps[mask] = np.nan if grey.ndim == 3 else _UNSEEN
    return gaps


def draw_tiles(figure: "Figure", tiles: Tiles, top: float) -> None:
    """Draw the patterns below `top`, a height above the figure's lower edge [inch]."""
    from matplotlib import colormaps

    greys = colormaps["gray"].with_extremes(bad=_UNSEEN)
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
            axes.imshow(image, cmap=greys, vmin=0, vmax=1, aspect="auto")
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
    text = figure_text(quantity_text(length, axis.units))
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
