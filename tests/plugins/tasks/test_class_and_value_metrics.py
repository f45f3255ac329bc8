"""Metrics against scikit-learn, against the published tables, and at their edges."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as peer

from crystalvision.errors import InputError
from crystalvision.evaluation import judge_target
from crystalvision_tasks.classification import Classification

NAMES = ("a", "b", "c", "d")
PUBLISHED = (
    Path(__file__).parents[3] / "benchmarks/crystalvision_benchmarks/published/alarfaj2022.json"
)


def random_predictions(seed: int, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 4, count)
    scores = rng.normal(size=(count, 4)) + 1.2 * np.eye(4)[label]
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return probabilities.astype(np.float32), label


@pytest.fixture
def judge(judged_classes):
    return lambda *predictions: Classification().metrics(judged_classes(*predictions))


@pytest.mark.parametrize("seed", range(3))
def test_they_agree_with_scikit_learn(seed, judge):
    probabilities, label = random_predictions(seed)
    predicted = probabilities.argmax(1)
    found = judge(probabilities, label)
    expected = {
        "accuracy": peer.accuracy_score(label, predicted),
        "error_rate": 1 - peer.accuracy_score(label, predicted),
        "macro_f1": peer.f1_score(label, predicted, average="macro"),
        "macro_precision": peer.precision_score(label, predicted, average="macro"),
        "macro_recall": peer.recall_score(label, predicted, average="macro"),
        "macro_specificity": np.mean(
            [peer.recall_score(label != k, predicted != k) for k in range(4)]
        ),
        "quadratic_kappa": peer.cohen_kappa_score(label, predicted, weights="quadratic"),
        "macro_auc": np.mean(
            [peer.roc_auc_score(label == k, probabilities[:, k]) for k in range(4)]
        ),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-5), name
    for k, name in enumerate(NAMES):
        expected_auc = peer.roc_auc_score(label == k, probabilities[:, k])
        assert found["auc"][name] == pytest.approx(expected_auc, abs=1e-6)
    assert found["confusion"] == peer.confusion_matrix(label, predicted).tolist()


def test_equal_scores_count_half_in_the_auc(judge):
    probabilities = np.full((10, 4), 0.25, dtype=np.float32)
    found = judge(probabilities, np.arange(10) % 4)
    assert found["auc"] == dict.fromkeys(NAMES, 0.5)


def test_nearly_equal_scores_are_told_apart_by_the_auc(judge):
    """Confident scores crowd at 1; the area must rank them still."""
    label = np.array([0, 0, 1, 1])
    first = np.array([0.9999998, 0.9999997, 0.9999996, 0.9999995], dtype=np.float32)
    rest = (1 - first)[:, None] * np.array([[1.0, 0.0, 0.0]], dtype=np.float32)
    found = judge(np.concatenate([first[:, None], rest], axis=1).astype(np.float32), label)
    assert found["auc"]["a"] == 1.0


def test_macro_means_leave_out_classes_that_do_not_occur(judge):
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 60)
    scores = rng.random((60, 4)).astype(np.float32)
    scores[:, 3] = 0
    found = judge(scores / scores.sum(1, keepdims=True), label)
    predicted = scores.argmax(1)
    assert found["macro_f1"] == pytest.approx(peer.f1_score(label, predicted, average="macro"))
    assert found["auc"]["d"] is None
    assert found["macro_auc"] == pytest.approx(np.mean([found["auc"][name] for name in "abc"]))


def test_one_class_alone_has_no_kappa_and_no_auc(judge):
    found = judge(np.eye(4, dtype=np.float32)[[1, 1, 1]], np.array([1, 1, 1]))
    assert found["accuracy"] == 1.0
    assert found["quadratic_kappa"] is None
    assert found["macro_auc"] is None
    json.dumps(found, allow_nan=False)


def published_systems() -> list[str]:
    systems = json.loads(PUBLISHED.read_text())["systems"]
    return [name for name in systems if "confusion" in systems[name]]


@pytest.mark.parametrize("name", published_systems())
def test_the_published_matrices_give_the_recomputed_values(name, judge):
    system = json.loads(PUBLISHED.read_text())["systems"][name]
    confusion = np.array(system["confusion"])
    pairs = np.repeat(np.argwhere(confusion >= 0), confusion.flatten(), axis=0)
    found = judge(np.eye(4, dtype=np.float32)[pairs[:, 1]], pairs[:, 0])
    assert found["confusion"] == confusion.tolist()
    ours = {
        "accuracy": found["accuracy"],
        "sensitivity": found["macro_recall"],
        "specificity": found["macro_specificity"],
        "error_rate": found["error_rate"],
        "precision": found["macro_precision"],
        "f1": found["macro_f1"],
        "quadratic_kappa": found["quadratic_kappa"],
    }
    assert ours == pytest.approx(system["recomputed"], abs=6e-5)


def test_values_agree_with_scikit_learn_and_numpy(judged_values, regression):
    rng = np.random.default_rng(0)
    actual = rng.choice([0, 0.3, 0.6, 0.9], 200).astype(np.float32)
    predicted = (actual + rng.normal(0.05, 0.1, 200)).astype(np.float32)
    found = regression.metrics(judged_values(predicted, actual))
    difference = predicted.astype(np.float64) - actual
    assert found["mae"] == pytest.approx(peer.mean_absolute_error(actual, predicted), rel=1e-6)
    assert found["rmse"] == pytest.approx(peer.root_mean_squared_error(actual, predicted), rel=1e-6)
    assert found["correlation"] == pytest.approx(np.corrcoef(actual, predicted)[0, 1], rel=1e-6)
    assert found["bias"] == pytest.approx(difference.mean())
    spread = 1.96 * difference.std(ddof=1)
    assert found["lower_limit"] == pytest.approx(difference.mean() - spread)
    assert found["upper_limit"] == pytest.approx(difference.mean() + spread)


def test_values_without_variation_have_no_correlation(judged_values, regression):
    constant = regression.metrics(judged_values(np.full(5, 0.5), np.arange(5) / 5))
    assert constant["correlation"] is None
    single = regression.metrics(judged_values([0.5], [0.4]))
    names = ("lower_limit", "upper_limit", "correlation")
    assert [single[name] for name in names] == [None, None, None]


def test_no_predictions_cannot_be_judged(judged_classes, judged_values, classification, regression):
    nothing = judged_classes(np.zeros((0, 4)), np.zeros(0, dtype=np.int64))
    for task, judged in ((classification, nothing), (regression, judged_values([], []))):
        with pytest.raises(InputError, match="no predictions to judge"):
            judge_target(task, judged, source="head", resamples=9, seed=0)


def test_values_of_a_class_have_an_error_of_their_own(regression, judged_classes, judged_values):
    rng = np.random.default_rng(0)
    label, (actual, predicted) = rng.integers(0, 3, 60), rng.random((2, 60))
    group = judged_classes(np.eye(4)[label], label)
    judged = replace(judged_values(predicted, actual), group=label, group_names=group.group_names)
    found = regression.metrics(judged)["mae_by_class"]
    for k, name in enumerate("abc"):
        expected = peer.mean_absolute_error(actual[label == k], predicted[label == k])
        assert found[name] == pytest.approx(expected)
    assert found["d"] is None


def test_vectors_have_the_mean_error_of_their_numbers(judged_values, regression):
    actual, predicted = np.random.default_rng(0).random((2, 30, 3))
    judged = judged_values(predicted, actual, shape=(3,), units="angstrom")
    found = regression.metrics(judged)
    assert found["mae"] == pytest.approx(peer.mean_absolute_error(actual, predicted))
    assert found["rmse"] == pytest.approx(np.sqrt(((actual - predicted) ** 2).mean()))
    drawn = regression.resampled(judged, np.ones((1, 30)))
    assert {name: value[0] for name, value in drawn.items()} == pytest.approx(found)
    assert regression.title("mae", judged.target) == "MAE [Å]"


def test_they_give_no_warnings(judge):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judge(*random_predictions(0, count=8))
