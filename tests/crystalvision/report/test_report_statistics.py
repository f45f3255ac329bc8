"""Numbers of the report against known values and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score, roc_curve

from crystalvision.evaluation import wilson_interval
from crystalvision.report._statistics import class_rows
from crystalvision.report._statistics import roc_curve as our_roc_curve
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


@pytest.mark.parametrize("decimals", [1, 6])  # with and without ties
def test_roc_curve_agrees_with_scikit_learn(decimals):
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.3
    score = (rng.normal(size=200) + positive).round(decimals)
    false, true = our_roc_curve(score, positive)
    expected = roc_curve(positive, score, drop_intermediate=False)
    assert np.allclose(false, expected[0])
    assert np.allclose(true, expected[1])
    assert np.trapezoid(true, false) == pytest.approx(roc_auc_score(positive, score))


def test_class_rows_agree_with_scikit_learn(judge):
    rng = np.random.default_rng(1)
    label = rng.integers(0, 3, 120)
    probabilities = rng.dirichlet([1, 1, 1], 120) + 0.5 * np.eye(3)[label]
    severity, predicted = rng.random((2, 120))
    metrics, judged = judge(label, probabilities, severity, predicted, "abc")
    rows = class_rows(metrics, judged)
    given = probabilities.argmax(axis=1)
    precision, recall, f1, support = precision_recall_fscore_support(label, given)
    for k, row in enumerate(rows):
        assert (row.name, row.patterns) == ("abc"[k], support[k])
        assert row.precision == pytest.approx(precision[k])
        assert row.recall == pytest.approx(recall[k])
        assert row.f1 == pytest.approx(f1[k])
        assert row.auc == pytest.approx(roc_auc_score(label == k, probabilities[:, k]))
        assert row.specificity == pytest.approx(np.mean(given[label != k] != k))
        error = np.abs(predicted - severity)[label == k].mean()
        assert row.severity_mae == pytest.approx(error)


def test_a_class_that_does_not_occur_has_no_numbers(judge):
    metrics, judged = judge([0, 1], [[1, 0, 0], [0, 1, 0]], [0, 1], [0, 1], "abc")
    row = class_rows(metrics, judged)[2]
    assert (row.patterns, row.precision, row.recall, row.f1) == (0, None, None, None)
    assert (row.auc, row.severity_mae, row.specificity) == (None, None, 1.0)


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
