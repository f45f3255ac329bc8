"""What a benchmark's table and page need to know of its runs, beside their predictions."""

import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from crystalvision.benchmarks._rows import column_of, is_column
from crystalvision.config import Config
from crystalvision.evaluation import EvaluatedTarget, Metrics, numbers_of
from crystalvision.report import remade_by, system_in_words
from crystalvision.runs import PluginRecord, RunRecord, load_epochs, load_record


class EvaluationFacts(Config):
    """What is known of one evaluation of a run.

    Attributes:
        dataset_identity: Identity of the test data.
        targets: What was judged, by name.
        unit: What is independent of each other in the test data.
        device: Where it was predicted: `cpu` or `cuda`.
        images_per_second: Speed of prediction [1/s].
        rejected: Share of the patterns that were flagged; `None` where none could be.
        numbers: What the table says, by column. They are of the predictions as they were made,
            and kept ones have six digits: the last digits cannot be had from those again.
    """

    dataset_identity: str
    targets: dict[str, EvaluatedTarget]
    unit: Literal["pattern", "specimen"]
    device: str
    images_per_second: float
    rejected: float | None
    numbers: dict[str, float | None]


class RunFacts(Config):
    """What is known of a run.

    Attributes:
        system: Its parts in words.
        experiment: Its experiment with everything filled in.
        plugins: Who gave the parts.
        environment: Versions of the software.
        device: `cpu` or the GPU's name.
        data_command: What makes its training data from their recipe, or "".
        dose: Electrons a pattern of its training data, a number or a distribution, or `None`.
        parameters: Weights that training can change; `None` for a classical system, and where a
            plugin of it is gone.
        training_seconds: Wall time of the training [s].
        epoch_seconds: Median wall time of an epoch [s], added over the phases; `None` without.
    """

    system: str
    experiment: dict[str, Any]
    plugins: tuple[PluginRecord, ...]
    environment: dict[str, str]
    device: str
    data_command: str
    dose: Any
    parameters: int | None
    training_seconds: float
    epoch_seconds: float | None


def evaluation_facts(metrics: Metrics) -> EvaluationFacts:
    """What an evaluation says."""
    fields = set(EvaluatedTarget.model_fields)
    return EvaluationFacts(
        dataset_identity=metrics.dataset_identity,
        targets={
            name: EvaluatedTarget(**each.model_dump(include=fields))
            for name, each in metrics.targets.items()
        },
        unit=metrics.main.intervals.unit,
        device=metrics.device,
        images_per_second=metrics.images_per_second,
        rejected=metrics.rejected,
        numbers=table_numbers({name: each.metrics for name, each in metrics.targets.items()})
        | {f"specimen.{each.target}_accuracy": each.accuracy for each in metrics.specimens},
    )


def table_numbers(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """What the table says of predictions, by column.

    Args:
        metrics: Of each target, by name.
    """
    found = {
        column_of(target, name): value
        for target, evaluated in metrics.items()
        for name, value in numbers_of(evaluated).items()
        if "." not in name
    }
    return {name: value for name, value in found.items() if is_column(name)}


def run_facts(run: Path, count: Callable[[RunRecord], int | None]) -> RunFacts:
    """What a run's folder says.

    Args:
        run: The folder.
        count: Counts the weights of a system that training can change.

    Raises:
        InputError: It is no run, or damaged.
    """
    record = load_record(run)
    parts = [part for part in record.dataset.recipe.values() if isinstance(part, Mapping)]
    return RunFacts(
        system=system_in_words(record.experiment.system),
        experiment=record.experiment.model_dump(mode="json"),
        plugins=record.plugins,
        environment=record.environment,
        device=record.device,
        data_command=remade_by(record),
        dose=next((part["dose_electrons"] for part in parts if "dose_electrons" in part), None),
        parameters=count(record),
        training_seconds=record.training_seconds,
        epoch_seconds=_epoch_seconds(run),
    )


def _epoch_seconds(run: Path) -> float | None:
    """Median wall time of an epoch, added over the phases; `None` without epochs."""
    phases: dict[str, list[float]] = {}
    for epoch in load_epochs(run):
        phases.setdefault(epoch.phase, []).append(epoch.seconds)
    return sum(map(statistics.median, phases.values())) if phases else None
