"""The text of a card."""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from crystalvision.cards._facts import Facts
from crystalvision.cards._licence import licence_url
from crystalvision.cards._origin import Origin
from crystalvision.cards._summary import ColumnRange, Summary
from crystalvision.cards._text import IN_URLS, citation_of, kind_of, number
from crystalvision.contracts import CrystalFacts
from crystalvision.datasets import SPLIT_NAMES, Axis, DatasetHeader
from crystalvision.text import (
    axis_symbol,
    code,
    fenced,
    inline,
    one_line,
    paragraphs,
    quantity_text,
    unit_text,
)
from crystalvision.yaml_text import dump_yaml

NOTES = "<!-- What you write below this line is kept when the card is written again. -->"
_NOTES_LINE = re.compile(rf"^{re.escape(NOTES)}[ \t\r]*$", re.MULTILINE)
MARK = "<!-- Written by `crystalvision dataset card`, which replaces it up to the last comment. -->"


def readme(
    header: DatasetHeader, summary: Summary, origin: Origin, facts: Facts, figure: str
) -> str:
    """The card without its front matter, down to the line below which notes are kept.

    It does not say what the dataset's folder is called: data that are the same have the same card,
    wherever they are, and it stays true when they are moved.

    Args:
        header: What the dataset is.
        summary: Its numbers.
        origin: Where it comes from.
        facts: What its creators state.
        figure: The figure's file.
    """
    description = facts.description or header.description or origin.summary
    of_classes = " of each class" if summary.classes else ""
    sections = [
        [f"# {inline(summary.name)}", MARK, paragraphs(description)],
        [f"![Sample patterns{of_classes}, and how parameters are distributed]({figure})"],
        _content(header, summary),
        _columns(header, summary.columns),
        _making(header, origin),
        _limits(origin),
        _loading(header),
        _licence(facts),
        _citation(header, summary, facts),
    ]
    text = "\n\n".join(part.rstrip() for section in sections for part in section)
    # In what is quoted, such as a citation, the line that parts the card from its notes is none.
    return f"{_NOTES_LINE.sub(f' {NOTES}', text)}\n\n{NOTES}\n"


def notes_of(card: str) -> str:
    """What a person wrote below a card, whose front matter may be there or not."""
    found = _NOTES_LINE.search(card)
    return card[found.end() :].removeprefix("\n") if found else ""


def _content(header: DatasetHeader, summary: Summary) -> Iterator[str]:
    kind = "values without noise" if header.dtype == "float32" else "raw detector counts"
    plural = "s" if header.samples > 1 else ""
    dimensions = ", ".join(("channel", *(axis.name for axis in header.axes)))
    yield "## What it holds"
    yield (
        f"{header.samples:,} sample{plural}. {kind_of(header).capitalize()} are {header.dtype} "
        f"`({dimensions})` = {' × '.join(map(str, header.image_shape))}: {kind}, not normalised."
    )
    point, step = ("pixel", "pixel size") if len(header.axes) == 2 else ("point", "step")
    yield _table(
        ("axis", f"{point}s", step, f"first {point}", f"last {point}"), map(_axis_row, header.axes)
    )
    if header.seen is not None:
        yield _seen(header, point)
    yield _table(*_samples(summary))
    order = "The label is the class's place in this table, from 0. " if summary.classes else ""
    yield f"{order}The split is stored with the data and keeps samples of one specimen together."


def _samples(summary: Summary) -> tuple[Sequence[str], list[Sequence[str]]]:
    """How many samples each class has in each split: the head of a table and its rows."""
    severe = any(each.severity is not None for each in summary.classes)
    rows: list[Sequence[str]] = []
    for each in summary.classes:
        severity = [f"{each.severity:g}"] if each.severity is not None else []
        rows.append((inline(each.name), *severity, *map(str, each.splits), str(sum(each.splits))))
    blank = [""] * severe
    rows.append(("*all*", *blank, *map(str, summary.splits), str(sum(summary.splits))))
    first = "class" if summary.classes else "samples of"
    return (first, *["severity"] * severe, *SPLIT_NAMES, "samples"), rows


def _seen(header: DatasetHeader, point: str) -> str:
    mask = header.seen_mask()
    if mask is None:
        return (
            f"Some {point}s were not measured; which, the array `seen` tells for each sample. They "
            "are no zeros."
        )
    return (
        f"{100 * mask.mean():.3g} % of the {point}s were measured, the same in all samples: the "
        "array `seen` tells which. The others are no zeros."
    )


def _axis_row(axis: Axis) -> tuple[str, ...]:
    values = axis.values()
    lengths = (quantity_text(value, axis.units) for value in (axis.scale, values[0], values[-1]))
    symbol = axis_symbol(axis.name)
    name = code(axis.name) if symbol == axis.name else f"{symbol} ({code(axis.name)})"
    return (name, str(axis.size), *map(inline, lengths))


def _columns(header: DatasetHeader, columns: Sequence[ColumnRange]) -> Iterator[str]:
    yield "## Columns"
    if any(each.column.shape for each in columns):
        yield "One value for each sample: a number, or an array of the shape in brackets."
    else:
        yield "One number for each sample."
    targets = header.targets
    rows = []
    for each in columns:
        whole = each.column.dtype not in {"float32", "float64"}
        ends = (number(value, whole=whole) for value in (each.low, each.median, each.high))
        unit = inline(unit_text(each.column.units)) or "–"
        shape = f" ({', '.join(map(str, each.column.shape))})" if each.column.shape else ""
        task = inline(targets[each.name].task) if each.name in targets else "–"
        rows.append((f"{code(each.name)}{shape}", unit, *ends, task, inline(_meaning(each))))
    yield _table(("column", "unit", "least", "median", "greatest", "task", "meaning"), rows)
    yield (
        "Beside them are stored `split` (0 train, 1 validation, 2 test), `subset_rank` (within its "
        "part; ranks below k are a stratified subset of k), and checksums of each image and row."
    )


def _meaning(each: ColumnRange) -> str:
    """What a column means; the classes of the label are in a table of their own."""
    parts = [each.column.description]
    if each.column.classes and each.name != "label":
        parts.append(
            ", ".join(f"{place}: {name}" for place, name in enumerate(each.column.classes))
        )
    if each.column.symmetry:
        parts.append(f"symmetry {each.column.symmetry}")
    return "; ".join(filter(None, parts))


def _making(header: DatasetHeader, origin: Origin) -> Iterator[str]:
    yield "## How it was made"
    yield paragraphs(origin.collection)
    if header.crystals:
        yield "\n".join(f"- {inline(line)}" for line in _crystals(header.crystals))
    yield (
        f"Identity: `{header.identity}`, a SHA-256 over recipe, seed and sizes. Datasets with one "
        "identity hold the same samples."
    )
    if header.provenance.command:
        yield "To make it again, save the recipe below as `recipe.yaml` and run"
        yield fenced(f"{one_line(header.provenance.command)} -o again.zarr\n", "console")
    text = dump_yaml(header.provenance.shown(), width=96, flow=None)
    yield f"<details>\n<summary>The recipe</summary>\n\n{fenced(text, 'yaml')}\n\n</details>"


def _crystals(crystals: Sequence[CrystalFacts]) -> Iterator[str]:
    """The ideal crystals, and what was assumed of them."""
    for facts in crystals:
        assumed = f"; assumed: {'; '.join(facts.assumed)}" if facts.assumed else ""
        yield f"Ideal crystal: {facts}{assumed}."


def _limits(origin: Origin) -> Iterator[str]:
    if origin.limits:
        yield "## Limits"
        yield "\n".join(f"- {inline(limit)}" for limit in origin.limits)


def _loading(header: DatasetHeader) -> Iterator[str]:
    named = next(iter(header.targets), "")  # label, where there is one
    also = (", values", f', dataset.column("{named}")[train]') if named else ("", "")
    if named == "label":
        also = (", labels", also[1])
    seen = "seen = dataset.seen(train)\n" if header.seen is not None else ""
    yield "## How to load it"
    yield "With CrystalVision, in the dataset's own folder, the one of this file:"
    yield fenced(
        "from crystalvision.datasets import Dataset\n\n"
        'dataset = Dataset.open(".")\n'
        'train = dataset.split("train")\n'
        f"images{also[0]} = dataset.images(train){also[1]}\n{seen}",
        "python",
    )
    yield "With xarray, as named dimensions with their calibration:"
    yield fenced(
        "import xarray\n\n"
        'data = xarray.open_zarr(".")\n'
        "test = data.isel(sample=(data.split == 2).values)\n",
        "python",
    )
    yield "With zarr 3 alone:"
    also = (also[0].removesuffix("s"), f', group["{named}"][0]') if named else also
    yield fenced(
        "import zarr\n\n"
        'group = zarr.open_group(".", mode="r")\n'
        f'image{also[0]} = group["images"][0]{also[1]}\n',
        "python",
    )


def _licence(facts: Facts) -> Iterator[str]:
    yield "## Licence"
    url = licence_url(facts.licence) if facts.licence else None
    if url:
        yield f"[{facts.licence}]({url})"
    elif facts.licence:
        yield inline(facts.licence)
    else:
        yield (
            "Not stated. Its creators state it with "
            "`crystalvision dataset card . --licence CC-BY-4.0`, or another "
            "[SPDX identifier](https://spdx.org/licenses)."
        )


def _citation(header: DatasetHeader, summary: Summary, facts: Facts) -> Iterator[str]:
    yield "## Creators and citation"
    names = [*facts.creators, *facts.organisations]
    yield f"{', '.join(map(inline, names))}." if names else "Creators: not stated."
    if facts.published:
        yield f"Published on {facts.published.isoformat()}."
    if facts.url:
        yield f"Web page: <{quote(facts.url, safe=IN_URLS)}>"
    yield fenced(f"{citation_of(header, summary.name, facts)}\n", "bibtex")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
