"""Bootstrap intervals: equal to the metrics, to a plain bootstrap, and honest about specimens."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from sklearn import metrics as peer
from torchmetrics.functional.classification import multiclass_calibration_error

from crystalvision.contracts import EvaluatedEstimates, Target
from crystalvision.errors import InputError
from crystalvision.evaluation import intervals_of, proportion_interval, wilson_interval
from crystalvision_tasks.classification import Classification
from crystalvision_tasks.regression import Regression
from crystalvision_tasks.reliability import reliability

NAMES = ("a", "b", "c", "d")


def draw(seed: int, count: int = 200):
    """Probabilities, labels, severities and predicted severities."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 4, count)
    scores = rng.normal(size=(count, 4)).round(1) + np.eye(4)[label]  # rounded: scores that tie
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    severity = label * 0.3
    return probabilities, label, severity, severity + rng.normal(0, 0.1, count)


def of_classes(probabilities, label, specimen=None) -> EvaluatedEstimates:
    target = Target(name="label", task="classification", classes=NAMES)
    own = np.arange(len(label)) if specimen is None else specimen
    return EvaluatedEstimates(
        target, label, np.asarray(probabilities).argmax(axis=1), probabilities, own
    )


def of_values(severity, predicted) -> EvaluatedEstimates:
    target = Target(name="severity", task="regression")
    return EvaluatedEstimates(target, severity, predicted, None, np.arange(len(severity)))


def intervals(probabilities, label, specimen=None, **options):
    return intervals_of(Classification(), of_classes(probabilities, label, specimen), **options)


def flat(metrics: dict[str, object]) -> dict[str, float]:
    found = {}
    for name, value in metrics.items():
        inner = value if isinstance(value, dict) else {"": value}
        found |= {f"{name}.{of}".removesuffix("."): number for of, number in inner.items()}
    return found


@pytest.mark.parametrize("seed", range(20))
def test_weights_of_one_give_the_metrics(seed):
    probabilities, label, severity, told = draw(seed)
    once = np.ones((1, len(label)))
    for task, judged in (
        (Classification(), of_classes(probabilities, label)),
        (Regression(), of_values(severity, told)),
    ):
        found = {key: float(value[0]) for key, value in task.resampled(judged, once).items()}
        expected = flat(task.metrics(judged))
        assert found == pytest.approx({key: expected[key] for key in found}, abs=2e-6)
        left = {"confusion", "expected_calibration_error", "calibration_error_by_chance"}
        assert {key.split(".")[0] for key in set(expected) - set(found)} <= left | {"samples"}


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_repeated_patterns(seed):
    probabilities, label, severity, told = draw(seed, 60)
    drawn = np.random.default_rng(seed).integers(0, 60, 60)
    weights = np.bincount(drawn, minlength=60)[None].astype(float)
    found = Classification().resampled(of_classes(probabilities, label), weights)
    again = probabilities[drawn], label[drawn]
    for k, name in enumerate(NAMES):
        positive = again[1] == k
        assert found[f"auc.{name}"][0] == pytest.approx(
            peer.roc_auc_score(positive, again[0][:, k])
        )
        assert found[f"average_precision.{name}"][0] == pytest.approx(
            peer.average_precision_score(positive, again[0][:, k])
        )
    assert found["macro_f1"][0] == pytest.approx(
        peer.f1_score(again[1], again[0].argmax(1), average="macro")
    )
    expected = peer.r2_score(severity[drawn], told[drawn])
    found = Regression().resampled(of_values(severity, told), weights)
    assert found["r2"][0] == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_the_calibration_error_is_that_of_torchmetrics(seed):
    probabilities, label, *_ = draw(seed)
    expected = multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(label), 4, n_bins=15, norm="l1"
    )
    right = probabilities.argmax(1) == label
    assert reliability(probabilities.max(1), right).error == pytest.approx(float(expected))


def test_an_interval_of_the_accuracy_is_that_of_the_binomial():
    _, label, *_ = draw(0, 400)
    probabilities = np.eye(4)[np.where(np.arange(400) < 320, label, (label + 1) % 4)]
    low, high = intervals(probabilities, label).of("accuracy")
    spread = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert (low, high) == pytest.approx((0.8 - spread, 0.8 + spread), abs=0.006)


def test_specimens_are_drawn_whole():
    """Ten patterns of each specimen, all alike: there are as many facts as specimens."""
    probabilities, label, *_ = draw(1, 60)
    alone = intervals(probabilities, label)
    repeated = [np.repeat(each, 10, axis=0) for each in (probabilities, label)]
    specimen = np.repeat(np.arange(60), 10)
    whole = intervals(*repeated, specimen)
    assert (whole.unit, whole.units) == ("specimen", 60)
    assert whole.of("accuracy") == pytest.approx(alone.of("accuracy"), abs=0.005)
    assert whole.of("brier") == pytest.approx(alone.of("brier"))
    naive = intervals(*repeated)
    widths = [np.ptp(each.of("accuracy")) for each in (whole, naive)]
    assert widths[0] > 2 * widths[1]


@pytest.mark.parametrize("count", [16, 160])
def test_no_interval_claims_certainty(count):
    """Every pattern right: resampling sees no doubt, but so many patterns cannot exclude it."""
    label = np.arange(count) % 4
    told = intervals(np.eye(4)[label], label)
    low, high = binomtest(count, count).proportion_ci(method="wilson")
    assert told.of("accuracy") == pytest.approx((low, high), abs=1e-9)
    assert told.of("error_rate") == pytest.approx((0, 1 - low), abs=1e-9)
    low, _ = binomtest(count // 4, count // 4).proportion_ci(method="wilson")
    for name in ("recall.a", "precision.b", "auc.c", "macro_recall", "macro_auc"):
        assert told.of(name) == pytest.approx((low, 1), abs=1e-9), name
    assert told.of("f1.a") == pytest.approx((2 * low / (1 + low), 1), abs=1e-9)
    assert {"quadratic_kappa", "brier"} <= set(told.all_the_same)
    exact = intervals_of(Regression(), of_values(label * 0.3, label * 0.3))
    assert "mae" in exact.all_the_same
    assert exact.of("mae") is None
    assert all(each is None or each[1] > each[0] for each in told.values.values())


@pytest.mark.parametrize("seed", range(5))
def test_proportions_have_wilsons_interval(seed):
    probabilities, label, *_ = draw(seed)
    found = intervals(probabilities, label, resamples=20)
    predicted = probabilities.argmax(1)
    right = predicted == label
    for name, hit, counted in (
        ("accuracy", right, label >= 0),
        ("error_rate", ~right, label >= 0),
        ("recall.b", right, label == 1),
        ("precision.c", right, predicted == 2),
        ("specificity.d", predicted != 3, label != 3),
    ):
        hits, trials = int((hit & counted).sum()), int(counted.sum())
        expected = binomtest(hits, trials).proportion_ci(method="wilson")
        assert found.of(name) == pytest.approx((expected.low, expected.high), abs=1e-9), name


def test_wilsons_interval_of_specimens_holds_the_truth():
    """Patterns of a specimen that resemble each other: 95 % of the intervals hold the proportion.

    Wilson's of as many patterns would hold it far less often.
    """
    rng = np.random.default_rng(0)
    held, naive = [], []
    for _ in range(400):
        chance = rng.beta(4, 1, 20)  # of each specimen
        specimen = np.repeat(np.arange(20), 10)
        hit = rng.random(200) < chance[specimen]
        low, high = proportion_interval(hit, np.ones(200, dtype=bool), specimen)
        held.append(low <= 0.8 <= high)
        low, high = wilson_interval(hit.sum(), 200)
        naive.append(low <= 0.8 <= high)
    assert 0.92 <= np.mean(held) <= 0.99
    assert np.mean(naive) < 0.85


def test_specimens_that_are_all_right_count_once_each():
    hit, specimen = np.ones(200, dtype=bool), np.repeat(np.arange(20), 10)
    low, high = proportion_interval(hit, hit, specimen)
    assert (low, high) == pytest.approx(wilson_interval(20, 20))


def test_the_seed_decides():
    drawn = draw(2)[:2]
    first, again = (intervals(*drawn, resamples=50) for _ in range(2))
    assert first == again
    assert intervals(*drawn, resamples=50, seed=1) != first


def test_what_means_nothing_has_no_interval():
    probabilities = draw(3, 30)[0]
    label = np.zeros(30, dtype=int)
    found = intervals(probabilities, label, resamples=20)
    assert found.of("auc.a") is None
    assert found.of("recall.b") is None
    assert found.of("recall.a") is not None


@pytest.mark.parametrize(
    ("count", "options", "message"),
    [(0, {}, "no predictions"), (9, {"resamples": 1}, "resamples=1"), (9, {"level": 2}, "level=2")],
)
def test_wrong_settings_are_refused(count, options, message):
    with pytest.raises(InputError, match=message):
        intervals(*draw(0, count)[:2], **options)
