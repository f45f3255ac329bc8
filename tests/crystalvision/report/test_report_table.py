"""The comparison: whether runs can be compared, and how wide its intervals are."""

from dataclasses import replace

import numpy as np
import pytest

from crystalvision.datasets import Imported, Simulated
from crystalvision.evaluation import wilson_interval
from crystalvision.report import columns_of, row_of, same_data
from crystalvision.report._data import describe_data
from crystalvision.report._reproduce import commands


def test_other_patterns_of_one_dataset_are_other_data(result):
    others = replace(result.judged, index=result.judged.index + 1)
    rows = [row_of(each) for each in (result, result, replace(result, judged=others))]
    assert same_data(rows[:2])
    assert not same_data(rows[1:])


def test_the_order_of_patterns_makes_no_other_data(result):
    turned = replace(result.judged, index=result.judged.index[::-1].copy())
    assert same_data([row_of(result), row_of(replace(result, judged=turned))])


def test_numbers_and_intervals_are_those_of_the_evaluation(result):
    row, told = row_of(result), result.metrics.targets["label"]
    right = int(np.trace(np.array(told["confusion"])))
    assert row.metrics["label.accuracy"] == told["accuracy"]
    assert row.intervals["label.accuracy"] == wilson_interval(right, result.metrics.samples)
    assert row.metrics["severity.mae"] == result.metrics.targets["severity"]["mae"]
    assert row.intervals["label.expected_calibration_error"] is None
    titles = [column.title for column in columns_of([result])]
    assert titles == [
        "accuracy",
        "macro F1",
        "quadratic kappa",
        "calibration error",
        "severity MAE",
    ]


@pytest.mark.parametrize(
    ("provenance", "line"),
    [
        (Simulated(source="mine", seed=0), "crystalvision simulate recipe.yaml -o "),
        (Simulated(seed=None), "# "),
        (Imported(files=3, content_sha256="0" * 64), "# "),
    ],
)
def test_data_are_made_by_what_made_them(result, provenance, line):
    dataset = result.record.dataset.model_copy(update={"provenance": provenance})
    result = replace(result, record=result.record.model_copy(update={"dataset": dataset}))
    first = commands([describe_data(result)], [result]).splitlines()[0]
    assert first.startswith(f"{line}{dataset.path}")


def test_an_evaluation_without_calibration_is_repeated_without(result):
    targets = {
        name: each.model_copy(update={"temperature": None})
        for name, each in result.metrics.targets.items()
    }
    raw = result.metrics.model_copy(update={"targets": targets, "rejected": None})
    assert "--uncalibrated" not in commands([], [result])
    assert "--uncalibrated" in commands([], [replace(result, metrics=raw)])
