"""Results for each value of a column of the test data, from the predictions that a run left."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from crystalvision.benchmarks._facts import table_numbers
from crystalvision.contracts import Task
from crystalvision.evaluation import EvaluatedSamples, metrics_of


@dataclass(frozen=True, slots=True)
class ValueMetrics:
    """The numbers of the patterns that have one value in the column.

    Attributes:
        value: The value.
        patterns: How many patterns have it.
        numbers: What the table says of them, by column.
    """

    value: float
    patterns: int
    numbers: dict[str, float | None]


def metrics_by_value(
    judged: EvaluatedSamples, tasks: Mapping[str, Task], column: Float[np.ndarray, "n"]
) -> Iterator[ValueMetrics]:
    """The numbers for each value of a column, ascending.

    Args:
        judged: Predictions of patterns of the test data.
        tasks: What judges each target, by its name.
        column: Value of each pattern of the test data, (n,).
    """
    values = column[judged.index]
    for value in np.unique(values):
        here = values == value
        metrics: dict[str, Mapping[str, Any]] = {
            name: metrics_of(tasks[name], each.part(here)) for name, each in judged.targets.items()
        }
        metrics |= {
            name: {tasks[name].score_name: float(scores[here].mean())}
            for name, scores in judged.scores.items()
        }
        yield ValueMetrics(float(value), int(here.sum()), table_numbers(metrics))
