"""The README of an exported folder."""

from collections.abc import Sequence

from crystalvision.datasets import DatasetHeader
from crystalvision.exchange._selection import Selection
from crystalvision.text import axis_symbol, inline, unit_text


def readme(selection: Selection, title: str, sections: Sequence[tuple[str, str]]) -> str:
    """What the folder holds, for a person.

    Args:
        selection: What was exported.
        title: What it is, such as `images`.
        sections: Further sections: heading and text.
    """
    header = selection.dataset.header
    name = inline(header.name or "A dataset")
    lines = [
        f"# {name}, as {title}",
        "",
        f"{len(selection):,} patterns of {_size(header)}, exported by CrystalVision",
        f"(split: {selection.split}).",
        "",
        f"Identity of the dataset: `{selection.dataset.identity}`",
        *_classes(header),
    ]
    lines += ["", "## Calibration", "", "Point i lies at offset + scale · i.", ""]
    lines += ["| axis | scale | offset | units |", "|---|---|---|---|"]
    ways = (" (rows)", " (columns)") if len(header.axes) == 2 else ("",) * len(header.axes)
    for axis, way in zip(header.axes, ways, strict=True):
        name, units = inline(axis_symbol(axis.name)), inline(unit_text(axis.units))
        lines.append(f"| {name}{way} | {axis.scale!r} | {axis.offset!r} | {units} |")
    lines += ["", "## Columns", "", "| column | units | meaning |", "|---|---|---|"]
    for column, about in header.columns.items():
        cells = map(inline, (column, unit_text(about.units), about.description))
        lines.append(f"| {' | '.join(cells)} |")
    for heading, text in sections:
        lines += ["", f"## {heading}", "", text]
    return "\n".join(lines) + "\n"


def _size(header: DatasetHeader) -> str:
    channels = header.image_shape[0]
    point = "pixels" if len(header.axes) == 2 else "points"
    size = f"{'×'.join(map(str, header.grid))} {point}"
    return f"{size} and {channels} channels" if channels > 1 else size


def _classes(header: DatasetHeader) -> list[str]:
    if not header.class_names:
        return []
    lines = ["", "## Classes", ""]
    if header.class_severities:
        lines += ["| label | class | severity |", "|---|---|---|"]
        severities = [f" {severity:g} |" for severity in header.class_severities]
    else:
        lines += ["| label | class |", "|---|---|"]
        severities = ["" for _ in header.class_names]
    for label, (name, severity) in enumerate(zip(header.class_names, severities, strict=True)):
        lines.append(f"| {label} | {inline(name)} |{severity}")
    return lines
