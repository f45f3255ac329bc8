"""What renderers and instruments return, checked, so that an error names who gave it."""

from collections.abc import Sequence

import numpy as np
import torch

from crystalvision.contracts import (
    Axis,
    Instrument,
    Pattern,
    Recording,
    check_tensor,
    described,
    grid_of,
)
from crystalvision.errors import PluginError


def check_patterns(patterns: Sequence[Pattern], who: str) -> None:
    """Check patterns that a plugin returned, all at once: a GPU is waited for.

    Raises:
        PluginError: The intensity of one does not lie on its axes, or is not finite.
    """
    for pattern in patterns:
        grid = grid_of(pattern.axes)
        axes = ", ".join(axis.name for axis in pattern.axes)
        check_tensor(
            pattern.intensity,
            f"{who}, as intensity on the axes {axes},",
            f"(c, {', '.join(map(str, grid))})",
            sizes=(None, *grid),
        )
    finite = [pattern.intensity.isfinite().all() for pattern in patterns]
    if not torch.stack(finite).all():
        raise PluginError(f"{who} gave intensities that are not finite")


def other_axes(who: str, found: Sequence[Axis], expected: Sequence[Axis]) -> PluginError:
    """An error that says that a pattern lies on other axes than it was said to."""
    names = [", ".join(f"{axis.name} ({axis.size})" for axis in axes) for axes in (found, expected)]
    return PluginError(f"{who} gave a pattern on {names[0]}; its axes are {names[1]}")


def check_recording(
    recording: Recording, instrument: Instrument, projected: Pattern, who: str
) -> None:
    """Check what an instrument recorded.

    Raises:
        PluginError: It is not of the type and on the axes that the instrument states, not finite,
            or has a mask where it states none, or none where it states one.
    """
    counts, grid = recording.counts, grid_of(projected.axes)
    if not isinstance(counts, np.ndarray) or counts.shape[1:] != grid or not len(counts):
        raise PluginError(f"{who} recorded {described(counts)}; expected an array (c, {grid})")
    if counts.dtype != np.dtype(instrument.dtype):
        raise PluginError(f"{who} recorded {counts.dtype}; it states {instrument.dtype}")
    if not np.isfinite(counts).all():
        raise PluginError(f"{who} recorded numbers that are not finite")
    seen = recording.seen
    if (seen is not None) != instrument.masks:
        states = "a mask" if instrument.masks else "no mask"
        raise PluginError(
            f"{who} recorded {'no mask' if seen is None else 'one'}; it states {states}"
        )
    if seen is not None and (seen.shape != grid or seen.dtype != np.bool_):
        raise PluginError(
            f"{who} gave a mask {seen.shape} of {seen.dtype}; expected {grid} of bool"
        )
