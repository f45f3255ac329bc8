"""What runs say of one pattern."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.explorer.runs._fields import in_fields
from crystalvision.explorer.runs._subject import Subject
from crystalvision.prediction import (
    UNSEEN,
    Ensemble,
    Explanation,
    Predictions,
    Predictor,
    Stated,
    matched,
)

PASSES = 30
"""How often a run is asked with dropout."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a run, or an ensemble of runs, says of a pattern.

    Attributes:
        name: Of the run.
        image: The pattern on the run's axes, NaN where nothing was measured, (c, *grid).
        axes: Those axes.
        predictions: What it says.
        several: What it says in several passes with dropout, or of an ensemble; `None` if once.
        explanation: What speaks for it; `None` where the run has no feature map.
        notes: What to know, a sentence each.
    """

    name: str
    image: Float[np.ndarray, "c *grid"]
    axes: tuple[Axis, ...]
    predictions: Predictions
    several: Predictions | None = None
    explanation: Explanation | None = None
    notes: tuple[str, ...] = ()


def brought(
    predictor: Predictor, subject: Subject, stated: Stated
) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    """A pattern on the axes of a run, (c, *grid), and what was done to it.

    Raises:
        InputError: It does not fit the run, or cannot be read.
    """
    source = subject.open(predictor.record.image_shape)
    sources, fits = matched(predictor, [source], stated)
    image = sources[0].read([0])[0]
    prepared = predictor.prepare(np.asarray(image), subject.name, UNSEEN)
    notes = [note for _, fit in fits for note in fit.notes]
    return prepared, (*notes, *sources[0].notes)


def ask(
    name: str, predictor: Predictor, subject: Subject, stated: Stated, *, dropout: bool = False
) -> Answer:
    """Ask a run about a pattern.

    Args:
        name: Of the run.
        predictor: Of the run.
        subject: The pattern.
        stated: What the user says of it.
        dropout: Whether to ask several times, with dropout.

    Raises:
        InputError: The pattern does not fit the run, or cannot be read.
    """
    image, notes = brought(predictor, subject, stated)
    found = predictor.predict(image[None], gap_values=UNSEEN)
    several, explanation = None, None
    if dropout:
        try:
            several = predictor.predict(image[None], dropout_passes=PASSES, gap_values=UNSEEN)
        except InputError as error:  # a system without dropout has but one answer
            notes = (*notes, in_fields(str(error)))
    try:
        explanation = predictor.explain(image, subject.name, UNSEEN)
    except InputError as error:  # a classical system has no feature map
        notes = (*notes, in_fields(str(error)))
    return Answer(name, image, axes_of(predictor), found, several, explanation, notes)


def ask_together(predictors: Sequence[Predictor], subject: Subject, stated: Stated) -> Answer:
    """Ask an ensemble of runs about a pattern.

    Raises:
        InputError: The runs do not fit together, or the pattern does not fit them.
    """
    image, notes = brought(predictors[0], subject, stated)
    found = Ensemble(predictors).predict(image[None], gap_values=UNSEEN)
    name = f"ensemble of {len(predictors)} runs"
    return Answer(name, image, axes_of(predictors[0]), found, found, notes=notes)


def axes_of(predictor: Predictor) -> tuple[Axis, ...]:
    """The axes of the patterns of a run."""
    return tuple(Axis.model_validate(axis) for axis in predictor.record.calibration)
