"""`crystalvision evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crystalvision.cli._by_specimen import specimen_table
from crystalvision.cli._differences import DespiteOption, differences
from crystalvision.cli._recorded import AnodeOption, ReaderOption, WavelengthOption, direct_beam
from crystalvision.cli._state import State
from crystalvision.cli._subset import SubsetOption
from crystalvision.console import out, print_json

_MOST_IN_A_MATRIX, _MISTAKES = 20, 12  # classes that a screen holds; mistakes that are told of more

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    # torch takes seconds to import, and --help must not wait for it
    from crystalvision.contracts import Task
    from crystalvision.evaluation import Metrics, TargetMetrics
    from crystalvision.plugins import Catalogue


def evaluate(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    *,
    data: Annotated[Path, typer.Option("-d", "--data", help="A dataset, or measured files.")],
    split: Annotated[
        Literal["train", "validation", "test", "all"] | None,
        typer.Option(
            help="Part of the dataset. Default: test of the dataset that the run was trained on, "
            "all of any other.",
            show_default=False,
        ),
    ] = None,
    subset: SubsetOption = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the evaluation. Default: dataset and split.")
    ] = None,
    uncalibrated: Annotated[
        bool, typer.Option("--uncalibrated", help="Take probabilities as the system gives them.")
    ] = False,
    resamples: Annotated[
        int, typer.Option(min=2, max=100_000, help="Bootstrap resamples for the 95 % intervals.")
    ] = 1000,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            "--pixel-size-inv-angstrom", help="Size of a pixel in 1/Å, of measured images."
        ),
    ] = None,
    centre: Annotated[
        str | None,
        typer.Option(metavar="ROW,COLUMN", help="Pixel of their direct beam, from 0."),
    ] = None,
    energy_kev: Annotated[
        float | None, typer.Option("--energy-kev", help="Energy of their beam in keV.")
    ] = None,
    wavelength_angstrom: WavelengthOption = None,
    anode: AnodeOption = None,
    reader: ReaderOption = None,
    by: Annotated[
        Literal["specimen"] | None,
        typer.Option(
            help="specimen: tell each from all of its patterns together, too.", show_default=False
        ),
    ] = None,
    despite: DespiteOption = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    json: Annotated[bool, typer.Option("--json", help="Write the metrics as JSON.")] = False,
) -> None:
    """Judge a run on a dataset, and keep the metrics and predictions in the run folder.

    Labelled measured files, in a folder for each class or listed by a CSV file, are brought onto
    the run's axes, as **dataset import** with **--like** does.
    """
    from crystalvision.api.runs import Run

    state: State = ctx.obj
    found = Run.load(run, state.session).evaluate(
        data,
        split=split,
        subset=subset,
        name=name,
        device=device,
        calibrated=not uncalibrated,
        resamples=resamples,
        by=by,
        pixel_size_inv_angstrom=pixel_size,
        centre=direct_beam(centre),
        energy_kev=energy_kev,
        wavelength_angstrom=wavelength_angstrom,
        anode=anode,
        reader=reader,
        despite=differences(despite),
    )
    if json:
        print_json(found.metrics.model_dump(mode="json"))
    else:
        _print_tables(found.metrics, state.catalogue)
        if by is not None:
            out.print(specimen_table(found.metrics.specimens))
            out.print()
        out.print(f"written to {found.path}", soft_wrap=True)


def _print_tables(metrics: "Metrics", catalogue: "Catalogue") -> None:
    from crystalvision.evaluation import tasks_of

    tasks = tasks_of({name: each.target for name, each in metrics.targets.items()}, catalogue)
    of = "" if metrics.subset is None else f" of a subset of {metrics.subset.samples}"
    out.print(f"{metrics.samples} patterns, split {metrics.split}{of}")
    for name, each in metrics.targets.items():
        out.print()
        out.print(_table(each, tasks[name]))
        for matrix in _matrices(each):
            out.print()
            out.print(matrix)
    out.print()
    for line in _notes(metrics):
        out.print(line, soft_wrap=True, markup=False)


def _table(evaluated: "TargetMetrics", task: "Task") -> "Table":
    """Every number of a target with its interval."""
    from rich.table import Table

    from crystalvision.console import styled
    from crystalvision.text import unit_text

    units = f" [{unit_text(evaluated.units)}]" if unit_text(evaluated.units) else ""
    table = Table(title=styled(f"{evaluated.name}: {evaluated.task}{units}"), box=None)
    table.add_column("", overflow="fold")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    for name, value in evaluated.numbers().items():
        table.add_row(task.title(name, evaluated), _number(value), _interval(evaluated, name))
    return table


def _matrices(evaluated: "TargetMetrics") -> "Iterator[Table]":
    """Metrics that are a matrix of the classes, such as a confusion matrix."""
    from rich.table import Table

    count = len(evaluated.classes)
    for name, rows in evaluated.metrics.items():
        if not isinstance(rows, list) or [len(row) for row in rows] != [count] * count:
            continue
        if count > _MOST_IN_A_MATRIX:
            yield _mistakes(name, rows, evaluated.classes)
            continue
        table = Table(title=f"{name}: actual class (row), predicted class (column)", box=None)
        table.add_column("", overflow="fold")
        for each in evaluated.classes:
            table.add_column(each, justify="right", overflow="fold")
        for each, row in zip(evaluated.classes, rows, strict=True):
            table.add_row(each, *map(str, row))
        yield table


def _mistakes(name: str, rows: list[list[int]], classes: "Sequence[str]") -> "Table":
    """The most frequent mistakes, where a matrix has too many classes to be read."""
    from rich.table import Table

    wrong = [
        (value, actual, predicted)
        for actual, row in enumerate(rows)
        for predicted, value in enumerate(row)
        if value and actual != predicted
    ]
    wrong.sort(key=lambda one: -one[0])
    most = wrong[:_MISTAKES]
    table = Table(
        title=f"{name}: {len(most)} of {len(wrong)} kinds of mistakes among {len(classes)} classes",
        box=None,
    )
    for heading in ("actual class", "predicted class"):
        table.add_column(heading, overflow="fold")
    table.add_column("", justify="right", no_wrap=True)
    for value, actual, predicted in most:
        table.add_row(classes[actual], classes[predicted], str(value))
    return table


def _notes(metrics: "Metrics") -> list[str]:
    intervals = metrics.main.intervals
    how = f"of proportions Wilson's, others of {intervals.resamples} resamples"
    lines = [
        *metrics.conditions.notes,
        f"intervals of {intervals.units} {intervals.unit}s: {how}",
        *(f"{name} from {_source(each)}" for name, each in metrics.targets.items()),
        f"{metrics.images_per_second:.1f} images per second on {metrics.device}",
    ]
    if metrics.rejected is not None:
        ends = metrics.rejected_interval
        range_ = f" (95 % interval {ends[0]:.1%} to {ends[1]:.1%})" if ends else ""
        lines.append(
            f"{metrics.rejected:.1%} of the patterns{range_} are flagged as unlike the training "
            "data"
        )
    return lines


def _source(evaluated: "TargetMetrics") -> str:
    scaled = evaluated.temperature
    calibrated = "" if scaled is None else f", calibrated with temperature {scaled:.3f}"
    return f"{evaluated.source.replace('_', ' ')}{calibrated}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _interval(evaluated: "TargetMetrics", name: str) -> str:
    ends = evaluated.intervals.of(name)
    if name in evaluated.intervals.all_the_same:
        return "none: every resample is the same"
    return "" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"
