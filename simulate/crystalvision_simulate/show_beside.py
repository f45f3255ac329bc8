"""Shows a measured picture beside simulated ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from crystalvision.console import out
from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.figures import drawing
from crystalvision.measured_files import Readers
from crystalvision.plugins import Catalogue
from crystalvision_simulate.pictures import (
    Choice,
    Panel,
    PatternView,
    Query,
    check_output,
    draw_beside,
    refuse_source,
    save_figure,
    views_of,
)


def show_beside(
    measured: tuple[Path, int | None],
    subject: Query,
    catalogue: Catalogue,
    *,
    overrides: Sequence[str],
    choice: Choice,
    reader: str | None,
    output: Path | None,
    dpi: int,
    overwrite: bool,
) -> None:
    """Draw a measured picture and samples of a recipe or a dataset on one scale.

    Args:
        measured: The file, and which of its patterns; by default the first.
        subject: The recipe or the dataset.
        catalogue: Where names are looked up.
        overrides: Values of the recipe to set.
        choice: Which of its samples.
        reader: Name of the reader to use; by default the one that knows the file.
        output: The figure; by default named after both.
        dpi: Pixels an inch.
        overwrite: Whether to replace a figure that is there.

    Raises:
        InputError: The file states no calibration in 1/Å, or is no picture; or as for `views_of`.
    """
    path, chosen = measured
    figure = output or Path(f"{path.stem}-{subject.stem}.png")
    refuse_source(figure, [path])
    destination = check_output(figure, overwrite=overwrite)
    panels = [_measured(path, chosen or 0, Readers(catalogue), reader)]
    views = views_of(subject, catalogue, overrides, choice)
    panels += [_simulated(view.patterns[-1], f"{subject.title}: {view.name}") for view in views]
    with drawing():
        save_figure(draw_beside(panels), destination, dpi=dpi)
    out.print(f"written to {figure}", soft_wrap=True)


def _measured(path: Path, number: int, readers: Readers, reader: str | None) -> Panel:
    with readers.open(path, reader) as file:
        if number >= len(file.frames):
            raise InputError(
                f"{path}[{number}]: expected an index from 0 to {len(file.frames) - 1}"
            )
        frame, recording = file.frames[number], file.read(number)
    axes = _across(frame.axes or ())
    if axes is None:
        raise InputError(
            f"{path}: states no pixels in 1/Å, so nothing can stand beside it on one scale; "
            "calibrate it, and show what crystalvision calibrate --corrected writes"
        )
    counts = recording.counts.reshape(-1, *frame.grid)[0].astype(np.float64)
    seen = None if recording.seen is None else recording.seen.reshape(-1, *frame.grid)[0]
    return Panel(path.name, counts, seen, axes)


def _simulated(pattern: PatternView, title: str) -> Panel:
    axes = _across(pattern.axes)
    if axes is None:
        raise InputError(
            f"{title}: lies on {', '.join(axis.name for axis in pattern.axes)}; expected patterns "
            "on q_y and q_x in 1/Å"
        )
    return Panel(title, np.asarray(pattern.image[0], dtype=np.float64), None, axes)


def _across(axes: Sequence[object]) -> tuple[Axis, Axis] | None:
    """Both axes, if they lie across the beam in 1/Å."""
    even = [axis for axis in axes if isinstance(axis, Axis) and axis.units == "1/angstrom"]
    return (even[0], even[1]) if len(even) == len(axes) == 2 else None
