"""One page about runs, or about a benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.api.benchmarks import Benchmark
from crystalvision.api.runs import Run
from crystalvision.api.session import Session
from crystalvision.benchmarks import is_benchmark
from crystalvision.benchmarks.report import page_of
from crystalvision.console import progress
from crystalvision.errors import InputError
from crystalvision.report import (
    MapMethod,
    MetricColumn,
    Row,
    check_output,
    columns_of,
    load_results,
    render,
    row_of,
    steps,
    write_page,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Report:
    """A page that was written.

    Attributes:
        path: The page.
        rows: A row for each run that it compares.
        columns: The metrics by which it compares them.
        benchmark: The benchmark that it is about, instead of runs.
    """

    path: Path
    rows: tuple[Row, ...] = ()
    columns: tuple[MetricColumn, ...] = ()
    benchmark: Benchmark | None = None

    @property
    def table(self) -> "pd.DataFrame":
        """The comparison: a row for each run, or the table of the benchmark."""
        import pandas as pd

        if self.benchmark is not None:
            return self.benchmark.table
        metrics = [
            {each.title: row.metrics.get(each.key) for each in self.columns} for row in self.rows
        ]
        names = pd.Index([row.name for row in self.rows], name="run")
        return pd.DataFrame(metrics, index=names)

    def _repr_html_(self) -> str:
        if self.benchmark is not None:
            table = self.benchmark._repr_html_()
        else:
            table = self.table.to_html(float_format="{:.3f}".format, na_rep="")
        link = escape(self.path.as_posix(), quote=True)
        return f'<p><a href="{link}">{escape(str(self.path))}</a></p>{table}'


def write_report(
    runs: "Run | Benchmark | str | Path | Sequence[Run | str | Path]",
    path: str | Path,
    *,
    map_by: MapMethod | None = None,
    overwrite: bool = False,
    session: Session | None = None,
) -> Report:
    """Compare evaluated runs, or show a benchmark, on one HTML page, as the command does.

    Args:
        runs: Runs or their folders; or one benchmark, or its folder.
        path: The HTML file to write; an earlier report there is replaced.
        map_by: Map the test patterns of each run by `nca` (neighbourhood components analysis),
            `tsne` or `umap`; by default there is no map.
        overwrite: Replace a file that is no report.
        session: Who asks; by default this Python session.

    Raises:
        InputError: Runs that were not evaluated, or a file that is no report.
        StorageError: The disk refuses.
    """
    session = session or Session.here()
    given = [runs] if isinstance(runs, Run | Benchmark | str | Path) else list(runs)
    folders = [each.path if isinstance(each, Run | Benchmark) else Path(each) for each in given]
    destination = check_output(Path(path), overwrite=overwrite)
    benchmarks = [folder for folder in folders if is_benchmark(folder)]
    if benchmarks and len(folders) > 1:
        raise InputError(f"{benchmarks[0]} is a benchmark with a report of its own: give it alone")
    if benchmarks and map_by is not None:
        raise InputError(f"--map {map_by} is for runs, and {benchmarks[0]} is a benchmark")
    if benchmarks:
        shown = Benchmark(benchmarks[0])
        _ = shown.rows  # before work begins
        with progress("drawing", None) as advance:
            page = page_of(benchmarks[0], session.catalogue, on_step=lambda: advance(1))
        write_page(destination, page)
        return Report(destination.path, benchmark=shown)
    results = load_results(folders, session.catalogue)
    with progress("drawing", steps(results)) as advance:
        page = render(results, map_by=map_by, on_step=advance)
    write_page(destination, page)
    return Report(destination.path, tuple(map(row_of, results)), tuple(columns_of(results)))
