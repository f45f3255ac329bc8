"""Candidates beside a run: adding them, and saying which of them patterns are most like."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crystalvision.api.predictions import check_table, chunks, print_notes
from crystalvision.console import err, progress
from crystalvision.errors import InputError
from crystalvision.library import (
    DRAWS,
    Embedded,
    Library,
    Matches,
    added,
    candidates_for,
    check_embeds,
    embed_candidates,
    load_library,
    look_up,
    save_library,
)
from crystalvision.plugins import Catalogue
from crystalvision.prediction import Predictor
from crystalvision.storage import write_text
from crystalvision.text import csv_writer, json_text

if TYPE_CHECKING:
    import pandas as pd

    from crystalvision.api.predictions import Opened

_SHOWN = 8  # of what was left out
_COLUMNS = ("candidate", "similarity", "probability", "like_the_first")


@dataclass(frozen=True, slots=True)
class Matched:
    """Which candidates patterns are most like.

    Attributes:
        names: What each pattern is called, (n,).
        matches: The nearest candidates of each.
    """

    names: tuple[str, ...]
    matches: Matches

    @property
    def table(self) -> "pd.DataFrame":
        """A row for each pattern and candidate, the nearest candidate of each pattern first."""
        import pandas as pd

        ranks = range(1, self.matches.index.shape[1] + 1)
        index = pd.MultiIndex.from_product([self.names, ranks], names=["pattern", "rank"])
        rows = [[row[key] for key in _COLUMNS] for each in self.rows for row in each]
        return pd.DataFrame(rows, columns=list(_COLUMNS), index=index)

    @property
    def rows(self) -> list[list[dict[str, object]]]:
        """What there is to say of each candidate of each pattern, in JSON types."""
        found, entries = self.matches, self.matches.library.entries
        alike = found.alike
        return [
            [
                {
                    "candidate": entries[index].name,
                    "similarity": round(float(found.similarity[pattern, rank]), 6),
                    "probability": round(float(found.probability[pattern, rank]), 6),
                    "like_the_first": bool(alike[pattern, rank]),
                    "place": entries[index].place,
                    "elements": list(entries[index].elements),
                    **entries[index].facts,
                }
                for rank, index in enumerate(row)
            ]
            for pattern, row in enumerate(found.index.tolist())
        ]

    def as_json(self) -> dict[str, object]:
        """What becomes JSON: one mapping for each pattern."""
        return {
            "candidates": len(self.matches.library),
            "predictions": [
                {"image": name, "candidates": rows}
                for name, rows in zip(self.names, self.rows, strict=True)
            ],
        }

    def as_csv(self) -> str:
        """A line of headings, and one for each pattern and candidate."""
        table = io.StringIO()
        writer = csv_writer(table)
        writer.writerow(["image", "rank", *_COLUMNS])
        for name, rows in zip(self.names, self.rows, strict=True):
            for rank, row in enumerate(rows, start=1):
                writer.writerow([name, rank, *(row[key] for key in _COLUMNS)])
        return table.getvalue()

    def save(self, path: str | Path) -> None:
        """Write a file that ends in `.csv` or `.json`.

        Raises:
            InputError: Another ending.
            StorageError: The disk refuses.
        """
        path = check_table(Path(path))
        json = path.suffix == ".json"
        write_text(path, json_text(self.as_json(), indent=2) + "\n" if json else self.as_csv())

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return str(self.table.to_html(float_format="{:.3f}".format))


def add_candidates(
    predictor: Predictor, places: Sequence[Path], *, draws: int | None, catalogue: Catalogue
) -> Library:
    """Add candidates to the library of a run, and keep it; see `Run.add_candidates`.

    Raises:
        InputError: There are none, or the run cannot place any, or they would be places of another
            number of draws than those that are there.
        StorageError: The disk refuses.
    """
    known = load_library(predictor.path)
    if known is not None and draws is not None and draws != known.draws:
        raise InputError(
            f"--draws {draws}: the library of {predictor.path} has places of {known.draws}; leave "
            f"it out, or delete {predictor.path / 'library'} and add all candidates again"
        )
    found = _placed(predictor, places, draws, known, catalogue)
    library = added(known, found.library)
    save_library(library, predictor.path)
    _note_left_out(found.left_out)
    return library


def look_up_patterns(
    predictor: Predictor,
    opened: "Opened",
    *,
    places: Sequence[Path],
    library: bool,
    top: int,
    draws: int | None,
    catalogue: Catalogue,
) -> Matched:
    """Say which candidates patterns are most like; see `Run.look_up`.

    Args:
        predictor: The run.
        opened: The patterns, on its axes.
        places: Where candidates are.
        library: Whether those in the run's library are among them.
        top: How many to give of each pattern.
        draws: Expected patterns of those that are not in the library.
        catalogue: Where parts are looked up.

    Raises:
        InputError: No head of the run gives an embedding, or there are no candidates.
    """
    check_embeds(predictor)
    known = load_library(predictor.path)
    if library and known is None:
        raise InputError(
            f"{predictor.path} has no library: crystalvision library add {predictor.path} FOLDER "
            "makes one; or give candidates"
        )
    chosen = known if library else None
    if places:
        found = _placed(predictor, places, draws, known, catalogue)
        _note_left_out(found.left_out)
        chosen = added(chosen, found.library)
    if chosen is None:
        raise InputError("there is nothing to look for: give candidates, or a library")
    sources, names = opened.sources, opened.names
    parts = []
    with progress("predicting", len(names)) as advance:
        for source in sources:
            for chunk in chunks(predictor, source):
                parts.append(look_up(predictor, chosen, chunk, top=top))
                advance(len(chunk))
    print_notes(sources)
    return Matched(names, _joined(parts))


def _placed(
    predictor: Predictor,
    places: Sequence[Path],
    draws: int | None,
    known: Library | None,
    catalogue: Catalogue,
) -> Embedded:
    check_embeds(predictor)
    if draws is None:
        draws = DRAWS if known is None else known.draws
    with progress("reading candidates", None):
        candidates = candidates_for(predictor.record, catalogue, places)
    with progress("placing candidates", len(candidates)) as advance:
        return embed_candidates(predictor, candidates, draws=draws, known=known, advance=advance)


def _note_left_out(left_out: Mapping[str, str]) -> None:
    """Say which candidates there cannot be, and why."""
    for name, reason in list(left_out.items())[:_SHOWN]:
        err.print(f"note: {name} was left out: {reason}", soft_wrap=True)
    if len(left_out) > _SHOWN:
        err.print(f"note: {len(left_out) - _SHOWN} more were left out", soft_wrap=True)


def _joined(parts: Sequence[Matches]) -> Matches:
    """Matches of patterns one after the other."""
    index, similarity, probability = (
        np.concatenate([getattr(each, name) for each in parts])
        for name in ("index", "similarity", "probability")
    )
    return replace(parts[0], index=index, similarity=similarity, probability=probability)
