"""The tidy table of a benchmark: one row for each cell and each test that it went through."""

from typing import Literal

from crystalvision.config import Config

Status = Literal["ok", "diverged", "out-of-memory", "failed", "not-run"]


class ResultRow(Config):
    """One line of `results.csv` and `results.parquet`.

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
        accuracy: See `crystalvision.evaluation.Metrics`, as for all up to `severity_upper_limit`.
        severity_source: `regression` or `class_expectation`.
        parameters: Weights that training can change; `None` for a classical system.
        training_seconds: Wall time of the training [s], without that of cells it begins with.
        epoch_seconds: Median wall time of an epoch [s], added over the phases: one pass through all
            that was trained.
        images_per_second: Speed of prediction [1/s].
        device: `cpu` or `cuda`.
        run: Folder of the run, relative to the benchmark's.
        evaluation: Name of the evaluation in the run.
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
