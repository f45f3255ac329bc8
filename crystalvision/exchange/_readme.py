"""The README of an exported folder."""

from collections.abc import Sequence

from crystalvision.exchange._selection import Selection
from crystalvision.text import inline


def readme(selection: Selection, title: str, sections: Sequence[tuple[str, str]]) -> str:
    """What the folder holds, for a person.

    Args:
        selection: What was exported.
        title: What it is, such as `images`.
        sections: Further sections: heading and text.
    """
    header = selection.dataset.header
    name = inline(header.name or "A dataset")
    channels, height, width = header.image_shape
    lines = [
        f"# {name}, as {title}",
        "",
        f"{len(selection):,} labelled diffraction images of {height} × {width} pixels"
        + (f" and {channels} channels" if channels > 1 else "")
        + f", exported by CrystalVision (split: {selection.split}).",
        "",
        f"Identity of the dataset: `{selection.dataset.identity}`",
        "",
        "## Classes",
        "",
        "| label | class | severity |",
        "|---|---|---|",
    ]
    for label, (name, severity) in enumerate(
        zip(header.class_names, header.class_severities, strict=True)
    ):
        lines.append(f"| {label} | {inline(name)} | {severity:g} |")
    lines += ["", "## Calibration", "", "Pixel i lies at offset + scale · i.", ""]
    lines += ["| axis | scale | offset | units |", "|---|---|---|---|"]
    for axis, what in zip(header.axes, ("rows", "columns"), strict=True):
        name, units = inline(axis.name), inline(axis.units)
        lines.append(f"| {name} ({what}) | {axis.scale!r} | {axis.offset!r} | {units} |")
    lines += ["", "## Columns", "", "| column | units | meaning |", "|---|---|---|"]
    for column, about in header.columns.items():
        cells = map(inline, (column, about.units, about.description))
        lines.append(f"| {' | '.join(cells)} |")
    for heading, text in sections:
        lines += ["", f"## {heading}", "", text]
    return "\n".join(lines) + "\n"
