"""The flag of patterns between classes."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from crystalvision.calibration import doubt_limits, in_doubt, load_calibration
from crystalvision.cli import main
from crystalvision.contracts import Target
from crystalvision.evaluation import evaluate
from crystalvision.explorer.runs._answer import Answer
from crystalvision.explorer.runs._card import numbers_of
from crystalvision.prediction import Ensemble, Estimates, Predictions, Predictor, join, restrict

NAMES = ("NaCl", "KCl", "NaBr")
TARGET = Target(
    name="label",
    task="classification",
    classes=NAMES,
    class_elements=(("Cl", "Na"), ("Cl", "K"), ("Br", "Na")),
)


def draw(count, seed, *, errors=True):
    """Calibrated probabilities, and labels drawn of them."""
    generator = torch.Generator().manual_seed(seed)
    probabilities = (3 * torch.randn(count, 3, generator=generator)).softmax(1)
    label = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
    return probabilities, label if errors else probabilities.argmax(1)


def limit_of(probabilities, label, temperature=1.0):
    return doubt_limits({"label": probabilities}, {"label": label}, {"label": temperature})["label"]


def said(probabilities, limits=None):
    probabilities = np.asarray(probabilities, dtype=np.float32)
    estimates = Estimates(TARGET, probabilities.argmax(1), probabilities)
    return Predictions({"label": estimates}, {"label": "head"}, doubt_limits=limits or {})


def test_five_in_a_hundred_right_patterns_are_flagged_and_more_of_the_wrong():
    limit = limit_of(*draw(1000, 0))
    probabilities, label = draw(20_000, 1)
    flag = in_doubt(probabilities.numpy(), limit)
    right = (probabilities.argmax(1) == label).numpy()
    assert right.mean() < 0.9
    assert flag[right].mean() == pytest.approx(0.05, abs=0.015)
    assert flag[~right].mean() > 4 * flag[right].mean()


def test_a_few_dozen_patterns_flag_five_in_a_hundred_on_average():
    test = draw(20_000, 1, errors=False)[0].numpy()
    shares = [
        in_doubt(test, limit_of(*draw(30, seed, errors=False))).mean() for seed in range(2, 302)
    ]
    assert np.mean(shares) == pytest.approx(0.05, abs=0.007)


def test_patterns_told_alike_are_not_flagged_by_rounding():
    votes = torch.tensor([[0.7, 0.2, 0.1]]).repeat(40, 1)
    label = torch.zeros(40, dtype=torch.long)
    limit = limit_of(votes, label)
    assert not in_doubt(votes.numpy() - np.float32(1e-7), limit).any()
    assert in_doubt(np.array([[0.6, 0.3, 0.1]]), limit).all()


def test_certain_patterns_are_decided_and_less_certain_ones_not():
    limit = limit_of(torch.eye(3).repeat(20, 1), torch.arange(3).repeat(20))
    assert not in_doubt(np.eye(3, dtype=np.float32), limit).any()
    assert in_doubt(np.array([[0.9, 0.1, 0.0]]), limit).all()


def test_there_is_no_limit_where_nothing_was_told_rightly():
    probabilities = torch.eye(3)
    assert doubt_limits({"label": probabilities}, {"label": (torch.arange(3) + 1) % 3}, {}) == {}


def test_targets_share_the_false_flags():
    given = {name: draw(2000, seed)[0] for seed, name in enumerate(("one", "two"))}
    truth = {name: each.argmax(1) for name, each in given.items()}
    limits = doubt_limits(given, truth, dict.fromkeys(given, 1.0))
    flags = [in_doubt(each.numpy(), limits[name]) for name, each in given.items()]
    assert np.any(flags, axis=0).mean() == pytest.approx(0.05, abs=0.005)


def test_what_follows_from_predictions_keeps_the_flag():
    predictions = said([[0.9, 0.05, 0.05], [0.5, 0.1, 0.4]], {"label": 0.3})
    assert predictions.undecided.tolist() == [False, True]
    assert join([predictions, predictions]).undecided.tolist() == [False, True] * 2
    without_bromine = restrict(predictions, {"Na", "K", "Cl"})
    assert without_bromine.undecided.tolist() == [False, False]
    assert replace(predictions, doubt_limits={}).undecided is None


def test_a_card_says_that_a_class_is_undecided():
    limits = {"label": 0.3}
    card = [
        numbers_of(Answer("run", np.zeros((1, 2, 2)), (), said([each], limits)))["label"]
        for each in ([0.9, 0.05, 0.05], [0.5, 0.1, 0.4])
    ]
    assert card == ["NaCl (90.0%)", "NaCl (50.0%), undecided: another may be right"]


@pytest.fixture
def strict(run_path, tmp_path):
    """A run to which every answer is undecided that is not certain."""
    return with_limit(run_path, tmp_path / "strict", 0.0)


def with_limit(run_path, path, limit):
    shutil.copytree(run_path, path)
    record = json.loads((path / "calibration.json").read_text())
    record["doubt_limits"] = {} if limit is None else {"label": limit}
    (path / "calibration.json").write_text(json.dumps(record))
    return path


def test_training_leaves_a_limit_that_prediction_uses(run_path, dataset, catalogue):
    record = load_calibration(run_path).record
    assert set(record.doubt_limits) == {"label"}
    images = dataset.images(dataset.split("test"))
    found = Predictor.load(run_path, catalogue=catalogue).predict(images)
    highest = found["label"].probabilities.max(axis=1).astype(float)
    assert found.undecided.tolist() == (1 - highest > record.doubt_limits["label"]).tolist()
    assert Predictor.load(run_path, calibrated=False).predict(images[:1]).undecided is None


def test_a_calibration_of_an_earlier_version_has_no_such_flag(run_path, dataset, tmp_path, capsys):
    old = with_limit(run_path, tmp_path / "old", None)
    record = json.loads((old / "calibration.json").read_text())
    del record["doubt_limits"]
    (old / "calibration.json").write_text(json.dumps(record))
    found = Predictor.load(old).predict(dataset.images([0]))
    assert (found.undecided, found.rejected.shape) == (None, (1,))
    assert main(["predict", str(old), f"{dataset.path}[0]", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "has no limit of doubt" in " ".join(err.split())
    assert "undecided" not in json.loads(out)["predictions"][0]


def test_an_ensemble_has_the_mean_limit_of_its_runs(run_path, strict, dataset, tmp_path):
    images = dataset.images([0, 1])
    other = with_limit(run_path, tmp_path / "other", 0.5)
    old = with_limit(run_path, tmp_path / "none", None)
    members = [Predictor.load(path) for path in (strict, other, old)]
    assert Ensemble(members[:2]).predict(images).doubt_limits == {"label": 0.25}
    assert Ensemble(members).predict(images).undecided is None


def test_predict_shows_what_is_undecided(strict, dataset, capsys):
    line = ["predict", str(strict), f"{dataset.path}[0:2]"]
    assert main(line) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "? 0." in text
    assert "? 2 of 2 patterns are undecided between classes" in text
    assert main([*line, "--csv"]) == 0
    assert "undecided" in capsys.readouterr().out.splitlines()[0].split(",")
    assert main([*line, "--json", "--uncalibrated"]) == 0
    assert "undecided" not in json.loads(capsys.readouterr().out)["predictions"][0]


def test_evaluation_counts_flags_of_right_and_wrong_patterns(run, dataset, tmp_path, capsys):
    found = evaluate(run, dataset, split="all", resamples=5)
    counted, predictions = found.metrics.flagged, found.predictions
    wrong = found.judged["label"].value != found.judged["label"].truth
    assert (counted.all.patterns, counted.wrong.patterns) == (len(wrong), wrong.sum())
    assert counted.right.flags["undecided"].share == predictions.undecided[~wrong].mean()
    either = predictions.undecided | predictions.rejected
    assert counted.all.flags["either"].share == either.mean()
    low, high = counted.all.flags["either"].interval
    assert low < either.mean() < high
    plain = evaluate(run, dataset, split="test", resamples=5, calibrated=False)
    assert plain.metrics.flagged is None
