"""`crystalvision evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crystalvision.cli._differences import DespiteOption, differences
from crystalvision.cli._state import State
from crystalvision.console import out, print_json, progress

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.evaluation import Metrics


def evaluate(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    *,
    data: Annotated[Path, typer.Option("-d", "--data", help="The dataset to judge it on.")],
    split: Annotated[
        Literal["train", "validation", "test", "all"] | None,
        typer.Option(
            help="Part of the dataset. Default: test of the dataset that the run was trained on, "
            "all of any other.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the evaluation. Default: dataset and split.")
    ] = None,
    uncalibrated: Annotated[
        bool, typer.Option("--uncalibrated", help="Take probabilities as the system gives them.")
    ] = False,
    resamples: Annotated[
        int, typer.Option(min=2, max=100_000, help="Bootstrap resamples for the 95 % intervals.")
    ] = 1000,
    despite: DespiteOption = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    json: Annotated[bool, typer.Option("--json", help="Write the metrics as JSON.")] = False,
) -> None:
    """Judge a run on a dataset, and keep the metrics and predictions in the run folder."""
    from crystalvision.datasets import Dataset
    from crystalvision.evaluation import check_name, choose_samples, save
    from crystalvision.evaluation import evaluate as judge
    from crystalvision.runs import Run
    from crystalvision.training import choose_device

    state: State = ctx.obj
    chosen = choose_device(device)
    if chosen.type == "cpu":
        state.note_threads()
    if name is not None:
        check_name(name)
    loaded = Run.load(run, state.catalogue)
    dataset = Dataset.open(data)
    wanted = differences(despite)
    split, indices = choose_samples(loaded, dataset, split, despite=wanted)
    with progress("predicting", len(indices)) as advance:
        evaluation = judge(
            loaded,
            dataset,
            split=split,
            device=chosen,
            calibrated=not uncalibrated,
            resamples=resamples,
            despite=wanted,
            on_batch=advance,
        )
    folder = save(evaluation, run, name)
    if json:
        print_json(evaluation.metrics.model_dump(mode="json"))
    else:
        _print_table(evaluation.metrics)
        out.print(f"written to {folder}", soft_wrap=True)


def _print_table(metrics: "Metrics") -> None:
    from rich.table import Table

    table = Table(title=f"{metrics.samples} patterns, split {metrics.split}", box=None)
    table.add_column("", overflow="fold")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    for label, name, value in _rows(metrics):
        table.add_row(label, _number(value), _interval(metrics, name))
    out.print(table)
    out.print()
    out.print(_confusion_table(metrics))
    out.print()
    for line in _notes(metrics):
        out.print(line, soft_wrap=True, markup=False)


def _rows(metrics: "Metrics") -> list[tuple[str, str, float | None]]:
    """Label, name and value of every number that is not of one class."""
    severity = metrics.severity
    return [
        ("accuracy", "accuracy", metrics.accuracy),
        ("error rate", "error_rate", metrics.error_rate),
        ("macro F1", "macro_f1", metrics.macro_f1),
        ("macro precision", "macro_precision", metrics.macro_precision),
        ("macro recall", "macro_recall", metrics.macro_recall),
        ("macro specificity", "macro_specificity", metrics.macro_specificity),
        ("quadratic kappa", "quadratic_kappa", metrics.quadratic_kappa),
        ("macro AUC", "macro_auc", metrics.macro_auc),
        ("macro average precision", "macro_average_precision", metrics.macro_average_precision),
        (
            "expected calibration error",
            "expected_calibration_error",
            metrics.expected_calibration_error,
        ),
        ("Brier score", "brier", metrics.brier),
        *_rows_by_class(metrics),
        ("severity: mean absolute error", "severity.mae", severity.mae),
        ("severity: root mean squared error", "severity.rmse", severity.rmse),
        ("severity: R²", "severity.r2", severity.r2),
        ("severity: correlation", "severity.correlation", severity.correlation),
        ("severity: bias", "severity.bias", severity.bias),
        ("severity: lower limit of agreement", "severity.lower_limit", severity.lower_limit),
        ("severity: upper limit of agreement", "severity.upper_limit", severity.upper_limit),
    ]


def _rows_by_class(metrics: "Metrics") -> list[tuple[str, str, float | None]]:
    numbers = {
        "precision": metrics.precision,
        "recall": metrics.recall,
        "specificity": metrics.specificity,
        "f1": metrics.f1,
        "auc": metrics.auc,
        "average_precision": metrics.average_precision,
    }
    titles = {"f1": "F1", "auc": "AUC", "average_precision": "average precision"}
    return [
        (f"{titles.get(name, name)} {each}", f"{name}.{each}", values[each])
        for name, values in numbers.items()
        for each in metrics.class_names
    ]


def _notes(metrics: "Metrics") -> list[str]:
    intervals = metrics.intervals
    temperature, rejected = metrics.temperature, metrics.rejected
    calibrated = (
        "probabilities as the system gives them"
        if temperature is None
        else f"probabilities calibrated with temperature {temperature:.3f}"
    )
    how = f"of proportions Wilson's, others of {intervals.resamples} resamples"
    lines = [
        f"intervals of {intervals.units} {intervals.unit}s: {how}",
        f"{calibrated}; severity from {metrics.severity_source.replace('_', ' ')}",
        f"{metrics.images_per_second:.1f} images per second on {metrics.device}",
    ]
    by_chance = metrics.calibration_error_by_chance
    if by_chance is not None and by_chance > 0.5 * metrics.expected_calibration_error:
        lines.append(
            "a perfectly calibrated system would show a calibration error of about "
            f"{by_chance:.3f} on so few patterns"
        )
    if metrics.conditions is not None:
        lines = [*metrics.conditions.notes, *lines]
    if rejected is not None:
        ends = intervals.of("rejected")
        told = f" (95 % interval {ends[0]:.1%} to {ends[1]:.1%})" if ends else ""
        lines.append(
            f"{rejected:.1%} of the patterns{told} are flagged as unlike the training data"
        )
    return lines


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _interval(metrics: "Metrics", name: str) -> str:
    ends = metrics.intervals.of(name)
    if name in metrics.intervals.all_the_same:
        return "none: every resample is the same"
    return "" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def _confusion_table(metrics: "Metrics") -> object:
    from rich.table import Table

    table = Table(title="actual class (row), predicted class (column)", box=None)
    table.add_column("", overflow="fold")
    for name in metrics.class_names:
        table.add_column(name, justify="right", overflow="fold")
    for name, row in zip(metrics.class_names, metrics.confusion, strict=True):
        table.add_row(name, *(str(count) for count in row))
    return table
