"""What `library` and `predict` share: placing candidates, and showing which a pattern is like."""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.console import err, out, print_json, progress
from crystalvision.errors import InputError
from crystalvision.text import csv_writer, json_text

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.library import Embedded, Library, Matches
    from crystalvision.plugins import Catalogue
    from crystalvision.prediction import Predictor

_SHOWN = 8  # of what was left out

Draws = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=1000,
        help="Expected patterns of each candidate, with all that varies drawn anew, whose mean "
        "place is kept; 0 for one with everything at the middle.  "
        "[default: 4, or that of the library]",
        show_default=False,
    ),
]


def placed(
    predictor: "Predictor",
    catalogue: "Catalogue",
    places: Sequence[Path],
    draws: int | None,
    known: "Library | None",
) -> "Embedded":
    """Candidates in files and folders, placed by a run.

    Raises:
        InputError: There are none, or the run cannot place any.
    """
    from crystalvision.library import DRAWS, candidates_for, check_embeds, embed_candidates

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


def library_of(
    predictor: "Predictor",
    catalogue: "Catalogue",
    candidates: Sequence[Path],
    *,
    stored: bool,
) -> "Library":
    """What patterns are to be compared with: the run's library, candidates in files, or both.

    Raises:
        InputError: The run has no library, or no candidate is there.
    """
    from crystalvision.library import added, load_library

    known = load_library(predictor.path)
    if stored and known is None:
        raise InputError(
            f"--library: {predictor.path} has none; crystalvision library add {predictor.path} "
            "FOLDER makes one"
        )
    if not candidates and known is not None:
        return known
    found = placed(predictor, catalogue, candidates, None, known)
    note_left_out(found.left_out)
    return added(known if stored else None, found.library)


def show_matches(
    names: Sequence[str],
    matches: "Matches",
    *,
    json: bool,
    csv: bool,
    output: Path | None,
) -> None:
    """Write which candidates patterns are like, to stdout and to a file.

    Raises:
        StorageError: The disk refuses.
    """
    from crystalvision.storage import write_text

    if output is not None:
        text = (
            _as_csv(names, matches)
            if output.suffix == ".csv"
            else json_text(_as_json(names, matches), indent=2) + "\n"
        )
        write_text(output, text)
    if json:
        print_json(_as_json(names, matches))
    elif csv:
        out.write(_as_csv(names, matches))
    else:
        _print_table(names, matches)


def joined(parts: "Iterable[Matches]") -> "Matches":
    """Matches of patterns one after the other."""
    from dataclasses import replace

    import numpy as np

    several = list(parts)
    index, similarity, probability = (
        np.concatenate([getattr(each, name) for each in several])
        for name in ("index", "similarity", "probability")
    )
    return replace(several[0], index=index, similarity=similarity, probability=probability)


def _as_json(names: Sequence[str], matches: "Matches") -> dict[str, object]:
    return {
        "candidates": len(matches.library),
        "predictions": [
            {"image": name, "candidates": list(rows)}
            for name, rows in zip(names, _rows(matches), strict=True)
        ],
    }


def _rows(matches: "Matches") -> list[list[dict[str, object]]]:
    alike, entries = matches.alike, matches.library.entries
    return [
        [
            {
                "name": entries[index].name,
                "similarity": round(float(matches.similarity[pattern, rank]), 6),
                "probability": round(float(matches.probability[pattern, rank]), 6),
                "like_the_first": bool(alike[pattern, rank]),
                "place": entries[index].place,
                "elements": list(entries[index].elements),
                **entries[index].facts,
            }
            for rank, index in enumerate(row)
        ]
        for pattern, row in enumerate(matches.index.tolist())
    ]


def _as_csv(names: Sequence[str], matches: "Matches") -> str:
    """A line for each pattern and candidate."""
    table = io.StringIO()
    writer = csv_writer(table)
    writer.writerow(["image", "rank", "candidate", "similarity", "probability", "like_the_first"])
    for name, rows in zip(names, _rows(matches), strict=True):
        for rank, row in enumerate(rows, start=1):
            cells = (row["name"], row["similarity"], row["probability"], row["like_the_first"])
            writer.writerow([name, rank, *cells])
    return table.getvalue()


def _print_table(names: Sequence[str], matches: "Matches") -> None:
    from rich.table import Table

    table = Table(box=None)
    table.add_column("image", overflow="fold")
    table.add_column("candidate", overflow="fold")
    for heading in ("similarity", "probability"):
        table.add_column(heading, justify="right", no_wrap=True)
    tied = False
    for name, rows in zip(names, _rows(matches), strict=True):
        for rank, row in enumerate(rows):
            same = bool(rank and row["like_the_first"])
            tied |= same
            table.add_row(
                "" if rank else name,
                f"{'= ' if same else ''}{row['name']}",
                f"{row['similarity']:.3f}",
                f"{row['probability']:.3f}",
            )
    out.print(table)
    if tied:
        out.print("= the run hardly tells it from the first: take both, or neither", style="dim")
