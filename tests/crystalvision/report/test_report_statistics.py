"""Numbers of the report against known values."""

import pytest

from crystalvision.evaluation import wilson_interval
from crystalvision.report import number
from crystalvision.report._classes import class_tables
from crystalvision.report._table import system_in_words


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [  # scipy.stats.binomtest(right, total).proportion_ci(method="wilson")
        (10, 10, 0.72247, 1.0),
        (0, 10, 0.0, 0.27753),
        (50, 100, 0.40383, 0.59617),
        (195, 200, 0.94282, 0.98928),
    ],
)
def test_wilson_interval(right, total, low, high):
    assert wilson_interval(right, total) == pytest.approx((low, high), abs=1e-5)


def test_wilson_interval_agrees_with_scipy():
    from scipy.stats import binomtest

    for right, total in [(1, 3), (7, 9), (800, 1000)]:
        found = binomtest(right, total).proportion_ci(method="wilson")
        assert wilson_interval(right, total) == pytest.approx((found.low, found.high), abs=1e-6)


def test_the_table_of_classes_has_the_metrics_of_each(result):
    (table,) = class_tables([result])
    label, severity = (result.metrics.targets[name].metrics for name in ("label", "severity"))
    assert table.titles[:2] == ("patterns", "precision")
    assert table.titles[-1] == "severity MAE"
    for name, [(run, cells)] in table.rows.items():
        assert run == result.name
        assert cells[0] == str(label["samples"][name])
        assert cells[1] == number(label["precision"][name])
        assert cells[-1] == number(severity["mae_by_class"][name])


def test_a_system_in_words(result):
    assert system_in_words(result.record.experiment.system) == (
        "classifier: dnsnet-tiny + softmax; regressor: dnsnet-tiny + severity; "
        "fusion concat; head perceptron"
    )


def test_options_and_a_lone_branch_in_words(result):
    kind = type(result.record.experiment.system)
    branch = {"backbone": {"name": "resnet18", "width": 32}, "head": "softmax"}
    system = kind.model_validate({"branches": {"only": branch}})
    assert system_in_words(system) == "only: resnet18 (width 32) + softmax"
