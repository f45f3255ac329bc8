"""What systems say of patterns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped

from crystalvision.calibration import in_doubt
from crystalvision.contracts import Estimate, Target
from crystalvision.errors import InputError

EstimateSource = Literal["head", "class_expectation", "nearest_severity"]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Spread:
    """How far several answers about one target lie apart.

    Attributes:
        samples: How many answers there were.
        value_std: Standard deviation of a real value, (n, *shape); `None` for classes.
        probability_std: Standard deviation of the probability of each class, (n, k, *shape).
        entropy: Entropy of the mean probabilities, (n, *shape) [nat]: all that is uncertain.
        mutual_information: The part of it on which the answers disagree, (n, *shape) [nat]: what
            more training data could settle. The rest they agree on, as where classes overlap.
    """

    samples: int
    value_std: Float[np.ndarray, "n *shape"] | None = None
    probability_std: Float[np.ndarray, "n k *shape"] | None = None
    entropy: Float[np.ndarray, "n *shape"] | None = None
    mutual_information: Float[np.ndarray, "n *shape"] | None = None


@dataclass(frozen=True, slots=True)
class Estimates:
    """What is said of one target of n patterns.

    Attributes:
        target: Which target.
        value: What it is taken to be, (n, *shape): the index of a class, or a real value.
        probabilities: Of each class, (n, k, *shape); `None` for a real value.
        spread: Standard deviation that the system expects of its own value, (n, *shape), if it
            says so.
        answers: How far several answers lie apart, or `None` where there was one.
    """

    target: Target
    value: Shaped[np.ndarray, "n *shape"]
    probabilities: Float[np.ndarray, "n k *shape"] | None = None
    spread: Float[np.ndarray, "n *shape"] | None = None
    answers: Spread | None = None

    @property
    def names(self) -> list[str]:
        """Name of the class of each pattern.

        Raises:
            InputError: It is a real value, or a map.
        """
        if not self.target.classes or self.target.shape:
            raise InputError(f"'{self.target.name}' is not one class a pattern, and has no names")
        return [self.target.classes[index] for index in self.value]


@dataclass(frozen=True, slots=True)
class Predictions(Mapping[str, Estimates]):
    """What a system says of n patterns: estimates by the name of their target.

    Example:
        >>> predictions["label"].names
        ['vacancies_25', 'no_defect']

    Attributes:
        estimates: By name of the target.
        sources: Where each comes from: `head` where a head of the system tells it;
            `class_expectation` for a severity that is the mean of the classes' severities, weighted
            by their probabilities; `nearest_severity` for a class that is told by the severity.
        calibrated: Whether probabilities are those of the temperatures that were fitted.
        novelty: Distance to the nearest training patterns, (n,), as a multiple of the limit that
            5 % of patterns like them exceed; `None` where the run holds no calibration.
        doubt_limits: 1 - the largest probability above which a class is undecided, by target;
            empty where the run holds no calibration, or one of an earlier version.
    """

    estimates: Mapping[str, Estimates]
    sources: Mapping[str, EstimateSource]
    calibrated: bool = False
    novelty: Float[np.ndarray, "n"] | None = None
    doubt_limits: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Estimates:
        """What is said of a target.

        Raises:
            InputError: The system says nothing of it.
        """
        if name not in self.estimates:
            known = ", ".join(self.estimates)
            raise InputError(f"the system says nothing of '{name}'; it tells: {known}")
        return self.estimates[name]

    def __contains__(self, name: object) -> bool:
        """Whether something is said of a target."""
        return name in self.estimates

    def __iter__(self) -> Iterator[str]:
        """Names of the targets."""
        return iter(self.estimates)

    def __len__(self) -> int:
        """Number of targets."""
        return len(self.estimates)

    @property
    def patterns(self) -> int:
        """Number of patterns."""
        return len(next(iter(self.estimates.values())).value)

    @property
    def targets(self) -> dict[str, Target]:
        """The targets, by name."""
        return {name: each.target for name, each in self.estimates.items()}

    @property
    def rejected(self) -> Bool[np.ndarray, "n"] | None:
        """Whether each pattern is unlike the training data, (n,): then believe nothing of it."""
        return None if self.novelty is None else self.novelty > 1

    @property
    def undecided_targets(self) -> dict[str, Bool[np.ndarray, "n"]]:
        """Whether the class of each pattern is undecided, (n,), by the targets that can say so."""
        return {
            name: in_doubt(each.probabilities, self.doubt_limits[name])
            for name, each in self.estimates.items()
            if name in self.doubt_limits and each.probabilities is not None
        }

    @property
    def undecided(self) -> Bool[np.ndarray, "n"] | None:
        """Whether the class of each pattern is undecided, (n,): then another may well be right.

        The largest probability of some target lies below what 95 % of the held-out patterns that
        were told rightly reached. It sees what lies between known classes, `rejected` what is
        unlike all of them. `None` where the run has no limits: without calibration, or with one of
        an earlier version.
        """
        found = list(self.undecided_targets.values())
        return np.any(found, axis=0) if found else None


def join(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of one system for patterns one after the other."""
    first = parts[0]
    return replace(
        first,
        estimates={name: _joined([part[name] for part in parts]) for name in first},
        novelty=_joined([part.novelty for part in parts]),
    )


T = TypeVar("T")


def _joined(parts: "Sequence[T]") -> T:
    """Parts one after the other; fields of dataclasses each by itself, what is no array once."""
    first: Any = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)  # type: ignore[arg-type, return-value] # all are arrays
    if not isinstance(first, Estimates | Spread):
        return first  # type: ignore[no-any-return] # target, number of samples, or `None`
    values = {
        each.name: _joined([getattr(part, each.name) for part in parts]) for each in fields(first)
    }
    return type(first)(**values)  # type: ignore[return-value]


def estimates_of(target: Target, answers: Sequence[Estimate]) -> Estimates:
    """The mean of several answers, and how far they lie apart.

    Values that a symmetry makes equal have no mean: of them, the first answer stands.

    Args:
        target: What was asked about.
        answers: What was said, one or more, each on the CPU.
    """
    several = len(answers) > 1
    if answers[0].probabilities is not None:
        found = torch.stack([_given(each.probabilities) for each in answers])
        mean = found.mean(dim=0)
        return Estimates(
            target,
            mean.argmax(dim=1).numpy(),
            mean.numpy(),
            answers=_disagreement(found) if several else None,
        )
    values = torch.stack([each.value for each in answers])
    if target.classes or target.symmetry:
        return Estimates(target, values[0].numpy(), spread=_own_spread(answers[:1]))
    values = values.float()
    apart = Spread(len(answers), value_std=values.std(dim=0, correction=0).numpy())
    return Estimates(
        target,
        values.mean(dim=0).numpy(),
        spread=_own_spread(answers),
        answers=apart if several else None,
    )


def _own_spread(answers: Sequence[Estimate]) -> Array | None:
    """The root mean square of what each answer expects of itself."""
    if any(each.spread is None for each in answers):
        return None
    squares = torch.stack([_given(each.spread).float().square() for each in answers])
    return np.asarray(squares.mean(dim=0).sqrt().numpy())


def _disagreement(probabilities: Float[torch.Tensor, "s n k *shape"]) -> Spread:
    entropy = _entropy(probabilities.double().mean(dim=0))
    agreed = _entropy(probabilities.double().transpose(0, 1), dim=2).mean(dim=1)
    return Spread(
        samples=len(probabilities),
        probability_std=probabilities.std(dim=0, correction=0).numpy(),
        entropy=entropy.float().numpy(),
        mutual_information=(entropy - agreed).clamp(min=0).float().numpy(),
    )


def _entropy(probabilities: torch.Tensor, dim: int = 1) -> torch.Tensor:
    entropy: torch.Tensor = torch.special.entr(probabilities).sum(dim=dim)
    return entropy


def _given(value: torch.Tensor | None) -> torch.Tensor:
    assert value is not None  # noqa: S101 - answers of one system are alike, for mypy
    return value
