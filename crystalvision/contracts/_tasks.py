"""How one kind of target is judged and shown."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts._target import Target
from crystalvision.contracts._targets import Estimate
from crystalvision.text import unit_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]
Ends = tuple[float, float]
"""Lower and upper end of an interval."""


@dataclass(frozen=True, slots=True)
class EvaluatedEstimates:
    """Estimates of one target for n samples, beside the truth.

    Attributes:
        target: Which target.
        truth: (n, *shape).
        value: What the system takes it to be, (n, *shape).
        probabilities: Of each class, (n, k, *shape); `None` for a value.
        specimen: Which specimen each sample shows, (n,): what is independent of each other.
        temperature: What the probabilities were calibrated with; `None` if with nothing.
        group: Index of the class of each sample, (n,), by which figures may tell samples apart;
            `None` where the data have no classes.
        group_names: Names of these classes.
    """

    target: Target
    truth: Array
    value: Array
    probabilities: Array | None
    specimen: Array
    temperature: float | None = None
    group: Array | None = None
    group_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.truth)

    @property
    def estimate(self) -> Estimate:
        """The estimates as tensors."""
        known = self.probabilities
        return Estimate(
            torch.from_numpy(np.asarray(self.value)),
            None if known is None else torch.from_numpy(np.asarray(known)),
        )

    def part(self, chosen: Array) -> "EvaluatedEstimates":
        """Those of some samples, by place or by a mask."""
        return replace(
            self,
            truth=self.truth[chosen],
            value=self.value[chosen],
            probabilities=None if self.probabilities is None else self.probabilities[chosen],
            specimen=self.specimen[chosen],
            group=None if self.group is None else self.group[chosen],
        )


@dataclass(frozen=True, slots=True)
class Proportion:
    """A metric that is a share of the samples, or follows from one.

    Attributes:
        hit: Which samples are in the share, (n,).
        counted: Of which samples it is the share, (n,).
        metric: The metric from the share, a function that grows with it; by default the share.
    """

    hit: Array
    counted: Array
    metric: Callable[[float], float] = field(default=float)


@dataclass(frozen=True, slots=True)
class TaskFigure:
    """A figure of a report.

    Attributes:
        name: Of its file, such as `confusion`.
        caption: What to say below it, in a sentence.
        figure: The figure.
        alt: What it shows, for those who cannot see it; by default the caption.
    """

    name: str
    caption: str
    figure: "Figure"
    alt: str = ""


@dataclass(frozen=True, slots=True)
class EvaluatedSystem:
    """What all trainings of one system said, for a figure that compares systems.

    Attributes:
        title: What to call the system.
        highlighted: Whether it deserves a colour of its own.
        seeds: For each training, its estimates and their metrics.
    """

    title: str
    highlighted: bool
    seeds: tuple[tuple[EvaluatedEstimates, Mapping[str, Any]], ...]


class Task(ABC):
    """Judges and shows one kind of target.

    Attributes:
        score_name: What `score` is called: `accuracy`, `mae`, `misorientation_deg`. A phase of
            training may watch `validation_TARGET_SCORE`.
        higher_is_better: Whether it grows as the estimates get better.
        right_or_wrong: Whether the score of a sample is 1 or 0, so that their mean is a share.
        headline: Metrics that a table of systems shows; by default the score alone.
        titles: What tables call metrics, where that is not their name with spaces.
        short: What a table for a paper calls metrics, where that is shorter.
        in_units: Metrics that have the units of the target.
        note: What a reader must know of the headline, in a sentence, or "".
        summary_figures: Names of the figures that a benchmark shows of each system; by default all.
    """

    score_name: ClassVar[str]
    higher_is_better: ClassVar[bool]
    right_or_wrong: ClassVar[bool] = False
    headline: ClassVar[tuple[str, ...]] = ()
    titles: ClassVar[Mapping[str, str]] = {}
    short: ClassVar[Mapping[str, str]] = {}
    in_units: ClassVar[frozenset[str]] = frozenset()
    note: ClassVar[str] = ""
    summary_figures: ClassVar[tuple[str, ...]] = ()

    def title(self, metric: str, target: Target) -> str:
        """What tables call a metric of a target; that of one class is `METRIC.CLASS`."""
        name, _, of = metric.partition(".")
        unit = unit_text(target.units) if name in self.in_units else ""
        units = f" [{unit}]" if unit else ""
        words = self.titles.get(name, name.replace("_", " "))
        return f"{words} {of}".rstrip() + units

    @property
    def shown(self) -> tuple[str, ...]:
        """Metrics that a table of systems shows, the score among them."""
        return self.headline or (self.score_name,)

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

    def scores(self, judged: EvaluatedEstimates) -> Float[np.ndarray, "n"]:
        """The score of each sample, (n,)."""
        truth = torch.from_numpy(np.asarray(judged.truth))
        return self.score(judged.estimate, truth, judged.target).double().numpy()

    def sample_scores(self, judged: EvaluatedEstimates) -> Mapping[str, Float[np.ndarray, "n"]]:
        """Other scores of each sample, (n,), by the metric that is their mean.

        Claims of a benchmark may be about them; of a task that is right or wrong, they are 1 or 0.
        """
        del judged
        return {}

    @abstractmethod
    def metrics(self, judged: EvaluatedEstimates) -> Mapping[str, Any]:
        """All numbers that judge n samples, in JSON types, `score_name` among them.

        A number that has no meaning, such as the recall of a class that does not occur, is `None`;
        a number of each class is a mapping.
        """

    def resampled(
        self, judged: EvaluatedEstimates, weights: Float[np.ndarray, "r n"]
    ) -> Mapping[str, Float[np.ndarray, "r"]]:
        """Metrics of many resamples at once, by name, each (r,); nan where one has none.

        The metric of a class is called `METRIC.CLASS`. What is not here has no interval.

        Args:
            judged: The estimates.
            weights: How often each resample drew each sample, (r, n).
        """
        return {self.score_name: weights @ self.scores(judged) / weights.sum(axis=1)}

    def proportions(self, judged: EvaluatedEstimates) -> Mapping[str, Proportion]:
        """Metrics that are shares of the samples: their interval is Wilson's."""
        del judged
        return {}

    def without_doubt(
        self,
        judged: EvaluatedEstimates,
        same: Collection[str],
        known: Mapping[str, Ends | None],
        level: float,
    ) -> Mapping[str, Ends]:
        """Intervals of metrics of which every resample is the same, where one can be given.

        Args:
            judged: The estimates.
            same: The metrics.
            known: Intervals of all metrics so far.
            level: Confidence.
        """
        del judged, same, known, level
        return {}

    def columns(self, judged: EvaluatedEstimates) -> Mapping[str, Sequence[Any]]:
        """What to say of each sample in `predictions.csv` beside truth and estimate.

        Name → n numbers or texts; the name of the target goes before each name.
        """
        del judged
        return {}

    def figures(
        self, judged: EvaluatedEstimates, metrics: Mapping[str, Any]
    ) -> Sequence[TaskFigure]:
        """Figures of a report."""
        del judged, metrics
        return ()

    def comparison_figures(self, systems: Sequence[EvaluatedSystem]) -> Sequence[TaskFigure]:
        """Figures that show several systems beside each other."""
        del systems
        return ()
