"""`crystalvision report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crystalvision.cli._state import State
from crystalvision.console import out, print_json, progress, styled
from crystalvision.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from collections.abc import Sequence

    from rich.table import Table

    from crystalvision.report import MetricColumn, Row
    from crystalvision.storage import Destination


def report(
    ctx: typer.Context,
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Run folders that are evaluated, or the folder of one benchmark.",
        ),
    ],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The HTML file to write.")],
    map_by: Annotated[
        Literal["nca", "tsne", "umap"] | None,
        typer.Option(
            "--map",
            help="Map the test patterns of each run by neighbourhood components analysis, t-SNE, "
            "or UMAP (needs umap-learn), by its features and as they are.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is no report.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write the comparison as JSON.")] = False,
) -> None:
    """Compare runs in a table, and write it with figures to one HTML page."""
    from crystalvision.benchmarks import is_benchmark
    from crystalvision.report import (
        check_output,
        columns_of,
        load_results,
        render,
        row_of,
        steps,
        write_page,
    )

    state: State = ctx.obj
    destination = check_output(output, overwrite=overwrite)
    benchmarks = [folder for folder in runs if is_benchmark(folder)]
    if benchmarks and len(runs) > 1:
        raise InputError(f"{benchmarks[0]} is a benchmark with a report of its own: give it alone")
    if benchmarks and map_by is not None:
        raise InputError(f"--map {map_by} is for runs, and {benchmarks[0]} is a benchmark")
    if benchmarks:
        _report_benchmark(benchmarks[0], destination, state, json=json)
        return
    results = load_results(runs, state.catalogue)
    with progress("drawing", steps(results)) as advance:
        page = render(results, map_by=map_by, on_step=advance)
    write_page(destination, page)
    rows = [row_of(result) for result in results]
    if json:
        print_json(_as_json(rows, output))
    else:
        _print_rows(rows, columns_of(results))
        out.print(f"written to {output}", soft_wrap=True)


def _report_benchmark(folder: Path, to: "Destination", state: State, *, json: bool) -> None:
    from crystalvision.benchmarks import BenchmarkFolder
    from crystalvision.benchmarks.report import page_of, read_rows
    from crystalvision.cli._benchmark import print_results
    from crystalvision.report import write_page

    rows = read_rows(folder / "results.csv")
    with progress("drawing", None) as advance:
        page = page_of(folder, state.catalogue, on_step=lambda: advance(1))
    write_page(to, page)
    if json:
        print_json({"report": to.path, "rows": [row.model_dump(mode="json") for row in rows]})
    else:
        print_results(BenchmarkFolder(folder).read_suite(), rows)
        out.print(f"written to {to.path}", soft_wrap=True)


def _as_json(rows: "Sequence[Row]", output: Path) -> dict[str, object]:
    from crystalvision.report import same_data

    return {"report": output, "same_data": same_data(rows), "runs": list(rows)}


def _print_rows(rows: "Sequence[Row]", columns: "Sequence[MetricColumn]") -> None:
    from crystalvision.report import same_data

    out.print(_comparison(rows, columns))
    out.print()
    for row in rows:
        where = f"{row.patterns} patterns of {row.dataset}, split {row.split}"
        out.print(styled((row.name, "bold"), f": {row.system}; {where}"), soft_wrap=True)
    if not same_data(rows):
        out.print("These runs were not judged on the same patterns.", style="bold red")


def _comparison(rows: "Sequence[Row]", columns: "Sequence[MetricColumn]") -> "Table":
    """The score of each target, the first with its interval."""
    from rich.table import Table

    from crystalvision.report import number

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("run", overflow="fold")
    first, *others = (column for column in columns if column.is_score)
    heads = [first.title, "95 %", *(column.title for column in others)]
    for name in (*heads, "images/s", "seconds", "params"):
        table.add_column(styled(name), justify="right", overflow="fold")
    for row in rows:
        ends = row.intervals.get(first.key)
        table.add_row(
            row.name,
            number(row.metrics.get(first.key)),
            f"{ends[0]:.3f}–{ends[1]:.3f}" if ends else "–",
            *(number(row.metrics.get(column.key)) for column in others),
            f"{row.images_per_second:.0f}",
            f"{row.training_seconds:.1f}",
            "–" if row.parameters is None else f"{row.parameters:,}",
        )
    return table
