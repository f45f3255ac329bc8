"""What a system answers batch by batch, calibrated, checked and put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from crystalvision.calibration import scale
from crystalvision.contracts import Estimate
from crystalvision.errors import PluginError
from crystalvision.models import LABEL, SEVERITY, System
from crystalvision.prediction._predictions import EstimateSource, Predictions, estimates_of
from crystalvision.runs import Run


@dataclass(frozen=True, slots=True)
class PredictedBatch:
    """What is said of a batch; with several answers to each pattern, all of them.

    Attributes:
        answers: What is said of each target by its name, once or several times.
        novelty: (b,), or `None` without calibration.
    """

    answers: list[dict[str, Estimate]]
    novelty: torch.Tensor | None


def finished(
    said: Mapping[str, Estimate], temperatures: Mapping[str, float]
) -> dict[str, Estimate]:
    """What is said, calibrated, on the CPU.

    Args:
        said: What a system says of each target, by name.
        temperatures: Of the targets that have one.
    """
    done = {}
    for name, estimate in said.items():
        probabilities = estimate.probabilities
        if probabilities is not None:
            probabilities = scale(probabilities.float(), temperatures.get(name, 1.0)).cpu()
        spread = None if estimate.spread is None else estimate.spread.float().cpu()
        value = estimate.value.cpu()
        done[name] = Estimate(
            value.float() if value.is_floating_point() else value, probabilities, spread
        )
    return done


def join_batches(
    run: Run,
    batches: Sequence[PredictedBatch],
    *,
    calibrated: bool,
    doubt_limits: Mapping[str, float],
) -> Predictions:
    """Put answers one after the other, with the severity that follows from classes.

    Raises:
        PluginError: Some of what is said is no number.
    """
    novelties = [each.novelty for each in batches if each.novelty is not None]
    said = {
        name: [
            _one_after_the_other([batch.answers[number][name] for batch in batches])
            for number in range(len(batches[0].answers))
        ]
        for name in run.system.targets
    }
    for answers in said.values():
        _check_finite(run, answers)
    targets = run.record.targets
    if SEVERITY in targets and SEVERITY not in said:
        severities = torch.tensor(targets[LABEL].class_severities)
        predicted = [one.probabilities for one in said[LABEL] if one.probabilities is not None]
        said[SEVERITY] = list(map(Estimate, torch.stack(predicted) @ severities))
    return Predictions(
        {name: estimates_of(targets[name], said[name]) for name in targets},
        {name: _source(name, run.system) for name in targets},
        calibrated=calibrated,
        novelty=torch.cat(novelties).numpy() if novelties else None,
        doubt_limits=doubt_limits,
    )


def _source(name: str, system: System) -> EstimateSource:
    if name not in system.targets:
        return "class_expectation"
    return "nearest_severity" if name == system.derived else "head"


def _check_finite(run: Run, answers: Sequence[Estimate]) -> None:
    """Check what was told of each image.

    Raises:
        PluginError: Some of it is no number.
    """
    predicted = [
        each.value if each.probabilities is None else each.probabilities for each in answers
    ]
    values = torch.stack(predicted).double()
    finite = values.isfinite().reshape(*values.shape[:2], -1).all(2).all(0)
    lost = (~finite).nonzero().flatten()
    if len(lost):
        parts = ", ".join(f"{plugin.kind} '{plugin.name}'" for plugin in run.record.plugins)
        raise PluginError(
            f"{run.path}: its system ({parts}) gave values that are not finite for "
            f"{len(lost)} of {values.shape[1]} images, the first is image {int(lost[0])}"
        )


def _one_after_the_other(parts: Sequence[Estimate]) -> Estimate:
    def joined(name: str) -> torch.Tensor | None:
        found = [getattr(each, name) for each in parts]
        return None if found[0] is None else torch.cat(found)

    value = joined("value")
    assert value is not None  # noqa: S101 - every estimate has one, for mypy
    return Estimate(value, joined("probabilities"), joined("spread"))
