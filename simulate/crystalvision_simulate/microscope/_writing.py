"""Finds what was burnt into a picture: scale bars, words, boxes about them, titles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from crystalvision_simulate.microscope._image import Image, Mask

_EIGHT = np.ones((3, 3), dtype=bool)
_NEXT = 0.12  # of the step from background to a burnt-in pixel: what its neighbour may have of it
_EDGE = 0.06  # of that step: the edge of what is written
_BAR_ASPECT = 4.0
_BAR_FILL = 0.85
_LEAST_BAR = 12  # pixels
_FRAME_FILL = 0.35
_DEEPEST_BAND = 0.15  # of the picture
_ACROSS = 0.9  # of its width
_EMPTY = 0.995
_STROKE = 1 / 60  # of the picture: no stroke of a letter or a bar is wider
_HIGHEST = 0.08  # of the picture: no letter is higher
_LEAST_HIGH = 5  # pixels: of a letter
_CONCAVE = 0.82  # of its convex hull: letters have less, spots and grains more
_MOST_PARTS = 3000  # bright parts: of more, most are noise
_FLAT = 0.02  # of the range: what the losses of a packed picture leave of one value
_BOX = 0.9  # of its bounds: a box about words is filled by what is flat, and the words


@dataclass(frozen=True)
class _Part:
    """A bright part with sharp edges.

    Attributes:
        number: Its label.
        top: First row.
        left: First column.
        height: In rows.
        width: In columns.
        is_bar: Whether it is a scale bar.
        is_concave: Whether it is bent or has a hole, as letters, and no spot.
    """

    number: int
    top: int
    left: int
    height: int
    width: int
    is_bar: bool
    is_concave: bool


def find_writing(counts: Image) -> tuple[Mask, float]:
    """What is written on a picture, and the length of its scale bar [pixel]; 0 for none.

    Letters and bars are as bright as anything and end sharply, also where they were smoothed or
    the picture was packed with losses. Single ones may be spots: words have several in a line, of
    which some are bent or have holes.
    """
    written, bar = _of_one_value(counts)
    smooth, smooth_bar = _of_strokes(counts)
    written |= smooth
    return written | _bands(counts), max(bar, smooth_bar)


def _of_strokes(counts: Image) -> tuple[Mask, float]:
    """Words and bars by their shapes, with the boxes about them."""
    side = min(counts.shape)
    brightest = float(counts.max())
    wide = 2 * max(2, round(side * _STROKE)) + 5
    background = ndimage.grey_opening(ndimage.gaussian_filter(counts, 1.5), wide)
    step = np.maximum(brightest - background, 1e-9)
    height = (counts - background) / step
    strong = (height > 0.5) & (step > 0.3 * np.ptp(counts))
    labels, count = ndimage.label(strong, _EIGHT)
    nothing = np.zeros(counts.shape, dtype=bool)
    if not 0 < count <= _MOST_PARTS:
        return nothing, 0.0
    parts = _parts(height, labels, strong, side)
    bars = [part for part in parts if part.is_bar]
    words = _words([part for part in parts if not part.is_bar], bars)
    # A line alone may be a streak: it is a bar where words are, or of one value, which is found.
    bars = [bar for bar in bars if any(_beside(bar, part, 4.0) for part in words)]
    if not words:
        return nothing, 0.0
    mask = np.isin(labels, [part.number for part in (*words, *bars)])
    mask |= ndimage.binary_dilation(mask, _EIGHT) & (height > _EDGE)
    return mask | _boxes(counts, mask), float(max((bar.width for bar in bars), default=0))


def _parts(height: Image, labels: Any, strong: Mask, side: int) -> list[_Part]:
    """Bright parts of the size of letters and bars that end sharply."""
    from skimage.measure import regionprops

    others = ndimage.binary_dilation(strong, _EIGHT)
    found = []
    for region in regionprops(labels):  # type: ignore[no-untyped-call] # it has no types
        top, left, bottom, right = region.bbox
        rows, columns = bottom - top, right - left
        is_bar = columns >= max(_LEAST_BAR, _BAR_ASPECT * rows) and region.extent > _BAR_FILL
        if rows > _HIGHEST * side or (columns > 2 * _HIGHEST * side and not is_bar):
            continue
        place = slice(max(0, top - 4), bottom + 4), slice(max(0, left - 4), right + 4)
        own = labels[place] == region.label
        if height[place][own].max() < 0.8:
            continue
        about = ndimage.binary_dilation(own, _EIGHT, 3) & ~others[place]
        if about.any() and not _ends(height[place][about]):
            continue
        concave = rows >= _LEAST_HIGH and (region.solidity < _CONCAVE or region.euler_number < 1)
        found.append(_Part(region.label, top, left, rows, columns, bool(is_bar), bool(concave)))
    return found


def _words(parts: Sequence[_Part], bars: Sequence[_Part]) -> list[_Part]:
    """Those that stand in lines of which two are bent, or one, beside a bar."""
    left, found = list(parts), []
    while left:
        line, waiting = [], [left.pop()]
        while waiting:
            one = waiting.pop()
            line.append(one)
            near = [other for other in left if _in_line(one, other)]
            left = [other for other in left if other not in near]
            waiting += near
        bent = sum(part.is_concave for part in line)
        by_a_bar = any(_beside(bar, part, 3.0) for bar in bars for part in line)
        if bent >= 2 or (bent and by_a_bar):
            found += line
    return found


def _in_line(one: _Part, other: _Part) -> bool:
    """Whether two parts may be letters of one line: side by side, no further than one is high."""
    high = max(one.height, other.height)
    apart = max(one.left, other.left) - min(one.left + one.width, other.left + other.width)
    shared = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    small = min(one.height, other.height)
    return apart < 1.2 * high and shared >= 0.5 * small and high >= _LEAST_HIGH


def _beside(bar: _Part, part: _Part, heights: float) -> bool:
    """Whether a part stands over, under or beside a bar, within so many of its heights."""
    reach = heights * max(part.height, bar.height)
    below = max(bar.top, part.top) - min(bar.top + bar.height, part.top + part.height)
    across = max(bar.left, part.left) - min(bar.left + bar.width, part.left + part.width)
    return below < reach and across < reach


def _boxes(counts: Image, written: Mask) -> Mask:
    """Boxes of one dark value about what is written, with all that is in them."""
    low = float(counts[ndimage.binary_dilation(written, _EIGHT, 2) & ~written].min())
    flat = (np.abs(counts - low) <= _FLAT * np.ptp(counts)) | written
    labels, _ = ndimage.label(ndimage.binary_opening(flat, _EIGHT))
    boxes = np.zeros(counts.shape, dtype=bool)
    found = ndimage.find_objects(labels)
    for number in np.unique(labels[written]):
        if number == 0:
            continue
        place = found[number - 1]
        part = ndimage.binary_fill_holes(labels[place] == number)
        if part.mean() > _BOX and part.sum() < 0.25 * counts.size:
            boxes[place] = True
    return boxes


def _of_one_value(counts: Image) -> tuple[Mask, float]:
    """Bars, words and frames of the brightest value, and the length of the scale bar."""
    written = np.zeros(counts.shape, dtype=bool)
    brightest = float(counts.max())
    labels, count = ndimage.label(counts >= brightest, structure=_EIGHT)
    if count > 2 * _MOST_PARTS:  # a picture of much noise at its brightest value, and no text
        return written, 0.0
    bar = 0.0
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        wide = tuple(slice(max(0, one.start - 7), one.stop + 7) for one in place)
        part = labels[wide] == number
        if part.sum() < 2 or not _sharp(counts[wide], part, brightest):
            continue
        part = labels[place] == number
        height, width = part.shape
        if width >= _LEAST_BAR and part.mean() > 0.9 and width >= _BAR_ASPECT * height:
            bar = max(bar, float(width))
        written[place] |= _with_frame(part)
    return written, bar


def _sharp(counts: Image, part: Mask, brightest: float) -> bool:
    """Whether what touches a part is as dark as what lies further off: no spot ends like that."""
    near = ndimage.binary_dilation(part, _EIGHT) & (counts < brightest)
    further = ndimage.binary_dilation(part, _EIGHT, 6) & ~ndimage.binary_dilation(part, _EIGHT, 3)
    if not near.any() or not further.any():
        return False
    background = float(np.median(counts[further]))
    return background < brightest and _ends((counts[near] - background) / (brightest - background))


def _ends(height: Image) -> bool:
    """Whether what is about a part is dark, and so at its ends, where a piece of a ring goes on.

    Args:
        height: Of pixels about it, relative to the step from the background to it, (n,).
    """
    middle, high = np.quantile(height, [0.5, 0.95])
    return bool(middle < _NEXT and high < 3 * _NEXT)


def _with_frame(part: Mask) -> Mask:
    """A part, with all that is within it where it is a frame."""
    whole: Mask = ndimage.binary_fill_holes(part)
    if part.sum() < _FRAME_FILL * whole.sum() and min(part.shape) >= 6:
        return whole
    return part


def _bands(counts: Image) -> Mask:
    """Titles and empty rows at the edges: what a line across the whole picture cuts off."""
    hidden = np.zeros(counts.shape, dtype=bool)
    for turn in range(4):
        turned, to = np.rot90(counts, turn), np.rot90(hidden, turn)
        rows = max(2, round(_DEEPEST_BAND * len(turned)))
        jump = np.abs(np.diff(turned[: rows + 1], axis=0)) > 0.12 * np.ptp(counts)
        cut = np.flatnonzero(jump.mean(axis=1) > _ACROSS)
        empty = (turned[:rows] == counts.min()).mean(axis=1) > _EMPTY
        depth = 0 if not len(cut) else int(cut[-1]) + 1
        while depth < rows and empty[depth]:
            depth += 1
        to[:depth] = True
    return hidden
