"""`crystalvision dataset repair`."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.api.cards import refresh_card_or_say
from crystalvision.api.clusters import one_cluster
from crystalvision.cli._state import State
from crystalvision.cli.clusters import Scheduler, Workers
from crystalvision.cli.dataset._options import PROBLEMS_FOUND, DataPath, Json
from crystalvision.console import Advance, err, out, print_json, progress

if TYPE_CHECKING:  # --help must not wait for the imports
    from crystalvision.sources import Repair


def repair(
    ctx: typer.Context,
    path: DataPath,
    *,
    device: Annotated[
        str | None,
        typer.Option(help="Where to compute: cpu or cuda; by default where it was made."),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    json: Json = False,
) -> None:
    """Make damaged and missing shards of a dataset again, and write its metadata anew.

    The exit status is 0 if the dataset is whole then, 1 if something is left, 2 if it cannot be
    repaired.
    """
    from crystalvision.sources import repair as mend

    state: State = ctx.obj
    with ExitStack() as bars, one_cluster(workers, scheduler, device or "cpu") as cluster:

        def begin(what: str, total: int) -> Advance:
            bars.pop_all().close()  # the bar before this one
            return bars.enter_context(progress(what.capitalize(), total))

        done = mend(
            path,
            plugins=state.selection,
            catalogue=state.catalogue,
            device=device,
            cluster=cluster,
            begin=begin,
        )
    if done.found and not done.left:
        refresh_card_or_say(path)
    if json:
        print_json({"path": path, "whole": not done.left, **asdict(done)})
    else:
        _print_repair(path, done)
    if done.left:
        raise typer.Exit(PROBLEMS_FOUND)


def _print_repair(path: Path, done: "Repair") -> None:
    for name, (then, now) in done.other_software.items():
        err.print(
            f"note: the dataset was made by {name} {then or 'unknown'}, mended by {now}",
            soft_wrap=True,
        )
    for problem in done.left:
        out.print(f"left: {problem}", soft_wrap=True)
    if not done.found:
        out.print(f"{path}: whole, nothing to mend", soft_wrap=True)
        return
    problems = f"{_count(len(done.found), 'problem')} found, {len(done.left)} left"
    shards = f"{_count(len(done.remade), 'shard')} made again"
    out.print(f"{path}: {problems}; {shards}", soft_wrap=True)


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number < 2 else 's'}"
