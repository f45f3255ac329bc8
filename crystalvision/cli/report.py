"""`crystalvision report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crystalvision.cli._state import State
from crystalvision.console import out, print_json, styled

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from collections.abc import Sequence

    from rich.table import Table

    from crystalvision.report import MetricColumn, Row


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
    from crystalvision.api.reports import write_report

    state: State = ctx.obj
    done = write_report(runs, output, map_by=map_by, overwrite=overwrite, session=state.session)
    if done.benchmark is not None:
        if json:
            rows = [row.model_dump(mode="json") for row in done.benchmark.rows]
            print_json({"report": done.path, "rows": rows})
            return
        from crystalvision.cli._benchmark import print_results

        print_results(done.benchmark.suite, done.benchmark.rows)
    elif json:
        print_json(_as_json(done.rows, output))
        return
    else:
        _print_rows(done.rows, done.columns)
    out.print(f"written to {done.path}", soft_wrap=True)


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
