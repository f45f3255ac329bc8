"""Runs a benchmark: datasets, cells, bounds, table, report."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from crystalvision.benchmarks._bounds import write_bound
from crystalvision.benchmarks._datasets import make_dataset, make_part
from crystalvision.benchmarks._environment import describe
from crystalvision.benchmarks._executors import Cells, chosen_cells
from crystalvision.benchmarks._folder import BenchmarkFolder, held, write_json
from crystalvision.benchmarks._loop import Loop
from crystalvision.benchmarks._pictures import write_pictures
from crystalvision.benchmarks._plan import Planned, Settings, Watcher
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks._suite import Suite
from crystalvision.benchmarks._table import collect, is_done, write_table
from crystalvision.benchmarks._test_data import write_pattern_facts
from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.json_text import parse_json
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.small_files import read_small
from crystalvision.sources import Cluster

_EARLIER = "before it was resumed"


def run_benchmark(
    planned: Planned,
    folder: Path,
    catalogue: Catalogue,
    selection: PluginSelection,
    *,
    settings: Settings,
    watcher: Watcher,
    where: Callable[[Settings], AbstractContextManager[Cells]] = chosen_cells,
) -> list[ResultRow]:
    """Run a suite, or what is left of it, and write all that `crystalvision benchmark` does.

    Args:
        planned: The suite.
        folder: The folder to write.
        catalogue: Where parts are looked up.
        selection: The plugins that cells load.
        settings: How it is run.
        watcher: Told how it proceeds.
        where: Gives what runs the cells; by default as the settings say.

    Returns:
        The tidy table.

    Raises:
        InputError: The folder cannot be used.
        StorageError: The disk refuses.
    """
    suite = planned.suite
    with (
        held(folder, suite, resume=settings.resume, overwrite=settings.overwrite) as place,
        ExitStack() as stack,
    ):
        left = any(not is_done(place, cell) for cell in planned.cells)
        _write_environment(place, suite, settings, something_to_do=left)
        _make_datasets(planned, place, settings, watcher)
        cells = stack.enter_context(where(settings))
        Loop(planned, place, cells, selection, settings, watcher).run()
        stack.close()
        _estimate_bounds(planned, place, watcher)
        rows = collect(folder, catalogue)
        write_table(rows, folder)
        _report(folder, catalogue, watcher)
    return rows


def _write_environment(
    place: BenchmarkFolder, suite: Suite, settings: Settings, *, something_to_do: bool
) -> None:
    """Write `environment.json`.

    A benchmark that is resumed says, too, what was another machine or version when it began. One
    that has nothing left to do keeps all: its timings are of what is there. The command is the one
    that makes all of it: the suite may have grown since it began.
    """
    path = place.folder / "environment.json"
    before = _environment_before(path)
    if before and not something_to_do:
        return
    described = describe(
        command=[part for part in settings.command if part not in {"--resume", "--overwrite"}],
        budget=suite.budget,
        device=settings.device,
        workers=settings.workers,
        scheduler=settings.scheduler,
    )
    earlier = _other_values(before, described)
    if earlier:
        described[_EARLIER] = earlier
    write_json(path, described)


def _other_values(before: dict[str, Any], now: dict[str, object]) -> dict[str, list[Any]]:
    """All that was another value in an earlier session, in their order."""
    known: dict[str, list[Any]] = {**before.get(_EARLIER, {})}
    for name, value in before.items():
        if name not in {"command", _EARLIER}:
            known[name] = [*(each for each in known.get(name, []) if each != value), value]
    others = {
        name: [each for each in values if each != now.get(name)] for name, values in known.items()
    }
    return {name: values for name, values in others.items() if values}


def _environment_before(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(read_small(path))
    except (OSError, ValueError):  # none yet, or damaged and about to be replaced
        return {}
    return found if isinstance(found, dict) else {}


def _make_datasets(
    planned: Planned, place: BenchmarkFolder, settings: Settings, watcher: Watcher
) -> None:
    suite = planned.suite
    total = sum(made.header.samples for made in planned.sources.values())
    with ExitStack() as stack:
        cluster = None
        if settings.scheduler is not None:
            cluster = stack.enter_context(Cluster.at(settings.scheduler))
            if cluster.note:
                watcher.note(cluster.note)
        advance = stack.enter_context(watcher.step("simulating", total))
        for made in planned.sources.values():
            plan = suite.datasets[made.name]
            make_dataset(made, place, plan, cluster=cluster, advance=advance)
            if made.role == "test":  # at once: it may be that `by` cannot be used
                write_pattern_facts(place, made.name, suite.by)
    write_pictures(place, suite)
    for dataset, size in sorted({(cell.key.dataset, cell.key.size) for cell in planned.cells}):
        make_part(dataset, suite.datasets[dataset], size, place)


def _estimate_bounds(planned: Planned, place: BenchmarkFolder, watcher: Watcher) -> None:
    bound = planned.suite.bound
    if bound is None:
        return
    tests = dict.fromkeys(test for cell in planned.cells for test in cell.tests)
    with watcher.step("estimating the upper bound", bound.patterns * len(tests)) as advance:
        for test in tests:
            made = planned.sources[test, "test"]
            try:
                known = write_bound(made, place, bound, planned.suite.by or "", advance)
            except InputError as error:
                watcher.note(f"no upper bound for '{test}': {error}")
                continue
            if not known:
                watcher.note(f"no upper bound for '{test}': its source cannot tell one")


def _report(folder: Path, catalogue: Catalogue, watcher: Watcher) -> None:
    from crystalvision.benchmarks.report import PAGE, TABLE, write_report

    try:
        write_report(folder, catalogue)
    except CrystalVisionError as error:  # the table is written, and says what there is to say
        for name in (PAGE, TABLE):
            (folder / name).unlink(missing_ok=True)  # it is of another table
        watcher.note(f"no report: {error}")
