"""The text of a card."""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from crystalvision.cards._facts import Facts
from crystalvision.cards._licence import licence_url
from crystalvision.cards._origin import Origin
from crystalvision.cards._summary import ColumnRange, Summary
from crystalvision.cards._text import IN_URLS, citation_of, number, unit_of
from crystalvision.contracts import CrystalFacts
from crystalvision.datasets import Axis, DatasetHeader
from crystalvision.datasets._splits import SPLIT_NAMES
from crystalvision.text import code, fenced, inline, one_line, paragraphs
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
    description = facts.description or (header.description or origin.summary)
    sections = [
        [f"# {inline(summary.name)}", MARK, paragraphs(description)],
        [f"![Sample patterns of each class, and how parameters are distributed]({figure})"],
        _content(header, summary),
        _columns(summary.columns),
        _making(header, origin),
        _limits(origin),
        _loading(),
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
    channels, height, width = header.image_shape
    kind = "values without noise" if header.dtype == "float32" else "raw detector counts"
    plural = "s" if header.samples > 1 else ""
    yield "## What it holds"
    yield (
        f"{header.samples:,} sample{plural}. Images are {header.dtype} `(channel, q_y, q_x)` = "
        f"{channels} × {height} × {width}: {kind}, not normalised."
    )
    yield _table(
        ("axis", "pixels", "pixel size", "first pixel", "last pixel"), map(_axis_row, header.axes)
    )
    rows = [
        (inline(each.name), f"{each.severity:g}", *map(str, each.splits), str(sum(each.splits)))
        for each in summary.classes
    ]
    totals = [sum(each.splits[part] for each in summary.classes) for part in range(3)]
    rows.append(("*all*", "", *map(str, totals), str(sum(totals))))
    yield _table(("class", "severity", *SPLIT_NAMES, "samples"), rows)
    yield (
        "The label is the class's place in this table, from 0. The split is stored with the data "
        "and keeps samples of one specimen together."
    )


def _axis_row(axis: Axis) -> tuple[str, ...]:
    values = axis.values()
    unit = unit_of(axis.units)
    lengths = (f"{value:.6g} {unit}".strip() for value in (axis.scale, values[0], values[-1]))
    return (code(axis.name), str(axis.size), *map(inline, lengths))


def _columns(columns: Sequence[ColumnRange]) -> Iterator[str]:
    yield "## Columns"
    yield "One number for each sample."
    rows = []
    for each in columns:
        whole = each.column.dtype not in {"float32", "float64"}
        ends = (number(value, whole=whole) for value in (each.low, each.median, each.high))
        unit = inline(unit_of(each.column.units)) or "–"
        rows.append((code(each.name), unit, *ends, inline(each.column.description)))
    yield _table(("column", "unit", "least", "median", "greatest", "meaning"), rows)
    yield (
        "Beside them are stored `split` (0 train, 1 validation, 2 test), `subset_rank` (within its "
        "part; ranks below k are a stratified subset of k), and checksums of each image and row."
    )


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


def _loading() -> Iterator[str]:
    yield "## How to load it"
    yield "With CrystalVision, in the dataset's own folder, the one of this file:"
    yield fenced(
        "from crystalvision.datasets import Dataset\n\n"
        'dataset = Dataset.open(".")\n'
        'train = dataset.split("train")\n'
        'images, labels = dataset.images(train), dataset.column("label")[train]\n',
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
    yield fenced(
        "import zarr\n\n"
        'group = zarr.open_group(".", mode="r")\n'
        'image, label = group["images"][0], group["label"][0]\n',
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
