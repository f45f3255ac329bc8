"""Several runs asked about the same patterns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from crystalvision.contracts import Estimate, Target
from crystalvision.datasets import differences
from crystalvision.errors import InputError
from crystalvision.measured_files import GapValues
from crystalvision.models import listed
from crystalvision.prediction._predictions import Estimates, Predictions, estimates_of
from crystalvision.prediction._predictor import Predictor


class Ensemble:
    """Runs of the same targets and image shape, such as of several seeds, that answer together.

    Probabilities, values and novelty are the means of theirs, and so are limits of doubt, which the
    mean probabilities are held against: where runs disagree, the class is sooner undecided.
    """

    def __init__(self, members: Sequence[Predictor]) -> None:
        """Put predictors together.

        Raises:
            InputError: Fewer than two, or runs of different targets, image shapes, axes or beams.
        """
        if len(members) < 2:
            raise InputError("an ensemble needs two runs or more: give the others with --ensemble")
        first = members[0].record
        for member in members[1:]:
            record = member.record
            if record.targets != first.targets:
                raise InputError(
                    f"runs of an ensemble must tell the same targets, with their classes in one "
                    f"order: {listed(first.targets)}; not {listed(record.targets)}"
                    + _other_classes(first.targets, record.targets)
                )
            if record.image_shape != first.image_shape:
                raise InputError(
                    f"runs of an ensemble must take images of one shape: {first.image_shape}, "
                    f"not {record.image_shape}"
                )
            _check_recorded_alike(members[0], member)
        self._members = tuple(members)

    def predict(
        self, images: np.ndarray[Any, Any], *, batch_size: int = 32, gap_values: GapValues = None
    ) -> Predictions:
        """Predict raw patterns; see `Predictor.predict`.

        Raises:
            InputError: As for `Predictor.predict`, or some members tell a target by a head and
                others do not.
        """
        members_said = [
            member.predict(images, batch_size=batch_size, gap_values=gap_values)
            for member in self._members
        ]
        first = members_said[0]
        for name, source in first.sources.items():
            if others := {each.sources[name] for each in members_said} - {source}:
                raise InputError(
                    f"some runs of the ensemble tell '{name}' by {_words(source)} and others by "
                    f"{_words(others.pop())}; put together runs of one kind"
                )
        novelties = [each.novelty for each in members_said if each.novelty is not None]
        return replace(
            first,
            estimates={
                name: estimates_of(target, [_as_tensors(each[name]) for each in members_said])
                for name, target in first.targets.items()
            },
            calibrated=all(each.calibrated for each in members_said),
            novelty=np.mean(novelties, axis=0) if len(novelties) == len(members_said) else None,
            doubt_limits=_mean_limits([each.doubt_limits for each in members_said]),
        )


def _mean_limits(limits: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of the targets that each run has a limit for."""
    return {
        name: float(np.mean([each[name] for each in limits]))
        for name in limits[0]
        if all(name in each for each in limits)
    }


def _as_tensors(said: Estimates) -> Estimate:
    values = (said.value, said.probabilities, said.spread)
    value, *others = (None if each is None else torch.from_numpy(each) for each in values)
    assert value is not None  # noqa: S101 - every estimate has one, for mypy
    return Estimate(value, *others)


def _words(source: str) -> str:
    return "a head" if source == "head" else source.replace("_", " ")


def _other_classes(first: Mapping[str, Target], other: Mapping[str, Target]) -> str:
    """The classes of the first target in which two runs differ."""
    for name, target in first.items():
        classes = other[name].classes if name in other else target.classes
        if classes != target.classes:
            return f": {', '.join(target.classes)}; not {', '.join(classes)}"
    return ""


def _check_recorded_alike(first: Predictor, other: Predictor) -> None:
    """Check that two runs were trained on patterns of one instrument.

    Raises:
        InputError: They were not.
    """
    found = differences(other.record.conditions, first.record.conditions, "one run", "another")
    if found:
        raise InputError(
            "runs of an ensemble must be trained on patterns of the same axes and beam, but "
            f"{found[0]}; ask them one by one"
        )
