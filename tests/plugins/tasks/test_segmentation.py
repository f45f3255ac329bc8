"""Maps of classes against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn import metrics as peer

from crystalvision.contracts import Estimate, EvaluatedEstimates, Target
from crystalvision.errors import InputError
from crystalvision.evaluation import judge_target
from crystalvision_tasks.segmentation import Segmentation

NAMES = ("background", "disk", "streak")
TARGET = Target(name="map", task="segmentation", shape=(8, 9), classes=NAMES)


def draw(seed: int, count: int = 24) -> EvaluatedEstimates:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, size=(count, 8, 9))
    value = np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 3, truth.shape))
    return EvaluatedEstimates(TARGET, truth, value, None, np.arange(count) // 2)


def test_it_agrees_with_scikit_learn():
    judged = draw(0)
    truth, value = judged.truth.ravel(), judged.value.ravel()
    found = Segmentation().metrics(judged)
    assert found["pixel_accuracy"] == pytest.approx(peer.accuracy_score(truth, value))
    assert found["mean_iou"] == pytest.approx(peer.jaccard_score(truth, value, average="macro"))
    assert found["mean_dice"] == pytest.approx(peer.f1_score(truth, value, average="macro"))
    for name, expected in zip(NAMES, peer.jaccard_score(truth, value, average=None), strict=True):
        assert found["iou"][name] == pytest.approx(expected)
    each = [
        peer.jaccard_score(one.ravel(), other.ravel(), average="macro")
        for one, other in zip(judged.truth, judged.value, strict=True)
    ]
    assert np.allclose(Segmentation().scores(judged), each)
    assert found["sample_iou"] == pytest.approx(np.mean(each))
    assert Segmentation().columns(judged)["sample_iou"] == pytest.approx(each)


def test_a_score_is_of_a_batch_on_any_device():
    judged = draw(1)
    estimate = Estimate(torch.from_numpy(judged.value))
    score = Segmentation().score(estimate, torch.from_numpy(judged.truth), TARGET)
    assert np.allclose(score.numpy(), Segmentation().scores(judged))


def test_points_that_are_none_of_the_classes_are_not_judged():
    judged = draw(2)
    hidden = np.random.default_rng(0).random(judged.truth.shape) < 0.3
    masked = EvaluatedEstimates(
        TARGET, np.where(hidden, -1, judged.truth), judged.value, None, judged.specimen
    )
    found = Segmentation().metrics(masked)
    seen = ~hidden.ravel()
    expected = peer.jaccard_score(
        judged.truth.ravel()[seen], judged.value.ravel()[seen], average="macro"
    )
    assert found["mean_iou"] == pytest.approx(expected)


def test_a_class_that_does_not_occur_has_no_number():
    truth = np.zeros((4, 8, 9), dtype=np.int64)
    found = Segmentation().metrics(EvaluatedEstimates(TARGET, truth, truth, None, np.arange(4)))
    assert found["iou"] == {"background": 1.0, "disk": None, "streak": None}
    assert found["mean_iou"] == found["sample_iou"] == 1.0


def test_weights_are_repeated_samples_and_specimens_are_drawn_whole():
    judged = draw(3)
    drawn = np.random.default_rng(0).integers(0, 24, 24)
    weights = np.bincount(drawn, minlength=24)[None].astype(float)
    again = Segmentation().metrics(judged.part(drawn))
    found = Segmentation().resampled(judged, weights)
    for name in ("sample_iou", "mean_iou", "mean_dice", "pixel_accuracy"):
        assert found[name][0] == pytest.approx(again[name]), name
    assert found["iou.disk"][0] == pytest.approx(again["iou"]["disk"])
    told = judge_target(Segmentation(), judged, source="head", resamples=50, seed=0)
    assert (told.intervals.unit, told.intervals.units) == ("specimen", 12)
    low, high = told.intervals.of("mean_iou")
    assert low < told["mean_iou"] < high


def test_figures_show_overlap_and_examples():
    judged = draw(4)
    figures = Segmentation().figures(judged, Segmentation().metrics(judged))
    assert [each.name for each in figures] == ["overlap", "examples"]
    assert "disk" in figures[0].alt


def test_numbers_are_refused():
    with pytest.raises(InputError, match="judges maps of classes"):
        Segmentation().check(Target(name="x", task="segmentation"))
