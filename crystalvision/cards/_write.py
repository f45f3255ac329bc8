"""Writes the card of a dataset."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from crystalvision.cards._croissant import croissant
from crystalvision.cards._facts import Facts
from crystalvision.cards._figure import figure_png
from crystalvision.cards._front_matter import facts_from, front_matter, read_front_matter
from crystalvision.cards._origin import origin_of
from crystalvision.cards._readme import MARK, notes_of, readme
from crystalvision.cards._summary import summarise
from crystalvision.datasets import CARD_FIGURE, CARD_METADATA, CARD_TEXT, Dataset, DatasetWriter
from crystalvision.errors import InputError
from crystalvision.small_files import read_small
from crystalvision.storage import Destination, disk_errors, whole_file, write_file


@dataclass(frozen=True, slots=True)
class Card:
    """What was written.

    Attributes:
        path: The dataset.
        files: The card's files, by their names in it.
        facts: What the card states beside what the dataset tells by itself.
    """

    path: Path
    files: tuple[str, ...]
    facts: Facts


def write_card(
    path: str | Path,
    *,
    licence: str | None = None,
    creators: Iterable[str] | None = None,
    organisations: Iterable[str] | None = None,
    description: str | None = None,
    citation: str | None = None,
    published: str | date | None = None,
    url: str | None = None,
    overwrite: bool = False,
    figure: bool = True,
) -> Card:
    """Write the card of a finished dataset: `README.md`, `card.png` and `croissant.json`.

    What is None stays as the card that is there states it; an empty text or list takes it out. From
    a card of other data, which these replaced, only licence and creators stay. The same dataset and
    facts give the same files, byte by byte.

    Args:
        path: The dataset's folder.
        licence: SPDX identifier, such as `CC-BY-4.0`.
        creators: Names of people.
        organisations: Names of organisations.
        description: What the dataset is, instead of the recipe's own description.
        citation: How to cite it.
        published: The day of publication, such as `2026-05-31`.
        url: Its web page.
        overwrite: Replace a `README.md` that is no card.
        figure: Draw the figure also where there is one.

    Raises:
        InputError: There is no finished dataset, another process is writing it, a fact is wrong, or
            a `README.md` of somebody else is there.
        StorageError: The disk refused, or the data are damaged.
    """
    path = Path(path)
    dataset = Dataset.open(path)
    changes = {
        "licence": licence,
        "creators": None if creators is None else tuple(creators),
        "organisations": None if organisations is None else tuple(organisations),
        "description": description,
        "citation": citation,
        "published": published,
        "url": url,
    }
    with DatasetWriter.hold(path, dataset.header):
        text = Destination.look(path / CARD_TEXT)  # what is noted there meanwhile is not lost
        earlier = _earlier_text(path, overwrite=overwrite)
        keys = read_front_matter(path / CARD_TEXT, earlier)
        facts = facts_from(path / CARD_TEXT, keys, dataset.identity).with_changes(changes)
        notes = notes_of(earlier)
        drawn = figure or not (path / CARD_FIGURE).is_file()
        files = _contents(dataset, facts, keys, notes, figure=drawn)
        for name, content in files.items():
            if name != CARD_TEXT:
                write_file(path / name, content)
        with whole_file(text) as partial:
            partial.write_bytes(files[CARD_TEXT])
    return Card(path, tuple(files), facts)


def _contents(
    dataset: Dataset, facts: Facts, keys: dict[str, Any], notes: str, *, figure: bool
) -> dict[str, bytes]:
    """The files of a card, the text last.

    Args:
        dataset: The dataset.
        facts: What its creators state.
        keys: The front matter of the card that is there.
        notes: What stands below that card.
        figure: Whether the figure is drawn.
    """
    header = dataset.header
    summary = summarise(dataset)
    origin = origin_of(header, summary.name)
    head = front_matter(header, facts, name=summary.name, synthetic=origin.synthetic, earlier=keys)
    body = readme(header, summary, origin, facts, CARD_FIGURE)
    return {
        **({CARD_FIGURE: figure_png(dataset)} if figure else {}),
        CARD_METADATA: croissant(dataset.path, header, summary, origin, facts),
        CARD_TEXT: f"{head}\n{body}{notes}".encode(),
    }


def refresh_card(path: str | Path, *, figure: bool = True) -> bool:
    """Write the card of a dataset again, if it has one; whether it has.

    Args:
        path: The dataset's folder.
        figure: Whether its figure is drawn again, too; splits do not show in it.

    Raises:
        InputError: As `write_card`.
        StorageError: As `write_card`.
    """
    text = Path(path) / CARD_TEXT
    if not text.is_file() or MARK not in _read(text):
        return False
    write_card(path, figure=figure)
    return True


def _earlier_text(path: Path, *, overwrite: bool) -> str:
    """The card that is there, or "" for none."""
    file = path / CARD_TEXT
    if not file.exists():
        return ""
    text = _read(file)
    if MARK in text:
        return text
    if overwrite:
        return ""
    raise InputError(
        f"{file}: exists and is no card of crystalvision; move it elsewhere, or replace it by "
        "--overwrite"
    )


def _read(file: Path) -> str:
    with disk_errors(file, "read"):
        return read_small(file).decode("utf-8", errors="replace")
