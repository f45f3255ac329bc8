"""Shows a measured file: what was read of it and what was assumed, in words and in a figure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crystalvision.console import err, out, print_json
from crystalvision.errors import InputError
from crystalvision.figures import draw_measured
from crystalvision.measured_files import Readers, frame_json, frame_text, shown_numbers
from crystalvision_simulate.pictures import check_output, refuse_source, save_figure


def show_measured(
    path: Path,
    chosen: int | None,
    readers: Readers,
    *,
    reader: str | None,
    output: Path | None,
    dpi: int,
    overwrite: bool,
    json: bool,
) -> None:
    """Print and draw patterns of a measured file.

    Args:
        path: The file.
        chosen: Which of its patterns; by default the first ones.
        readers: What reads files.
        reader: Name of the reader to use; by default the one that knows the file.
        output: The figure; by default named after the file.
        dpi: Pixels an inch.
        overwrite: Whether to replace a figure that is there.
        json: Whether to write JSON instead of text.

    Raises:
        InputError: The file is damaged, or has no such pattern.
    """
    figure = output or Path(f"{path.stem}.png" if chosen is None else f"{path.stem}-{chosen}.png")
    refuse_source(figure, [path])
    destination = check_output(figure, overwrite=overwrite)
    with readers.open(path, reader) as file:
        count = len(file.frames)
        numbers = shown_numbers(path, count, chosen)
        frames = [file.frames[number] for number in numbers]
        facts = [(number, frame_text(file, number)) for number in numbers]
        described = [frame_json(file, number) for number in numbers] if json else []
        recordings = [file.read(number) for number in numbers]
        notes, name = list(file.notes), file.format
    save_figure(draw_measured(path.name, frames, recordings), destination, dpi=dpi)
    if json:
        parts: dict[str, Any] = {"format": name, "patterns": count, "notes": notes}
        print_json({"figure": figure, "file": path, **parts, "shown": described})
        return
    few = "" if len(frames) == count else f", of which the first {len(frames)} are shown"
    several = f"{count:,} patterns{few}" if chosen is None else f"pattern {chosen} of {count:,}"
    out.print(f"{path}: {name}, {several if count > 1 else '1 pattern'}", soft_wrap=True)
    for (number, pairs), frame in zip(facts, frames, strict=True):
        if count > 1:
            out.print(f"[{number}] {frame.title}".strip(), soft_wrap=True)
        for title, text in pairs:
            out.print(f"  {title}: {text}", soft_wrap=True)
    for note in notes:
        err.print(f"note: {path}: {note}", soft_wrap=True)
    out.print(f"written to {figure}", soft_wrap=True)


def refuse_idle(path: Path, given: Mapping[str, object]) -> None:
    """Refuse options that mean nothing for a measured file.

    Raises:
        InputError: One was given.
    """
    for option, value in given.items():
        if value:
            raise InputError(f"{option}: {path} is a measured file, for which it means nothing")
