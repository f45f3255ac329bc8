"""Which candidates patterns are most like, whether or not a run was trained on them."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crystalvision.api.predictions import chunks, print_notes
from crystalvision.api.tables import check_table, write_table
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
)
from crystalvision.library import look_up as search_library
from crystalvision.plugins import Catalogue
from crystalvision.prediction import PatternSource, Predictor
from crystalvision.storage import Destination
from crystalvision.text import csv_writer

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 8  # of what was left out


@dataclass(frozen=True, slots=True)
class Matched:
    """Which candidates patterns are most like.

    Attributes:
        names: What each pattern is called, (n,).
        matches: The nearest candidates of each.
        left_out: Candidates that could not be looked for: name or file → why.
    """

    names: tuple[str, ...]
    matches: Matches
    left_out: Mapping[str, str]

    def as_json(self) -> dict[str, object]:
        """What becomes JSON: for each pattern its candidates, the nearest first."""
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
        columns = ("name", "similarity", "probability", "like_the_first")
        writer.writerow(["image", "rank", "candidate", *columns[1:]])
        for name, rows in zip(self.names, self.rows, strict=True):
            for rank, row in enumerate(rows, start=1):
                writer.writerow([name, rank, *(row[column] for column in columns)])
        return table.getvalue()

    def save(self, path: str | Path | Destination, *, overwrite: bool = False) -> None:
        """Write a file that ends in `.csv` or `.json`.

        Args:
            path: The file.
            overwrite: Whether one that is there may be replaced.

        Raises:
            InputError: Another ending, or a file that is there already.
            StorageError: The disk refuses.
        """
        write_table(check_table(path, overwrite=overwrite), self.as_csv(), self.as_json())

    @property
    def rows(self) -> list[list[dict[str, object]]]:
        """Of each pattern its candidates, the nearest first, in JSON types."""
        alike, entries = self.matches.alike, self.matches.library.entries
        return [
            [
                {
                    "name": entries[index].name,
                    "similarity": round(float(self.matches.similarity[pattern, rank]), 6),
                    "probability": round(float(self.matches.probability[pattern, rank]), 6),
                    "like_the_first": bool(alike[pattern, rank]),
                    "place": entries[index].place,
                    "elements": list(entries[index].elements),
                    **entries[index].facts,
                }
                for rank, index in enumerate(row)
            ]
            for pattern, row in enumerate(self.matches.index.tolist())
        ]

    @property
    def table(self) -> "pd.DataFrame":
        """A row for each pattern and candidate, the nearest candidate of each pattern first."""
        import pandas as pd

        found = self.matches
        ranks = range(1, found.index.shape[1] + 1)
        rows = pd.MultiIndex.from_product([self.names, ranks], names=["pattern", "rank"])
        columns = {
            "candidate": [name for names in found.names for name in names],
            "similarity": found.similarity.ravel(),
            "probability": found.probability.ravel(),
            "like_the_first": found.alike.ravel(),
        }
        return pd.DataFrame(columns, index=rows)

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return str(self.table.to_html(float_format="{:.3f}".format))


def check_candidates(predictor: Predictor, *, stored: bool) -> None:
    """Check, before any pattern is read, that a run compares patterns with candidates.

    Raises:
        InputError: The run places no patterns, or its library is asked for and there is none.
        StorageError: The library of the run cannot be read.
    """
    check_embeds(predictor)
    if stored and load_library(predictor.path) is None:
        raise InputError(
            f"{predictor.path} has no library: give candidates, or add some with crystalvision "
            f"library add {predictor.path} FOLDER"
        )


def look_up(
    predictor: Predictor,
    sources: Sequence[PatternSource],
    places: Sequence[Path],
    *,
    catalogue: Catalogue,
    stored: bool,
    top: int,
    draws: int | None,
) -> Matched:
    """Compare patterns on a run's axes with candidates; see `Run.look_up`.

    Raises:
        InputError: The run places no patterns, or there are no candidates.
        StorageError: The library of the run cannot be read.
    """
    known = load_library(predictor.path)
    library, left_out = known if stored else None, dict[str, str]()
    if places:
        found = place_candidates(predictor, catalogue, places, draws, known)
        note_left_out(found.left_out)
        library, left_out = added(library, found.library), dict(found.left_out)
    if library is None:
        raise InputError("there is nothing to compare with: give candidates, or the library")
    parts = []
    with progress("predicting", sum(map(len, sources))) as advance:
        for source in sources:
            for chunk in chunks(predictor, source):
                parts.append(search_library(predictor, library, chunk, top=top))
                advance(len(chunk))
    print_notes(sources)
    names = tuple(name for source in sources for name in source.names)
    return Matched(names, _joined(parts), left_out)


def place_candidates(
    predictor: Predictor,
    catalogue: Catalogue,
    places: Sequence[Path],
    draws: int | None,
    known: Library | None,
) -> Embedded:
    """Candidates in files and folders, placed by a run.

    Raises:
        InputError: There are none, or the run cannot place any.
    """
    check_embeds(predictor)
    if draws is None:
        draws = DRAWS if known is None else known.draws
    with progress("reading candidates", None):
        candidates = candidates_for(predictor.record, catalogue, places)
    with progress("placing candidates", len(candidates)) as advance:
        return embed_candidates(predictor, candidates, draws=draws, known=known, advance=advance)


def note_left_out(left_out: Mapping[str, str]) -> None:
    """Say which candidates there cannot be, and why."""
    for name, reason in list(left_out.items())[:_SHOWN]:
        err.print(f"note: {name} was left out: {reason}", soft_wrap=True)
    if len(left_out) > _SHOWN:
        err.print(f"note: {len(left_out) - _SHOWN} more were left out", soft_wrap=True)


def _joined(parts: Iterable[Matches]) -> Matches:
    """Matches of patterns one after the other."""
    several = list(parts)
    index, similarity, probability = (
        np.concatenate([getattr(each, name) for each in several])
        for name in ("index", "similarity", "probability")
    )
    return replace(several[0], index=index, similarity=similarity, probability=probability)
