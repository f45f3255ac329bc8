"""Reads measured files: what they say of their patterns, and the numbers when asked.

Readers of formats are plugins; here the one for a file is chosen, and what it gives is checked.
Every pattern of a file counts. What a library would change on the way (palettes, a depth that it
scales, losses of a compression) is refused, so that counts stay what was measured; checksums are
verified where the format has any; and no header makes memory for more than `MAX_PIXELS`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from crystalvision.measured_files._describe import facts_text, frame_json, frame_text
from crystalvision.measured_files._gaps import (
    GapValues,
    as_counts,
    fill_gaps,
    find_gaps,
    parse_gap_values,
    saturated,
    without_counts,
)
from crystalvision.measured_files._limits import MAX_BYTES, MAX_PIXELS, check_size, content_of
from crystalvision.measured_files._lists import files_of_folder, files_of_list, is_list
from crystalvision.measured_files._open_file import Array, OpenFile
from crystalvision.measured_files._patterns import PatternFile, check_alike
from crystalvision.measured_files._patterns import open_pattern_file as _open_patterns
from crystalvision.measured_files._readers import Readers
from crystalvision.measured_files._resample import Placement, resample
from crystalvision.measured_files._show import shown_file, shown_numbers

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "Array",
    "GapValues",
    "OpenFile",
    "PatternFile",
    "Placement",
    "Readers",
    "as_counts",
    "check_size",
    "content_of",
    "facts_text",
    "files_of_folder",
    "files_of_list",
    "fill_gaps",
    "find_gaps",
    "frame_json",
    "frame_text",
    "is_list",
    "notes_text",
    "open_pattern_file",
    "parse_gap_values",
    "read_image_file",
    "resample",
    "saturated",
    "shown_file",
    "shown_numbers",
    "without_counts",
]


def open_pattern_file(
    path: Path,
    channels: int,
    choose: Callable[[int], Sequence[int]] | None = None,
    *,
    readers: Readers | None = None,
    reader: str | None = None,
) -> PatternFile:
    """Open a file and find its patterns; their numbers are read when they are asked for.

    Args:
        path: The file.
        channels: Channels of a pattern.
        choose: Gives the patterns to take of so many; by default all, which must be alike.
        readers: What reads files; by default what is installed.
        reader: Name of the reader to use; by default the one that knows the file.

    Raises:
        InputError: No such file, one that nobody reads, or patterns that do not fit.
    """
    return _open_patterns((readers or Readers()).open(path, reader), channels, choose)


def notes_text(notes: Mapping[str, Iterable[str]]) -> list[str]:
    """A line for each note, with the files that it is true of."""
    lines = []
    for note, paths in notes.items():
        files = list(paths)
        several = f"{len(files):,} files, the first is " if len(files) > 1 else ""
        lines.append(f"{several}{files[0]}: {note}")
    return lines


def read_image_file(path: Path, readers: Readers | None = None) -> Array:
    """Read all of a file as one array.

    Returns:
        (*grid), or (c, *grid) where it has several channels, or several patterns of one.

    Raises:
        InputError: No such file, one that nobody reads, or patterns that differ.
    """
    with (readers or Readers()).open(path) as file:
        check_alike(path, file.frames, range(len(file.frames)))
        images = [file.read(number).counts for number in range(len(file.frames))]
    return images[0] if len(images) == 1 else np.stack(images)
