"""How one kind of target is judged and shown."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts._targets import Estimate, Target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """Estimates of one target for n samples, beside the truth.

    Attributes:
        target: Which target.
        truth: (n, *shape).
        value: What the system takes it to be, (n, *shape).
        probabilities: Of each class, (n, k, *shape); `None` for a value.
        specimen: Which specimen each sample shows, (n,): what is independent of each other.
    """

    target: Target
    truth: Array
    value: Array
    probabilities: Array | None
    specimen: Array


@dataclass(frozen=True, slots=True)
class TaskFigure:
    """A figure of a report.

    Attributes:
        name: Of its file, such as `confusion`.
        caption: What it shows, in a sentence; also read to those who cannot see it.
        figure: The figure.
    """

    name: str
    caption: str
    figure: "Figure"


class Task(ABC):
    """Judges and shows one kind of target.

    Attributes:
        score_name: What `score` is called: `accuracy`, `mae`, `misorientation_deg`. A phase of
            training may watch `validation_TARGET_SCORE`.
        higher_is_better: Whether it grows as the estimates get better.
    """

    score_name: ClassVar[str]
    higher_is_better: ClassVar[bool]

    @abstractmethod
    def check(self, target: Target) -> None:
        """Check that it judges such a target.

        Raises:
            InputError: It does not.
        """

    @abstractmethod
    def score(
        self, estimate: Estimate, truth: torch.Tensor, target: Target
    ) -> Float[torch.Tensor, "b"]:
        """How well each sample of a batch is told, (b,); its mean is the score."""

    @abstractmethod
    def metrics(self, judged: Judged) -> Mapping[str, Any]:
        """All numbers that judge n samples, in JSON types, `score_name` among them.

        A number that has no meaning, such as the recall of a class that does not occur, is `None`;
        a number of each class is a mapping.
        """

    def resampled(
        self, judged: Judged, weights: Float[np.ndarray, "r n"]
    ) -> Mapping[str, Float[np.ndarray, "r"]]:
        """Metrics of many resamples at once, by name, each (r,); nan where one has none.

        Args:
            judged: The estimates.
            weights: How often each resample drew each sample, (r, n).
        """
        estimate = Estimate(
            torch.from_numpy(np.asarray(judged.value)),
            None if judged.probabilities is None else torch.from_numpy(judged.probabilities),
        )
        scores = self.score(estimate, torch.from_numpy(np.asarray(judged.truth)), judged.target)
        values = scores.double().numpy()
        return {self.score_name: weights @ values / weights.sum(axis=1)}

    def columns(self, judged: Judged) -> Mapping[str, Sequence[Any]]:
        """Columns of `predictions.csv`: name → n values; none for what a table cannot hold."""
        del judged
        return {}

    def figures(self, judged: Judged, metrics: Mapping[str, Any]) -> Sequence[TaskFigure]:
        """Figures of a report."""
        del judged, metrics
        return ()
