"""What `crystalvision benchmark` shows: how it proceeds, what it would do, and what came of it."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from crystalvision.benchmarks import Planned, ResultRow, Suite, score_columns
from crystalvision.console import err, out, print_json, styled

_TITLES = {"severity_mae": "severity error"}


def print_plan(planned: Planned, *, json: bool) -> None:
    """Show datasets and cells."""
    suite = planned.suite
    if json:
        print_json(_plan_data(planned))
        return
    out.print(f"{suite.title}: suite {suite.name}, budget {suite.budget or 'none'}")
    table = Table("dataset", "for", "patterns", "image", "recipe", box=None, pad_edge=False)
    for made in planned.sources.values():
        shape = "×".join(map(str, made.header.image_shape))
        plan = suite.datasets[made.name]
        recipe = plan.path or plan.recipe
        table.add_row(made.name, made.role, f"{made.header.samples:,}", shape, recipe)
    out.print(table)
    cells = Table("cell", "tested on", "begins with", box=None, pad_edge=False)
    for cell in planned.cells:
        begins = ", ".join(sorted({key.system for key in cell.needs}))
        cells.add_row(str(cell.key), ", ".join(cell.tests) or "nothing: lends branches", begins)
    out.print(cells)
    out.print(f"{len(planned.cells)} cells, {len(planned.sources)} datasets")


def print_results(suite: Suite, rows: Sequence[ResultRow]) -> None:
    """Show the table: one line for each system, what it was trained and tested on."""
    groups = _groups(suite, rows)
    about = ("system", "trained on", "patterns", "tested on")
    # What is the same in every line is said once, above them.
    same = [n for n in range(1, len(about)) if len({key[n] for key in groups}) == 1]
    shown = [n for n in range(len(about)) if n not in same]
    if same:
        first = next(iter(groups))
        out.print(", ".join(f"{about[n]}: {first[n]}" for n in same))
    table = Table(box=None, pad_edge=False)
    scores = score_columns(suite.target, rows)
    titles = (
        _TITLES.get(name, name.removeprefix(f"{suite.target}.").replace("_", " "))
        for name in scores
    )
    for name in (*(about[n] for n in shown), "seeds", *titles, "s"):
        # Numbers whole, names on as many lines as they take.
        table.add_column(styled(name), no_wrap=name not in about, overflow="fold")
    above: tuple[str, ...] = ()
    for key, group in groups.items():
        # What stands above is not said again, but for what it was tested on.
        table.add_row(
            *("" if key[: n + 1] == above[: n + 1] else key[n] for n in shown),
            str(len(group)),
            *(_mean([row.number(name) for row in group]) for name in scores),
            f"{statistics.fmean(row.training_seconds or 0 for row in group):.0f}",
        )
        above = key
    if groups:
        out.print(table)


def print_next(folder: Path) -> None:
    """Say what to open."""
    page = next(
        folder / name for name in ("report.html", "results.csv") if (folder / name).is_file()
    )
    err.print(f"next: open {page}", soft_wrap=True)


def print_failures(rows: Sequence[ResultRow], folder: Path) -> None:
    """Say how many cells failed, and where to look."""
    failed = [row.status for row in rows if row.status != "ok"]
    counts = ", ".join(f"{failed.count(status)} {status}" for status in sorted(set(failed)))
    cells = "1 cell" if len(failed) == 1 else f"{len(failed)} cells"
    err.print(
        f"{cells} failed: {counts}; see {folder}/failures; the same command with --resume tries "
        f"{'it' if len(failed) == 1 else 'them'} again",
        soft_wrap=True,
    )


def _groups(suite: Suite, rows: Sequence[ResultRow]) -> dict[tuple[str, ...], list[ResultRow]]:
    """The rows of each line: those that differ in nothing but the seed."""
    groups: dict[tuple[str, ...], list[ResultRow]] = {}
    for row in rows:
        if row.tested_on and not row.by:
            title = suite.systems[row.system].title or row.system
            line = (title, row.trained_on, str(row.train_patterns), row.tested_on)
            groups.setdefault(line, []).append(row)
    return groups


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    spread = f" ± {statistics.stdev(known):.3f}" if len(known) > 1 else ""
    return f"{statistics.fmean(known):.3f}{spread}"


def _plan_data(planned: Planned) -> dict[str, object]:
    return {
        "suite": planned.suite.name,
        "budget": planned.suite.budget,
        "datasets": [
            {
                "name": made.name,
                "role": made.role,
                "samples": made.header.samples,
                "image_shape": made.header.image_shape,
                "recipe": planned.suite.datasets[made.name].recipe,
                "path": planned.suite.datasets[made.name].path,
            }
            for made in planned.sources.values()
        ],
        "cells": [
            {
                **cell.key._asdict(),
                "tests": cell.tests,
                "starts": {
                    name: f"{key.folder}#{part}" for name, (key, part) in cell.starts.items()
                },
            }
            for cell in planned.cells
        ],
        "troubles": planned.troubles,
    }
