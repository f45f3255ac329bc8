"""Temperature, reject flag, and their files in a run."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.optimize import minimize_scalar

from crystalvision.calibration import Novelty, fit_temperature, load_calibration, scale
from crystalvision.calibration._profile import radial_profile
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate
from crystalvision.prediction import Predictor
from crystalvision_tasks.reliability import reliability


def draw_scores(sharpness: float, count: int = 4000) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities that are too sure by a factor, and labels drawn of the right ones."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(count, 4, generator=generator, dtype=torch.float64)
    label = torch.multinomial(scores.softmax(1), 1, generator=generator)[:, 0]
    return (scores * sharpness).softmax(1), label


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_overconfidence(sharpness):
    probabilities, label = draw_scores(sharpness)
    temperature = fit_temperature(probabilities, label)
    assert temperature == pytest.approx(sharpness, rel=0.1)
    told = scale(probabilities, temperature)
    assert torch.allclose(told.sum(1), torch.ones(len(told), dtype=told.dtype))
    assert torch.equal(told.argmax(1), probabilities.argmax(1))
    right = (told.argmax(1) == label).numpy()
    assert reliability(told.max(1).values.numpy(), right).error < 0.03


@pytest.mark.parametrize("told", [0.8, 0.9, 0.95, 0.99])
def test_a_few_right_patterns_are_no_proof_of_certainty(told):
    """16 of 16 right is what a calibrated system gives in 3 to 85 of 100 cases."""
    probabilities = torch.full((16, 4), (1 - told) / 3, dtype=torch.float64)
    label = torch.arange(16) % 4
    probabilities[torch.arange(16), label] = told
    temperature = fit_temperature(probabilities, label)
    assert 0.85 < temperature < 1
    surest = scale(probabilities, temperature).max()
    assert surest < 1 - (1 - told) / 2, "it claims at most to be wrong half as often"


@pytest.mark.parametrize("sharpness", [0.7, 1.0, 3.0])
def test_many_patterns_decide_alone(sharpness):
    probabilities, label = draw_scores(sharpness)
    scores = probabilities.log()

    def loss(log_temperature: float) -> float:
        told = (scores / np.exp(log_temperature)).log_softmax(1)
        return -float(told[torch.arange(len(label)), label].sum())

    likeliest = float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))
    assert fit_temperature(probabilities, label) == pytest.approx(likeliest, rel=0.01)


def test_a_few_wrong_patterns_make_less_sure():
    probabilities = torch.full((16, 4), 0.01 / 3, dtype=torch.float64)
    probabilities[:, 0] = 0.99
    label = torch.tensor([0] * 8 + [1] * 8)
    assert fit_temperature(probabilities, label) > 2


def test_certain_probabilities_stay_numbers():
    told = scale(torch.eye(3), 2.0)
    assert torch.isfinite(told).all()


def test_five_in_a_hundred_like_patterns_are_rejected_and_others_all():
    generator = torch.Generator().manual_seed(1)
    train, held_out, test = (
        {"features": torch.randn(count, 8, generator=generator)} for count in (500, 400, 2000)
    )
    novelty = Novelty.fit(train, held_out)
    rejected = (novelty.of(test) > 1).float().mean()
    assert 0.02 < rejected < 0.09
    assert (novelty.of({"features": test["features"] + 6}) > 1).all()


def test_two_views_together_reject_no_more():
    generator = torch.Generator().manual_seed(2)
    draws = [
        {name: torch.randn(count, 5, generator=generator) for name in ("one", "two")}
        for count in (400, 400)
    ]
    novelty = Novelty.fit(*draws)
    assert (novelty.of(draws[1]) > 1).float().mean() == pytest.approx(0.05, abs=0.005)


def test_the_radial_profile_does_not_turn():
    images = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    profile = radial_profile(images)
    assert profile.shape == (2, 48)
    assert torch.allclose(radial_profile(images.rot90(1, (2, 3))), profile, atol=1e-6)
    constant = radial_profile(torch.full((1, 1, 48, 48), 3.0))[0]
    assert torch.allclose(constant[:24], torch.tensor(3.0))
    assert torch.allclose(constant[24:], torch.tensor(0.0), atol=2e-3)


def test_training_leaves_a_calibration_that_prediction_uses(run_path, dataset, catalogue):
    trust = load_calibration(run_path)
    assert set(trust.novelty.views) == {"features", "radial_profile"}
    images = dataset.images(dataset.split("test"))
    told = Predictor.load(run_path, catalogue=catalogue).predict(images)
    plain = Predictor.load(run_path, catalogue=catalogue, calibrated=False).predict(images)
    assert (told.calibrated, plain.calibrated) == (True, False)
    assert plain.novelty is None
    given = torch.from_numpy(plain["label"].probabilities)
    expected = scale(given, trust.record.temperatures["label"]).numpy()
    assert np.allclose(told["label"].probabilities, expected, atol=1e-6)
    assert told.rejected.mean() < 0.3


def test_noise_is_flagged(run_path, catalogue):
    noise = np.random.default_rng(0).poisson(3, (20, 1, 32, 32))
    told = Predictor.load(run_path, catalogue=catalogue).predict(noise)
    assert told.rejected.mean() >= 0.9


def test_evaluation_says_what_was_rejected(run, dataset):
    metrics = evaluate(run, dataset, resamples=5).metrics
    assert 0 <= metrics.rejected < 0.5
    told = metrics.targets["label"]
    assert told.temperature == load_calibration(run.path).record.temperatures["label"]
    plain = evaluate(run, dataset, resamples=5, calibrated=False).metrics
    assert (plain.rejected, plain.targets["label"].temperature) == (None, None)


@pytest.fixture
def copy(run_path, tmp_path):
    return shutil.copytree(run_path, tmp_path / "copy")


def test_a_run_without_calibration_still_predicts(copy, dataset, catalogue):
    (copy / "calibration.json").unlink()
    (copy / "reference.safetensors").unlink()
    told = Predictor.load(copy, catalogue=catalogue).predict(dataset.images([0]))
    assert (told.calibrated, told.novelty) == (False, None)


def damage_json(copy):
    (copy / "calibration.json").write_text("{")


def damage_temperature(copy):
    described = json.loads((copy / "calibration.json").read_text())
    (copy / "calibration.json").write_text(
        json.dumps(described | {"temperatures": {"label": "hot"}})
    )


def lose_json(copy):
    (copy / "calibration.json").unlink()


def cut_tensors(copy):
    content = (copy / "reference.safetensors").read_bytes()
    (copy / "reference.safetensors").write_bytes(content[:-50])


def lose_tensor(copy):
    tensors = load_file(copy / "reference.safetensors")
    del tensors["features.shift"]
    save_file(tensors, copy / "reference.safetensors")


def change_shape(copy):
    tensors = load_file(copy / "reference.safetensors")
    tensors["features.shift"] = tensors["features.shift"][:-1].contiguous()
    save_file(tensors, copy / "reference.safetensors")


@pytest.mark.parametrize(
    "damage",
    [damage_json, damage_temperature, lose_json, cut_tensors, lose_tensor, change_shape],
)
def test_a_damaged_calibration_is_refused_in_one_line(copy, catalogue, damage):
    damage(copy)
    with pytest.raises(InputError, match="or predict with --uncalibrated") as caught:
        Predictor.load(copy, catalogue=catalogue)
    assert "\n" not in str(caught.value)
    Predictor.load(copy, catalogue=catalogue, calibrated=False)
