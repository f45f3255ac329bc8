"""Candidates beside a run: what it can recognise without being trained on it."""

from pathlib import Path
from typing import Annotated

import typer

from crystalvision.cli._library import Draws
from crystalvision.cli._state import State
from crystalvision.console import err, out, print_json
from crystalvision.errors import InputError

app = typer.Typer(rich_markup_mode="markdown", help=__doc__)
RunPath = Annotated[Path, typer.Argument(help="The run folder; its head gives an embedding.")]


@app.command()
def add(
    ctx: typer.Context,
    run: RunPath,
    places: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PLACE]...",
            help="Files and folders with candidates, such as a folder of CIF files. Without any: "
            "those that the run was trained on.",
            show_default=False,
        ),
    ] = None,
    *,
    draws: Draws = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
) -> None:
    """Add candidates to the library of a run.

    What a pattern of each would look like is computed and placed once, and kept in the folder
    `library` of the run. One that is there already stays as it is.
    """
    from crystalvision.api.matches import note_left_out, place_candidates
    from crystalvision.library import added, load_library, save_library
    from crystalvision.prediction import Predictor
    from crystalvision.training import choose_device

    state: State = ctx.obj
    chosen = choose_device(device)
    state.session.begin(chosen.type)
    known = load_library(run)
    if known is not None and draws is not None and draws != known.draws:
        raise InputError(
            f"--draws {draws}: the library of {run} has places of {known.draws}; leave it out, or "
            f"delete {run / 'library'} and add all candidates again"
        )
    predictor = Predictor.load(run, catalogue=state.catalogue, device=chosen)
    found = place_candidates(predictor, state.catalogue, places or [], draws, known)
    library = added(known, found.library)
    folder = save_library(library, run)
    note_left_out(found.left_out)
    before = 0 if known is None else len(known)
    out.print(
        f"{folder}: {len(library) - before:,} candidates added, {len(library):,} in all",
        soft_wrap=True,
    )


@app.command()
def info(
    run: RunPath,
    *,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List the candidates in the library of a run."""
    from rich.table import Table

    from crystalvision.library import load_library

    library = load_library(run)
    if library is None:
        raise InputError(f"{run} has no library; crystalvision library add {run} FOLDER makes one")
    if json:
        rows = [
            {
                "name": entry.name,
                "place": entry.place,
                "elements": list(entry.elements),
                **entry.facts,
            }
            for entry in library.entries
        ]
        print_json({"run": str(run), "draws": library.draws, "candidates": rows})
        return
    table = Table(box=None)
    facts = list(dict.fromkeys(key for entry in library.entries for key in entry.facts))
    for heading in ("candidate", *(each.replace("_", " ") for each in facts), "from"):
        table.add_column(heading, overflow="fold")
    for entry in library.entries:
        table.add_row(entry.name, *(entry.facts.get(key, "") for key in facts), entry.place)
    out.print(table)
    err.print(f"{len(library):,} candidates", style="dim")
