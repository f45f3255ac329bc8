"""Judges one target by its task, which any plugin may give."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from crystalvision.contracts import EvaluatedEstimates, Target, Task, origin_of
from crystalvision.errors import InputError, PluginError
from crystalvision.evaluation._intervals import intervals_of
from crystalvision.evaluation._record import TargetMetrics
from crystalvision.plugins import Catalogue


def tasks_of(targets: Mapping[str, Target], catalogue: Catalogue) -> dict[str, Task]:
    """What judges each target, by its name.

    Raises:
        InputError: A task that no plugin offers, or one that cannot judge its target.
    """
    found = {}
    for name, target in targets.items():
        task = catalogue.create("task", target.task)
        task.check(target)
        found[name] = task
    return found


def judge_target(
    task: Task, judged: EvaluatedEstimates, *, source: str, resamples: int, seed: int
) -> TargetMetrics:
    """Metrics of a target, with their intervals.

    Raises:
        InputError: No samples.
        PluginError: The task gives something else than numbers, or not its score.
    """
    if not len(judged):
        raise InputError("there are no predictions to judge")
    return TargetMetrics(
        **judged.target.model_dump(),
        source=source,
        temperature=judged.temperature,
        metrics=metrics_of(task, judged),
        intervals=intervals_of(task, judged, resamples=resamples, seed=seed),
    )


def metrics_of(task: Task, judged: EvaluatedEstimates) -> dict[str, Any]:
    """What a task says of samples, checked; its score first.

    Raises:
        PluginError: Something else than numbers, or not its score.
    """
    who, found = f"the {origin_of(task, 'task')}, in metrics,", dict(task.metrics(judged))
    try:
        json.dumps(found, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PluginError(
            f"{who} gave what JSON cannot hold ({error}); expected numbers, `None` for one without "
            "a meaning, lists, and mappings of names to those"
        ) from error
    if not isinstance(found.get(task.score_name), int | float):
        raise PluginError(
            f"{who} gave {task.score_name}={found.get(task.score_name)!r}; expected a number, for "
            "it is the task's score"
        )
    return {task.score_name: found[task.score_name], **found}


def columns_of(task: Task, judged: EvaluatedEstimates) -> dict[str, list[Any]]:
    """What a task says of each sample, by column.

    Raises:
        PluginError: A column that has not a value for each sample.
    """
    found = {}
    for name, values in task.columns(judged).items():
        if len(values) != len(judged):
            raise PluginError(
                f"the {origin_of(task, 'task')}, in columns, gave {len(values)} values of "
                f"'{name}'; expected {len(judged)}, one for each sample"
            )
        found[f"{judged.target.name}_{name}"] = np.asarray(values).tolist()
    return found
