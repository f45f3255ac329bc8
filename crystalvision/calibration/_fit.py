"""Fits to held-out patterns what makes predictions trustworthy."""

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field

from crystalvision.calibration._doubt import doubt_limits
from crystalvision.calibration._novelty import FALSE_REJECTS, NEIGHBOURS, Novelty
from crystalvision.calibration._predict import Predict, SystemPrediction, predict_with
from crystalvision.calibration._profile import radial_profile
from crystalvision.calibration._temperature import fit_temperature, scale
from crystalvision.config import Config
from crystalvision.models import System
from crystalvision.training import Patterns

_MOST_REFERENCES = 1000  # distances to them are quick, and more add little


class CalibrationRecord(Config):
    """What `calibration.json` holds.

    Attributes:
        format: Version of this layout.
        temperatures: Divide the logarithms of the probabilities of each target that has classes,
            one for each pattern; by name.
        patterns: Validation patterns that they were fitted to.
        negative_log_likelihood: Of their classes, before and after, by target.
        neighbours: Which nearest training pattern a pattern's distance is measured to.
        false_rejects: Share of patterns like the training data that the limits reject, and of
            those told rightly that the limits of doubt flag.
        limits: Distance at which a pattern counts as unlike, by view.
        doubt_limits: 1 - the largest calibrated probability above which the class of a pattern
            counts as undecided, by target; empty in runs of earlier versions.
    """

    format: Literal[2] = 2
    temperatures: dict[str, float]
    patterns: int
    negative_log_likelihood: dict[str, tuple[float, float]]
    neighbours: int = NEIGHBOURS
    false_rejects: float = FALSE_REJECTS
    limits: dict[str, float]
    doubt_limits: dict[str, float] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PredictionCalibration:
    """A fitted calibration.

    Attributes:
        record: Its numbers.
        novelty: Tells patterns that are unlike the training data.
    """

    record: CalibrationRecord
    novelty: Novelty


@dataclass(frozen=True, slots=True)
class _HeldOut:
    probabilities: dict[str, torch.Tensor]
    truth: dict[str, torch.Tensor]
    count: int
    views: dict[str, torch.Tensor]


def fit_calibration(
    system: System,
    training: Patterns,
    validation: Patterns,
    *,
    device: torch.device | None = None,
    seed: int = 0,
    batch_size: int = 32,
) -> PredictionCalibration:
    """Fit temperatures, and the limits beyond which patterns are unlike or undecided.

    Args:
        system: The trained system; put back to where it was.
        training: Patterns that it was trained on; at most 1000 of them are looked at.
        validation: Patterns that it was not trained on.
        device: Where to predict; by default the CPU.
        seed: Chooses the training patterns.
        batch_size: Patterns that pass through the system at once.

    Raises:
        InputError: No patterns.
    """
    device = device or torch.device("cpu")
    home = next((weight.device for weight in system.parameters()), device)
    system.eval().to(device)
    predict = predict_with(system)
    generator = torch.Generator().manual_seed(seed % 2**63)
    # Without branches there are no features, and what it says of training patterns is not needed.
    known = _describe(predict if system.branches else None, training, device, batch_size, generator)
    held_out = _describe(predict, validation, device, batch_size, None)
    system.to(home)
    novelty = Novelty.fit(known.views, held_out.views)
    temperatures, losses = {}, {}
    for name, probabilities in held_out.probabilities.items():
        truth = held_out.truth[name]
        temperatures[name] = fit_temperature(probabilities, truth)
        losses[name] = (
            _loss(probabilities, truth),
            _loss(scale(probabilities, temperatures[name]), truth),
        )
    record = CalibrationRecord(
        temperatures=temperatures,
        patterns=held_out.count,
        negative_log_likelihood=losses,
        limits={name: view.limit for name, view in novelty.views.items()},
        doubt_limits=doubt_limits(held_out.probabilities, held_out.truth, temperatures),
    )
    return PredictionCalibration(record, novelty)


def views_of(images: torch.Tensor, predicted: SystemPrediction | None) -> dict[str, torch.Tensor]:
    """The descriptions by which patterns are compared with the training data.

    Args:
        images: Prepared images, (b, c, *grid).
        predicted: What the system made of them, if it was asked.
    """
    views = {"radial_profile": radial_profile(images)}
    if predicted is not None and predicted.features is not None:
        views["features"] = predicted.features
    return views


@torch.inference_mode()
def _describe(
    predict: Predict | None,
    patterns: Patterns,
    device: torch.device,
    batch_size: int,
    generator: torch.Generator | None,
) -> _HeldOut:
    """Descriptions, and what a system says: of all patterns, or of some that a generator draws."""
    probabilities: dict[str, list[torch.Tensor]] = {}
    truth: dict[str, list[torch.Tensor]] = {}
    views: dict[str, list[torch.Tensor]] = {}
    count = 0
    for raw, targets in patterns.batches(batch_size, generator):
        images = patterns.prepare(raw.to(device))
        predicted = predict(images) if predict else None
        for name, estimate in (predicted.estimates if predicted else {}).items():
            if estimate.probabilities is not None and estimate.value.ndim == 1:
                probabilities.setdefault(name, []).append(estimate.probabilities.float().cpu())
                truth.setdefault(name, []).append(targets[name])
        for name, values in views_of(images, predicted).items():
            views.setdefault(name, []).append(values.cpu())
        count += len(images)
        if generator is not None and count >= _MOST_REFERENCES:
            break
    return _HeldOut(_joined(probabilities), _joined(truth), count, _joined(views))


def _joined(parts: dict[str, list[torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.cat(each) for name, each in parts.items()}


def _loss(probabilities: torch.Tensor, label: torch.Tensor) -> float:
    smallest = torch.finfo(torch.float32).tiny
    scores = probabilities.double().clamp(min=smallest).log()
    return round(-float(scores[torch.arange(len(label)), label].mean()), 6)
