"""Several runs asked about the same patterns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from crystalvision.datasets import differences
from crystalvision.errors import InputError
from crystalvision.image_files import GapValues
from crystalvision.prediction._predictions import Predictions, spread_of
from crystalvision.prediction._predictor import Predictor


class Ensemble:
    """Runs of the same classes and image shape, such as of several seeds, that answer together.

    Probabilities, severity and novelty are the means of theirs.
    """

    def __init__(self, members: Sequence[Predictor]) -> None:
        """Put predictors together.

        Raises:
            InputError: Fewer than two, or runs of different classes, image shapes, axes or beams.
        """
        if len(members) < 2:
            raise InputError("an ensemble needs two runs or more: give the others with --ensemble")
        first = members[0].record
        for member in members[1:]:
            record = member.record
            if record.class_names != first.class_names:
                raise InputError(
                    f"runs of an ensemble must tell the same classes, in one order: "
                    f"{', '.join(first.class_names)}; not {', '.join(record.class_names)}"
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
            InputError: As for `Predictor.predict`, or some members tell severity by regression and
                others do not.
        """
        told = [
            member.predict(images, batch_size=batch_size, gap_values=gap_values)
            for member in self._members
        ]
        if len({each.severity_source for each in told}) > 1:
            raise InputError(
                "some runs of the ensemble tell severity by regression and others by their "
                "classes; put together runs of one kind"
            )
        probabilities = torch.from_numpy(np.stack([each.probabilities for each in told]))
        severity = torch.from_numpy(np.stack([each.severity for each in told]))
        novelties = [each.novelty for each in told if each.novelty is not None]
        return replace(
            told[0],
            probabilities=probabilities.mean(dim=0).numpy(),
            severity=severity.mean(dim=0).numpy(),
            calibrated=all(each.calibrated for each in told),
            novelty=np.mean(novelties, axis=0) if len(novelties) == len(told) else None,
            spread=spread_of(probabilities, severity),
        )


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
