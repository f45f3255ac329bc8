"""Benchmarks that show their table and their figure, and running them."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.api.cells import Screen
from crystalvision.api.session import Changes, Session
from crystalvision.available_memory import check_processes
from crystalvision.benchmarks import (
    BenchmarkFolder,
    CellKey,
    Planned,
    ResultRow,
    Settings,
    Suite,
    check_place,
    find_suite,
    is_benchmark,
    load_suite,
    run_benchmark,
    score_columns,
)
from crystalvision.benchmarks import plan_benchmark as check_benchmark
from crystalvision.benchmarks.report import read_rows
from crystalvision.cores import usable_processors
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.training import choose_device

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Benchmark:
    """What a benchmark found.

    Attributes:
        path: Its folder; `report.html` there has all of it.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the folder of a benchmark.

        Args:
            path: The folder.

        Raises:
            InputError: It is none.
        """
        self.path = Path(path)
        if not is_benchmark(self.path):
            raise InputError(
                f"{self.path} is no benchmark; a benchmark is what crystalvision benchmark writes"
            )

    @property
    def table(self) -> "pd.DataFrame":
        """The tidy table: a row for each system, seed, and test that it went through."""
        import pandas as pd

        return pd.read_parquet(self.path / "results.parquet")

    @property
    def suite(self) -> Suite:
        """The suite as it was run."""
        return BenchmarkFolder(self.path).read_suite()

    @property
    def rows(self) -> list[ResultRow]:
        """The rows of the table.

        Raises:
            InputError: The table is missing, or damaged.
        """
        return read_rows(self.path / "results.csv")

    @property
    def score(self) -> str:
        """The column of the table by which systems are compared, such as `accuracy`.

        Raises:
            InputError: No system was judged.
        """
        found = score_columns(self.suite.target, self.rows)
        if not found:
            raise InputError(f"{self.path}: no system was judged; see its failures")
        return found[0]

    def plot(self) -> "Figure":
        """Score of each system on each test: the mean over seeds, and each seed.

        Raises:
            InputError: No system was judged.
        """
        from crystalvision.figures import COLOURS, FAINT, drawing, new_figure, wrapped

        score = self.score
        judged = self.table.query("tested_on != '' and by == ''").dropna(subset=score)
        tests = list(judged["tested_on"].unique())
        systems = list(judged.groupby("system")[score].mean().sort_values().index)
        with drawing():
            figure, (axes,) = new_figure(width=5.6, height=1.6 + 0.36 * len(systems))
            for number, test in enumerate(tests):
                colour = COLOURS[number % len(COLOURS)]
                rows = judged[judged["tested_on"] == test]
                places = [systems.index(system) for system in rows["system"]]
                axes.plot(rows[score], places, "|", color=FAINT if len(tests) == 1 else colour)
                means = rows.groupby("system")[score].mean()
                axes.plot(
                    means,
                    [systems.index(system) for system in means.index],
                    "o",
                    color=colour,
                    label=test,
                )
            axes.set_yticks(range(len(systems)), [wrapped(name, 24) for name in systems])
            axes.set_xlabel(f"{score.replace('_', ' ')} (ticks: single seeds)")
            if len(tests) > 1:
                figure.legend(loc="outside lower center", ncols=3)
        return figure

    def __repr__(self) -> str:
        return f"Benchmark({str(self.path)!r}): {len(self.table)} rows"

    def _repr_html_(self) -> str:
        score = self.score
        columns = ["system", "trained_on", "train_patterns", "tested_on", score]
        rows = self.table.query("by == ''")[columns]
        means = rows.groupby(columns[:-1], sort=False)[score].agg(["mean", "std", "count"])
        shown = means.rename(columns={"mean": score, "std": "±", "count": "seeds"})
        table = shown.reset_index().to_html(index=False, float_format="{:.3f}".format, na_rep="")
        return f"<p>{escape(repr(self))}</p>{table}"


@dataclass(frozen=True, slots=True)
class PlannedBenchmark:
    """A suite that is ready to run: it has been checked.

    Attributes:
        planned: Its datasets and cells, and what will fail.
        device: Where cells are simulated and trained: `cpu` or `cuda`.
        session: Who asks.
    """

    planned: Planned
    device: str
    session: Session

    @property
    def table(self) -> "pd.DataFrame":
        """What would be run: a row for each cell."""
        import pandas as pd

        rows = [(*cell.key, ", ".join(cell.tests)) for cell in self.planned.cells]
        return pd.DataFrame(rows, columns=[*CellKey._fields, "tested_on"])

    def run(
        self,
        path: str | Path,
        *,
        workers: int | None = None,
        scheduler: str | None = None,
        resume: bool = False,
        overwrite: bool = False,
    ) -> Benchmark:
        """Run the cells, telling how that proceeds; see `benchmark`.

        Raises:
            InputError: The place is taken.
            StorageError: The disk refuses.
        """
        if workers is not None and scheduler is not None:
            raise InputError(
                "--workers and --scheduler exclude each other: start processes here, or use a "
                "cluster"
            )
        if workers is not None:
            check_processes(workers, f"--workers {workers}")
        folder, session = Path(path), self.session
        usual = 1 if self.device == "cuda" else usable_processors()
        settings = Settings(
            device=self.device,
            workers=workers or usual,
            scheduler=scheduler,
            resume=resume,
            overwrite=overwrite,
            command=session.command,
        )
        check_place(self.planned, folder, resume=resume, overwrite=overwrite)
        run_benchmark(
            self.planned,
            folder,
            session.catalogue,
            session.selection,
            settings=settings,
            watcher=Screen(folder),
        )
        return Benchmark(folder)


def plan_benchmark(
    suite: str | Path,
    *,
    budget: str | None = None,
    set: Changes | None = None,  # noqa: A002 - the word that the command has
    device: str = "cpu",
    session: Session | None = None,
) -> PlannedBenchmark:
    """Check a suite and say what would be run, as `crystalvision benchmark --dry-run` does.

    Args:
        suite: Name of a shipped suite, or path of a YAML file.
        budget: Which of the suite's budgets, by default `quick`.
        set: Values of the suite to change, by path.
        device: `cpu`, `cuda` or `auto`.
        session: Who asks; by default this Python session, without what was registered in it: cells
            run in processes of their own, which do not know it.

    Raises:
        InputError: The suite is wrong.
    """
    if session is None:
        selection = PluginSelection.from_environment()
        session = Session(Catalogue.load(selection), selection)
    changes, where = set or {}, choose_device(device).type
    overrides, settings = ([], changes) if isinstance(changes, Mapping) else (changes, {})
    path = find_suite(str(suite), session.catalogue)
    loaded = load_suite(path, budget, overrides, settings=settings)
    watcher = Screen(Path())
    planned = check_benchmark(
        loaded, session.catalogue, session.selection, device=where, watcher=watcher
    )
    for name, trouble in planned.troubles.items():
        watcher.note(f"system '{name}' will fail: {trouble}")
    return PlannedBenchmark(planned, where, session)


def benchmark(
    suite: str | Path,
    path: str | Path,
    *,
    budget: str | None = None,
    set: Changes | None = None,  # noqa: A002 - the word that the command has
    workers: int | None = None,
    scheduler: str | None = None,
    device: str = "cpu",
    resume: bool = False,
    overwrite: bool = False,
) -> Benchmark:
    """Train and judge every system of a suite, as `crystalvision benchmark` does.

    Args:
        suite: Name of a shipped suite, or path of a YAML file.
        path: The folder to write.
        budget: Which of the suite's budgets, by default `quick`.
        set: Values of the suite to change, by path.
        workers: Cells at a time, each a process of its own; by default one a core, or one with a
            GPU.
        scheduler: Address of a Dask cluster that runs them instead, such as `tcp://node1:8786`; its
            workers must reach the folder under the same path.
        device: `cpu`, `cuda` or `auto`.
        resume: Go on with the benchmark that is there.
        overwrite: Replace it.

    Raises:
        InputError: The suite is wrong, or the place is taken.
        StorageError: The disk refuses.
    """
    planned = plan_benchmark(suite, budget=budget, set=set, device=device)
    return planned.run(
        path, workers=workers, scheduler=scheduler, resume=resume, overwrite=overwrite
    )
