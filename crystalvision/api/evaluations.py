"""Evaluations that show themselves, and making them."""

from dataclasses import dataclass, fields, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from crystalvision import datasets, evaluation, runs
from crystalvision.console import progress
from crystalvision.datasets import Despite
from crystalvision.evaluation import (
    Split,
    check_name,
    choose_samples,
    require_specimens,
    save,
)
from crystalvision.plugins import Catalogue

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["specimen"]
"""What can be told from all of its patterns together."""


@dataclass(frozen=True, slots=True)
class Evaluation(evaluation.Evaluation):
    """A run judged on a dataset.

    Attributes:
        path: Where it is kept, in the run's folder.
    """

    path: Path

    @property
    def table(self) -> "pd.DataFrame":
        """Every number: a row for each, with the ends of its 95 % interval where it has one."""
        import pandas as pd

        rows = []
        for name, each in self.metrics.targets.items():
            for metric, value in each.numbers().items():
                low, high = each.intervals.of(metric) or (None, None)
                rows.append((name, metric, value, low, high))
        return pd.DataFrame(rows, columns=["target", "metric", "value", "low", "high"])

    def __repr__(self) -> str:
        metrics = self.metrics
        scores = (
            f"{name} {metric.replace('_', ' ')} {value:.4f}"
            for name, each in metrics.targets.items()
            for metric, value in list(each.numbers().items())[:1]
            if value is not None
        )
        return (
            f"Evaluation({str(self.path)!r}): {metrics.samples} patterns of {metrics.dataset}, "
            f"split {metrics.split}: {', '.join(scores)}"
        )

    def _repr_html_(self) -> str:
        table = self.table.to_html(index=False, float_format="{:.4f}".format, na_rep="")
        return f"<p>{escape(repr(self))}</p>{table}"


def evaluate(
    run: runs.Run,
    dataset: datasets.Dataset,
    *,
    catalogue: Catalogue,
    split: Split | None,
    name: str | None,
    device: torch.device,
    calibrated: bool,
    resamples: int,
    despite: tuple[Despite, ...],
    by: Unit | None,
    data_name: str | None = None,
) -> Evaluation:
    """Judge a run and keep what came of it; see `Run.evaluate`.

    `data_name` is what the user calls data that are kept elsewhere as long as this takes.

    Raises:
        InputError: Data that do not fit the run, or that it was trained on; a wrong name.
        StorageError: The disk refuses.
    """
    if name is not None:
        check_name(name)
    split, indices = choose_samples(run, dataset, split, despite=despite)
    with progress("predicting", len(indices)) as advance:
        found = evaluation.evaluate(
            run,
            dataset,
            catalogue=catalogue,
            split=split,
            device=device,
            calibrated=calibrated,
            resamples=resamples,
            despite=despite,
            on_batch=advance,
        )
    if by is not None:  # before anything is kept
        require_specimens(found.metrics.specimens, str(dataset.path))
    if data_name is not None:
        found = _named(found, str(dataset.path), data_name)
    values = {each.name: getattr(found, each.name) for each in fields(found)}
    return Evaluation(**values, path=save(found, run.path, name))


def _named(found: evaluation.Evaluation, place: str, name: str) -> evaluation.Evaluation:
    """An evaluation that calls its data by another name than their place."""
    metrics = found.metrics
    notes = tuple(note.replace(place, name) for note in metrics.conditions.notes)
    conditions = metrics.conditions.model_copy(update={"notes": notes})
    changes = {"dataset": name, "conditions": conditions}
    return replace(found, metrics=metrics.model_copy(update=changes))
