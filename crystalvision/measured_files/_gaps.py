"""Values that mark what a detector did not measure: gaps between its modules, and dead pixels."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from crystalvision.errors import InputError

NONE = "none"
_MARKS = (2**32 - 1, 2**32 - 2, 2**31 - 1, 2**31 - 2)  # no counter of a pixel comes so far
_NEGATIVE_MARKS = (-1, -2)  # of Pilatus detectors: gaps, and dead pixels
_LARGEST = (2**16 - 1, 2**16 - 2, 2**8 - 1)  # marks, or pixels that saturated

GapValues = tuple[float, ...] | None
"""Values of what was not measured; none if every value is a count; `None` if nobody has said."""

Array = np.ndarray[Any, Any]


def parse_gap_values(texts: Sequence[str]) -> GapValues:
    """What `--gap-value` says, given any number of times.

    Raises:
        InputError: A text that is no number.
    """
    if not texts:
        return None
    if NONE in texts:
        if len(texts) > 1:
            raise InputError(f"--gap-value {NONE} says that every value is a count; give it alone")
        return ()
    values = []
    for text in texts:
        try:
            values.append(float(text))
        except ValueError as error:
            raise InputError(
                f"--gap-value {text}: expected a number such as 4294967295, nan, or {NONE}"
            ) from error
    return tuple(values)


def fill_gaps(image: Array, source: str, values: GapValues) -> Array:
    """Set what a detector did not measure to 0, or refuse what looks like it.

    Args:
        image: As measured, of any shape whose last axes are rows and columns.
        source: What to call it in an error.
        values: What marks it.

    Raises:
        InputError: Nobody said what marks gaps, and there are values that do in many files.
    """
    if image.dtype.kind not in "uif" or values == ():
        return image
    if values is None:
        found = next(_suspects(image), None)
        if found is not None:
            raise InputError(
                f"{source}: {found[1]:,} of {image.size:,} pixels are {found[0]}, which is how "
                f"detectors mark gaps and dead pixels, not a count; give --gap-value {found[0]} to "
                f"set them aside, or --gap-value {NONE} if every value is a count"
            )
        return image
    gaps = find_gaps(image, values)
    return np.where(gaps, image.dtype.type(0), image) if gaps.any() else image


def find_gaps(image: Array, values: GapValues) -> Array:
    """Where an image has one of the values that mark what was not measured, same shape."""
    gaps = np.zeros(image.shape, dtype=bool)
    for value in values or ():
        gaps |= np.isnan(image) if np.isnan(value) else image == value
    return gaps


def as_counts(image: Array, source: str, values: GapValues) -> Array:
    """An image as measured, checked, with what the detector did not measure at 0.

    This comes before pixels are put together: a mark that is shared out is no mark any more.

    Args:
        image: As measured, of any shape whose last axes are rows and columns.
        source: What to call it in an error.
        values: What marks what was not measured.

    Raises:
        InputError: Values that are no numbers, or that look like marks of which nobody spoke.
            Negative ones are values: what was measured less a background.
    """
    if image.dtype.kind not in "uif":
        raise InputError(f"{source} has values of type {image.dtype}; expected real numbers")
    image = fill_gaps(image, source, values)
    if not np.isfinite(image).all():
        raise InputError(f"{source} has values that are not finite; expected counts")
    return image


def saturated(image: Array) -> int | None:
    """The largest value that an image of integers can hold, if it has pixels there."""
    if image.dtype.kind not in "ui" or not image.size:
        return None
    largest = int(np.iinfo(image.dtype).max)
    return largest if int(image.max()) == largest else None


def _suspects(image: Array) -> Iterator[tuple[str, int]]:
    """Values that are likely to be marks, and how many pixels have them."""
    if not image.size:
        return
    if image.dtype.kind == "f":
        missing = int(np.count_nonzero(np.isnan(image)))
        if 0 < missing < image.size:
            yield "nan", missing
            return
    marks = _marks_of(image)
    if image.min() >= 0 and image.max() < min(_LARGEST):
        return  # as nearly all are
    for mark in marks:
        count = int(np.count_nonzero(image == mark))
        if 0 < count < image.size:
            yield str(mark), count
    of_pixels = image.ndim >= 2 and min(image.shape[-2:]) > 1  # a curve has no rows and columns
    for mark in _LARGEST if image.dtype.kind != "f" and of_pixels else ():
        found = image == mark
        # A gap between modules goes from edge to edge; what saturates does not.
        if found.any() and not found.all() and (found.all(-1).any() or found.all(-2).any()):
            yield str(mark), int(np.count_nonzero(found))


def _marks_of(image: Array) -> tuple[int, ...]:
    """Values that mark what was not measured in images of such a type, if they are there."""
    marks: tuple[int, ...] = _MARKS
    if image.dtype.kind == "f":
        with np.errstate(over="ignore"):
            rounded = np.array(_MARKS).astype(image.dtype)
        marks = tuple(int(mark) for mark in rounded if np.isfinite(mark))
    # A background that was taken away leaves other negative values as well.
    if image.dtype.kind in "if" and np.isin(image[image < 0], _NEGATIVE_MARKS).all():
        marks = (*marks, *_NEGATIVE_MARKS)
    return marks


def without_counts(counts: Array, seen: Array | None) -> str:
    """Why a pattern holds no counts, as a message says it; empty where it holds some.

    Args:
        counts: What was measured, (*grid) or (c, *grid).
        seen: Which points were, (*grid); `None` where all were.
    """
    known = counts if seen is None else counts[..., seen]
    if not known.size:
        return "all of it is masked"
    low, high = known.min(), known.max()
    if low == high:
        return f"its value is {low:g} everywhere"
    return "" if high > 0 else f"its values go from {low:g} to {high + 0.0:g}, none is above 0"
