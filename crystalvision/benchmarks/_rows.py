"""The tidy table of a benchmark: one row for each cell and each test that it went through."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field

from crystalvision.config import Config

LABEL, SEVERITY = "label", "severity"

Status = Literal["ok", "diverged", "out-of-memory", "failed", "not-run"]


class ResultRow(Config):
    """One line of `results.csv` and `results.parquet`.

    Metrics of `label` and `severity` have columns of their names, `accuracy` and `severity_mae`;
    those of any other target follow at the end, as `TARGET.METRIC`, and so does `label.top_5` of
    labels with many classes.

    A cell that could not be trained has one row, with its status and error, and no numbers; one
    that could not be judged on some test has such a row for that test.

    Attributes:
        suite: Name of the suite.
        budget: Name of the budget, or "" if the suite has none.
        system: Name of the system in the suite.
        trained_on: Name of the dataset in the suite.
        train_patterns: Patterns that were trained on, validation included.
        seed: Of the training.
        tested_on: Name of the dataset in the suite; empty where there was no test, or no training.
        by: Column of the test data that the row is about one value of; empty for all of them.
        value: That value.
        status: `ok`, or what went wrong; `not-run` where a cell that this one begins with failed.
        error: What went wrong, in a line.
        patterns: Patterns that were judged.
        accuracy: Of the target `label`, as for all up to `expected_calibration_error`; see the
            task `classification`.
        severity_mae: Of the target `severity`, as for all up to `severity_upper_limit`; see the
            task `regression`.
        severity_source: `regression` or `class_expectation`.
        parameters: Weights that training can change; `None` for a classical system.
        training_seconds: Wall time of the training [s], without that of cells it begins with.
        epoch_seconds: Median wall time of an epoch [s], added over the phases: one pass through all
            that was trained.
        images_per_second: Speed of prediction [1/s].
        device: `cpu` or `cuda`.
        run: Folder of the run, relative to the benchmark's.
        evaluation: Name of the evaluation in the run.
        others: Metrics of other targets, by `TARGET.METRIC`.
    """

    suite: str
    budget: str = ""
    system: str
    trained_on: str
    train_patterns: int
    seed: int
    tested_on: str = ""
    by: str = ""
    value: float | None = None
    status: Status = "ok"
    error: str = ""
    patterns: int | None = None
    accuracy: float | None = None
    macro_precision: float | None = None
    macro_recall: float | None = None
    macro_specificity: float | None = None
    macro_f1: float | None = None
    macro_auc: float | None = None
    macro_average_precision: float | None = None
    quadratic_kappa: float | None = None
    expected_calibration_error: float | None = None
    severity_mae: float | None = None
    severity_rmse: float | None = None
    severity_r2: float | None = None
    severity_correlation: float | None = None
    severity_bias: float | None = None
    severity_lower_limit: float | None = None
    severity_upper_limit: float | None = None
    severity_source: str | None = None
    parameters: int | None = None
    training_seconds: float | None = None
    epoch_seconds: float | None = None
    images_per_second: float | None = None
    device: str | None = None
    run: str = ""
    evaluation: str = ""
    others: dict[str, float | None] = Field(default_factory=dict)

    def number(self, column: str) -> float | None:
        """The metric in a column; `None` where there is none."""
        found: float | None = (
            self.others.get(column) if "." in column else getattr(self, column, None)
        )
        return found

    def flat(self, others: Iterable[str]) -> dict[str, Any]:
        """The line, its metrics of other targets in their columns."""
        columns = self.model_dump(mode="json", exclude={"others"})
        return columns | {name: self.others.get(name) for name in others}

    @classmethod
    def of(cls, numbers: Mapping[str, float | None], **about: Any) -> Self:
        """A row with metrics by column."""
        own: dict[str, Any] = {name: value for name, value in numbers.items() if "." not in name}
        others = {name: value for name, value in numbers.items() if "." in name}
        return cls(**about, **own, others=others)


def column_of(target: str, metric: str) -> str:
    """The column that a metric of a target stands in."""
    if target == LABEL:
        return f"{LABEL}.{metric}" if metric.startswith("top_") else metric
    return f"severity_{metric}" if target == SEVERITY else f"{target}.{metric}"


def is_column(name: str) -> bool:
    """Whether the table has a column of that name: it leaves out some metrics of `label`."""
    return "." in name or name in ResultRow.model_fields


def score_columns(target: str, rows: Sequence[ResultRow]) -> list[str]:
    """The column of the score of each target that was judged, that which a suite compares first.

    Args:
        target: The suite's target, or "".
        rows: Its table.
    """
    found: dict[str, str] = {}
    for row in rows:
        if row.accuracy is not None:
            found[LABEL] = "accuracy"
        if row.severity_mae is not None:
            found[SEVERITY] = "severity_mae"
        for name in row.others:
            found.setdefault(name.partition(".")[0], name)
    order = [target, LABEL, *found]
    return [found[name] for name in dict.fromkeys(order) if name in found]
