"""How near a wrong answer was, where there are many classes."""

import tracemalloc

import numpy as np
import pytest

from crystalvision.contracts import EvaluatedEstimates, Target
from crystalvision_tasks.classification import Classification


def judged(probabilities, truth):
    classes = tuple(f"c{n}" for n in range(probabilities.shape[1]))
    target = Target(name="label", task="classification", classes=classes)
    value = probabilities.argmax(axis=1)
    return EvaluatedEstimates(target, truth, value, probabilities, np.arange(len(truth)))


def test_ranks_count_equal_probabilities_against_the_truth():
    rows = np.zeros((3, 12))
    rows[:, :4] = [[0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25]]
    found = Classification().metrics(judged(rows, np.array([1, 3, 0])))
    assert found["top_2"] == pytest.approx(1 / 3)
    assert found["top_3"] == pytest.approx(1 / 3)
    assert found["top_4"] == found["top_5"] == pytest.approx(1.0)
    never = Classification().metrics(judged(rows, np.array([11, 11, 11])))
    assert never["top_5"] == 0


def test_shares_have_intervals_of_either_kind():
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(12), size=60)
    estimates = judged(rows, rng.integers(12, size=60))
    task = Classification()
    metrics, weights = task.metrics(estimates), np.ones((1, 60))
    for name in ("top_2", "top_3", "top_4", "top_5"):
        assert task.resampled(estimates, weights)[name] == pytest.approx(metrics[name])
        assert task.proportions(estimates)[name].hit.mean() == pytest.approx(metrics[name])


def test_few_classes_have_none():
    assert "top_2" not in Classification().metrics(judged(np.eye(4), np.arange(4)))


def test_resamples_of_a_library_need_no_table_of_all_pairs_of_phases():
    rng, phases = np.random.default_rng(1), 900
    rows = rng.dirichlet(np.ones(phases), size=200)
    truth = rng.integers(50, size=200)
    estimates = judged(rows, truth)
    tracemalloc.start()
    found = Classification().resampled(estimates, np.ones((20, 200)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100 * 2**20  # a table of every resample is 130 MB, one of every pair 5 TB
    metrics = Classification().metrics(estimates)
    for name in ("quadratic_kappa", "macro_recall", "macro_auc", "brier"):
        assert found[name] == pytest.approx(metrics[name], rel=1e-5, abs=1e-6)  # single precision
    assert np.isnan(found["auc.c800"]).all()
