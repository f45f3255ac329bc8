"""What systems say of patterns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

SeveritySource = Literal["regression", "class_expectation"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How far several answers to one pattern lie apart.

    Attributes:
        samples: How many answers there were.
        probability_std: Standard deviation of the probability of each class, (n, k).
        entropy: Entropy of the mean probabilities, (n,) [nat]: all that is uncertain.
        mutual_information: The part of it on which the answers disagree, (n,) [nat]: what more
            training data could settle. The rest they agree on, as where classes overlap.
        severity_std: Standard deviation of the severity, (n,).
    """

    samples: int
    probability_std: Float[np.ndarray, "n k"]
    entropy: Float[np.ndarray, "n"]
    mutual_information: Float[np.ndarray, "n"]
    severity_std: Float[np.ndarray, "n"]


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a system says of n patterns.

    Attributes:
        class_names: Names of the k classes.
        probabilities: Probability of each class, (n, k).
        severity: Severity, (n,).
        severity_source: `regression` where a head of the system tells the severity;
            `class_expectation` where it is the mean of the classes' severities, weighted by their
            probabilities.
        calibrated: Whether the probabilities are those of the temperature that was fitted.
        novelty: Distance to the nearest training patterns, (n,), as a multiple of the limit that
            5 % of patterns like them exceed; `None` where the run holds no calibration.
        spread: Of several answers, or `None` where there was one.
    """

    class_names: tuple[str, ...]
    probabilities: Float[np.ndarray, "n k"]
    severity: Float[np.ndarray, "n"]
    severity_source: SeveritySource
    calibrated: bool = False
    novelty: Float[np.ndarray, "n"] | None = None
    spread: Spread | None = None

    def __len__(self) -> int:
        """Number of patterns."""
        return len(self.severity)

    @property
    def label(self) -> Int[np.ndarray, "n"]:
        """Index of the most probable class of each pattern, (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def names(self) -> list[str]:
        """Name of the most probable class of each pattern."""
        return [self.class_names[index] for index in self.label]

    @property
    def rejected(self) -> Bool[np.ndarray, "n"] | None:
        """Whether each pattern is unlike the training data, (n,): then believe nothing of it."""
        return None if self.novelty is None else self.novelty > 1


def join(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of one system for patterns one after the other."""
    first = parts[0]
    novelties = [part.novelty for part in parts if part.novelty is not None]
    spreads = [part.spread for part in parts if part.spread is not None]
    return replace(
        first,
        probabilities=np.concatenate([part.probabilities for part in parts]),
        severity=np.concatenate([part.severity for part in parts]),
        novelty=np.concatenate(novelties) if novelties else None,
        spread=_join_spreads(spreads) if spreads else None,
    )


def spread_of(
    probabilities: Float[torch.Tensor, "s n k"], severity: Float[torch.Tensor, "s n"]
) -> Spread:
    """How far s answers lie apart.

    Args:
        probabilities: Of each answer, (s, n, k).
        severity: Of each answer, (s, n).
    """
    mean = probabilities.double().mean(dim=0)
    entropy = _entropy(mean)
    agreed = _entropy(probabilities.double()).mean(dim=0)
    return Spread(
        samples=len(probabilities),
        probability_std=probabilities.std(dim=0, correction=0).numpy(),
        entropy=entropy.float().numpy(),
        mutual_information=(entropy - agreed).clamp(min=0).float().numpy(),
        severity_std=severity.std(dim=0, correction=0).numpy(),
    )


def _entropy(probabilities: torch.Tensor) -> torch.Tensor:
    entropy: torch.Tensor = torch.special.entr(probabilities).sum(dim=-1)
    return entropy


def _join_spreads(spreads: Sequence[Spread]) -> Spread:
    return Spread(
        samples=spreads[0].samples,
        probability_std=np.concatenate([each.probability_std for each in spreads]),
        entropy=np.concatenate([each.entropy for each in spreads]),
        mutual_information=np.concatenate([each.mutual_information for each in spreads]),
        severity_std=np.concatenate([each.severity_std for each in spreads]),
    )
