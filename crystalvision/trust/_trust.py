"""Fits to held-out patterns what makes predictions trustworthy."""

from dataclasses import dataclass
from typing import Literal

import torch

from crystalvision.config import Config
from crystalvision.models import System
from crystalvision.training import Patterns
from crystalvision.trust._novelty import FALSE_REJECTS, NEIGHBOURS, Novelty
from crystalvision.trust._profile import radial_profile
from crystalvision.trust._tell import Teller, Told, probabilities_of, teller
from crystalvision.trust._temperature import fit_temperature, scale

_MOST_REFERENCES = 1000  # distances to them are quick, and more add little


class CalibrationRecord(Config):
    """What `calibration.json` holds.

    Attributes:
        format: Version of this layout.
        temperature: Divides the logarithms of the probabilities.
        patterns: Validation patterns that it was fitted to.
        negative_log_likelihood: Of their labels, before and after.
        neighbours: Which nearest training pattern a pattern's distance is measured to.
        false_rejects: Share of patterns like the training data that the limits reject.
        limits: Distance at which a pattern counts as unlike, by view.
    """

    format: Literal[1] = 1
    temperature: float
    patterns: int
    negative_log_likelihood: tuple[float, float]
    neighbours: int = NEIGHBOURS
    false_rejects: float = FALSE_REJECTS
    limits: dict[str, float]


@dataclass(frozen=True, slots=True)
class Trust:
    """A fitted calibration.

    Attributes:
        record: Its numbers.
        novelty: Tells patterns that are unlike the training data.
    """

    record: CalibrationRecord
    novelty: Novelty


@dataclass(frozen=True, slots=True)
class _Asked:
    probabilities: torch.Tensor
    label: torch.Tensor
    views: dict[str, torch.Tensor]


def fit_trust(
    system: System,
    training: Patterns,
    validation: Patterns,
    *,
    device: torch.device | None = None,
    seed: int = 0,
    batch_size: int = 32,
) -> Trust:
    """Fit the temperature, and the limits beyond which patterns are unlike the training data.

    Args:
        system: The trained system; put back to where it was.
        training: Patterns that it was trained on; at most 1000 of them are looked at.
        validation: Patterns that it was not trained on.
        device: Where to predict; by default the CPU.
        seed: Chooses the training patterns.
        batch_size: Patterns that pass through the system at once.

    Raises:
        InputError: A system that tells no classes, or no patterns.
    """
    device = device or torch.device("cpu")
    home = next((weight.device for weight in system.parameters()), device)
    system.eval().to(device)
    tell = teller(system)
    generator = torch.Generator().manual_seed(seed % 2**63)
    # Without branches there are no features, and what it says of training patterns is not needed.
    known = _ask(tell if system.branches else None, training, device, batch_size, generator)
    held_out = _ask(tell, validation, device, batch_size, None)
    system.to(home)
    temperature = fit_temperature(held_out.probabilities, held_out.label)
    novelty = Novelty.fit(known.views, held_out.views)
    before, after = (
        _loss(scale(held_out.probabilities, each), held_out.label) for each in (1.0, temperature)
    )
    record = CalibrationRecord(
        temperature=temperature,
        patterns=len(held_out.label),
        negative_log_likelihood=(before, after),
        limits={name: view.limit for name, view in novelty.views.items()},
    )
    return Trust(record, novelty)


def views_of(images: torch.Tensor, told: Told | None) -> dict[str, torch.Tensor]:
    """The descriptions by which patterns are compared with the training data.

    Args:
        images: Prepared images, (b, c, h, w).
        told: What the system made of them, if it was asked.
    """
    views = {"radial_profile": radial_profile(images)}
    if told is not None and told.features is not None:
        views["features"] = told.features
    return views


@torch.inference_mode()
def _ask(
    tell: Teller | None,
    patterns: Patterns,
    device: torch.device,
    batch_size: int,
    generator: torch.Generator | None,
) -> _Asked:
    """Descriptions, and what a system says: of all patterns, or of some that a generator draws."""
    probabilities, labels, count = [], [], 0
    views: dict[str, list[torch.Tensor]] = {}
    for raw, label, _ in patterns.batches(batch_size, generator):
        images = patterns.prepare(raw.to(device))
        told = tell(images) if tell else None
        if told:
            probabilities.append(probabilities_of(told.prediction).cpu())
            labels.append(label)
        for name, values in views_of(images, told).items():
            views.setdefault(name, []).append(values.cpu())
        count += len(label)
        if generator is not None and count >= _MOST_REFERENCES:
            break
    joined = {name: torch.cat(parts) for name, parts in views.items()}
    empty = [torch.empty(0)]
    return _Asked(torch.cat(probabilities or empty), torch.cat(labels or empty), joined)


def _loss(probabilities: torch.Tensor, label: torch.Tensor) -> float:
    smallest = torch.finfo(torch.float32).tiny
    scores = probabilities.double().clamp(min=smallest).log()
    return round(-float(scores[torch.arange(len(label)), label].mean()), 6)
