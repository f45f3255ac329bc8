"""Judges trained systems on every target by its task, with confidence intervals."""

from crystalvision.evaluation._by_specimen import SpecimenScore, require_specimens
from crystalvision.evaluation._evaluate import Evaluation, evaluate, with_groups
from crystalvision.evaluation._files import check_name, load_metrics, save
from crystalvision.evaluation._fits import choose_samples
from crystalvision.evaluation._flags import Flagged, FlaggedPatterns, FlagShare
from crystalvision.evaluation._intervals import RESAMPLES, Intervals, intervals_of
from crystalvision.evaluation._judge import judge_target, metrics_of, tasks_of
from crystalvision.evaluation._predictions import (
    Columns,
    EvaluatedSamples,
    in_table,
    judged_samples,
    read_columns,
    read_predictions,
    score_column,
    write_predictions,
)
from crystalvision.evaluation._proportions import proportion_interval, wilson_interval
from crystalvision.evaluation._record import (
    EvaluatedTarget,
    Metrics,
    Split,
    TargetMetrics,
    main_target,
    numbers_of,
)

__all__ = [
    "RESAMPLES",
    "Columns",
    "EvaluatedSamples",
    "EvaluatedTarget",
    "Evaluation",
    "FlagShare",
    "Flagged",
    "FlaggedPatterns",
    "Intervals",
    "Metrics",
    "SpecimenScore",
    "Split",
    "TargetMetrics",
    "check_name",
    "choose_samples",
    "evaluate",
    "in_table",
    "intervals_of",
    "judge_target",
    "judged_samples",
    "load_metrics",
    "main_target",
    "metrics_of",
    "numbers_of",
    "proportion_interval",
    "read_columns",
    "read_predictions",
    "require_specimens",
    "save",
    "score_column",
    "tasks_of",
    "wilson_interval",
    "with_groups",
    "write_predictions",
]
