"""`crystalvision evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crystalvision.cli._state import State
from crystalvision.cli.console import out, print_json, progress

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
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    json: Annotated[bool, typer.Option("--json", help="Write the metrics as JSON.")] = False,
) -> None:
    """Judge a run on a dataset, and keep the metrics and predictions in the run folder."""
    from crystalvision.datasets import Dataset
    from crystalvision.evaluation import choose_samples, save
    from crystalvision.evaluation import evaluate as judge
    from crystalvision.runs import Run
    from crystalvision.training import choose_device

    state: State = ctx.obj
    chosen = choose_device(device)
    loaded = Run.load(run, state.catalogue)
    dataset = Dataset.open(data)
    split, indices = choose_samples(loaded, dataset, split)
    with progress("predicting", len(indices)) as advance:
        evaluation = judge(loaded, dataset, split=split, device=chosen, on_batch=advance)
    folder = save(evaluation, run, name)
    if json:
        print_json(evaluation.metrics.model_dump(mode="json"))
    else:
        _print_table(evaluation.metrics)
        out.print(f"written to {folder}", soft_wrap=True)


def _print_table(metrics: "Metrics") -> None:
    from rich.table import Table

    table = Table(
        title=f"{metrics.samples} patterns, split {metrics.split}", show_header=False, box=None
    )
    table.add_column()
    table.add_column(justify="right")
    severity = metrics.severity
    rows: list[tuple[str, float | None]] = [
        ("accuracy", metrics.accuracy),
        ("error rate", metrics.error_rate),
        ("macro F1", metrics.macro_f1),
        ("macro precision", metrics.macro_precision),
        ("macro recall", metrics.macro_recall),
        ("macro specificity", metrics.macro_specificity),
        ("quadratic kappa", metrics.quadratic_kappa),
        ("macro AUC", metrics.macro_auc),
        *((f"AUC {name}", value) for name, value in metrics.auc.items()),
        ("severity: mean absolute error", severity.mae),
        ("severity: root mean squared error", severity.rmse),
        ("severity: correlation", severity.correlation),
        ("severity: bias", severity.bias),
        ("severity: lower limit of agreement", severity.lower_limit),
        ("severity: upper limit of agreement", severity.upper_limit),
    ]
    for label, value in rows:
        table.add_row(label, "–" if value is None else f"{value:.4f}")
    table.add_row("severity from", metrics.severity_source.replace("_", " "))
    table.add_row(f"images per second on {metrics.device}", f"{metrics.images_per_second:.1f}")
    out.print(table)
    out.print(_confusion_table(metrics))


def _confusion_table(metrics: "Metrics") -> object:
    from rich.table import Table

    table = Table(title="actual class (row), predicted class (column)", box=None)
    table.add_column("")
    for name in metrics.class_names:
        table.add_column(name, justify="right", overflow="fold")
    for name, row in zip(metrics.class_names, metrics.confusion, strict=True):
        table.add_row(name, *(str(count) for count in row))
    return table
