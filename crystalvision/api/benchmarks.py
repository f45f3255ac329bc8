"""Benchmarks that show their table and their figure, and running them."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.api.cells import Screen
from crystalvision.api.session import Changes, Session
from crystalvision.benchmarks import (
    BenchmarkFolder,
    Planned,
    ResultRow,
    Settings,
    check_place,
    find_suite,
    is_benchmark,
    load_suite,
    plan_benchmark,
    run_benchmark,
    score_columns,
)
from crystalvision.benchmarks.report import read_rows
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
    def score(self) -> str:
        """The column of the table by which systems are compared, such as `accuracy`.

        Raises:
            InputError: No system was judged.
        """
        rows = read_rows(self.path / "results.csv")
        found = score_columns(BenchmarkFolder(self.path).read_suite().target, rows)
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


def benchmark(
    suite: str | Path,
    path: str | Path,
    *,
    budget: str | None = None,
    set: Changes | None = None,  # noqa: A002 - the word that the command has
    workers: int = 1,
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
        workers: Cells at a time, each a process of its own.
        device: `cpu`, `cuda` or `auto`.
        resume: Go on with the benchmark that is there.
        overwrite: Replace it.

    Raises:
        InputError: The suite is wrong, or the place is taken.
        StorageError: The disk refuses.
    """
    # Cells run in processes of their own, which know nothing of what this session registered.
    selection = PluginSelection.from_environment()
    session = Session(Catalogue.load(selection), selection)
    folder, where = Path(path), choose_device(device).type
    screen = Screen(folder)
    planned = plan_suite(str(suite), budget, set or {}, where, session, screen)
    settings = Settings(device=where, workers=workers, resume=resume, overwrite=overwrite)
    run_planned(planned, folder, settings, session, screen)
    return Benchmark(folder)


def plan_suite(
    suite: str,
    budget: str | None,
    set: Changes,  # noqa: A002 - the word that the command has
    device: str,
    session: Session,
    screen: Screen,
) -> Planned:
    """Check what is to be run; see `benchmark`.

    Raises:
        InputError: The suite is wrong.
    """
    overrides = [] if isinstance(set, Mapping) else set
    settings = set if isinstance(set, Mapping) else {}
    path = find_suite(suite, session.catalogue)
    loaded = load_suite(path, budget, overrides, settings=settings)
    planned = plan_benchmark(
        loaded, session.catalogue, session.selection, device=device, watcher=screen
    )
    for name, trouble in planned.troubles.items():
        screen.note(f"system '{name}' will fail: {trouble}")
    return planned


def run_planned(
    planned: Planned, folder: Path, settings: Settings, session: Session, screen: Screen
) -> list[ResultRow]:
    """Run the cells, telling how that proceeds.

    Raises:
        InputError: The place is taken.
        StorageError: The disk refuses.
    """
    check_place(planned, folder, resume=settings.resume, overwrite=settings.overwrite)
    return run_benchmark(
        planned, folder, session.catalogue, session.selection, settings=settings, watcher=screen
    )
