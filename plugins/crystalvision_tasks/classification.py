"""Classes: which of several a sample is."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import (
    Ends,
    Estimate,
    EvaluatedEstimates,
    EvaluatedSystem,
    Proportion,
    Target,
    Task,
    TaskFigure,
)
from crystalvision.errors import InputError
from crystalvision.evaluation import wilson_interval
from crystalvision.text import MOST_CLASSES
from crystalvision_tasks._class_comparison import curves_figures
from crystalvision_tasks._class_figures import confusion_figure, reliability_figure, roc_figure
from crystalvision_tasks._class_metrics import class_metrics, probability_metrics
from crystalvision_tasks._class_resamples import weighted_classes, weighted_probabilities
from crystalvision_tasks._many_class_figures import confusions_figure, ranks_figure

_MANY = 10  # classes from which on it matters how near a wrong answer was
_TOP = (2, 3, 4, 5)


class Classification(Task):
    """Judges classes, one a sample: accuracy, kappa, areas under curves, calibration.

    "Macro" is the plain mean over the classes that occur, as label or as prediction. A number that
    has no meaning, such as the recall of a class that does not occur, is `None`. What follows from
    probabilities is left out where there are none.

    accuracy: Fraction of samples whose class is right; `error_rate`: whose class is wrong.
    macro_f1, macro_precision, macro_recall, macro_specificity: Macro means of what follows.
    quadratic_kappa: Cohen's kappa with quadratic weights; `None` where only one class occurs.
    macro_auc, macro_average_precision: Means over the classes that have one.
    expected_calibration_error: Mean difference between how probable the most probable class was
        said to be and how often it is right, in 15 equal bins of that probability, weighted by
        their samples (Guo et al. 2017, arXiv:1706.04599). Few samples make it too large.
    calibration_error_by_chance: What a perfectly calibrated system would show on so few samples.
    brier: Mean squared distance of the probabilities from the truth, summed over the classes, from
        0 to 2 (Brier 1950).
    top_2 to top_5: Fraction of samples whose class is among so many that are most probable, where
        there are ten classes or more; of equally probable ones the others come first.
    samples: How many there are of each class.
    precision: Of each class: right predictions among all predictions of it.
    recall: Right predictions among all samples of it (sensitivity).
    specificity: Samples rightly not given it among all not of it.
    f1: Harmonic mean of precision and recall.
    auc: Area under the ROC curve of each class against the rest; `None` where a class, or the
        rest, does not occur.
    average_precision: Mean precision over the recalls of each class against the rest.
    confusion: Number of samples by actual class (row) and predicted class (column).
    """

    score_name = "accuracy"
    higher_is_better = True
    right_or_wrong = True
    headline = ("accuracy", "macro_f1", "quadratic_kappa", "expected_calibration_error")
    titles: ClassVar[Mapping[str, str]] = {
        "macro_f1": "macro F1",
        "macro_auc": "macro AUC",
        "expected_calibration_error": "calibration error",
        "brier": "Brier score",
        "f1": "F1",
        "auc": "AUC",
        "samples": "patterns",
        **{f"top_{most}": f"top-{most}" for most in _TOP},
    }
    short: ClassVar[Mapping[str, str]] = {
        "quadratic_kappa": "quadratic κ",
        "expected_calibration_error": "ECE",
    }
    note = (
        "The calibration error is that of the most probable class, in 15 equal bins of its "
        "probability; it has no interval, for resampling inflates it."
    )
    summary_figures = ("confusion",)

    def check(self, target: Target) -> None:
        """Classes, one for each sample.

        Raises:
            InputError: The target is another.
        """
        if target.shape or not target.classes:
            raise InputError(
                f"target '{target.name}' has shape {target.shape} and {len(target.classes)} "
                "classes; task 'classification' judges one class a sample: give the target its "
                "classes, or another task"
            )

    def score(
        self, estimate: Estimate, truth: torch.Tensor, target: Target
    ) -> Float[torch.Tensor, "b"]:
        """Whether each class is right, 0 or 1."""
        del target
        return (estimate.value == truth).float()

    def sample_scores(self, judged: EvaluatedEstimates) -> Mapping[str, Float[np.ndarray, "n"]]:
        """Whether the class is among the most probable ones, 0 or 1, by `top_2` to `top_5`."""
        known = judged.probabilities
        if known is None or len(judged.target.classes) < _MANY:
            return {}
        own = np.take_along_axis(known, judged.truth[:, None].astype(np.int64), axis=1)
        rank = (known >= own).sum(axis=1)
        return {f"top_{most}": (rank <= most).astype(np.float64) for most in _TOP}

    def metrics(self, judged: EvaluatedEstimates) -> Mapping[str, Any]:
        """The numbers above."""
        names = judged.target.classes
        found = class_metrics(judged.value, judged.truth, names)
        if judged.probabilities is not None:
            found |= probability_metrics(judged.probabilities, judged.value, judged.truth, names)
        return found | {
            name: float(hits.mean()) for name, hits in self.sample_scores(judged).items()
        }

    def resampled(
        self, judged: EvaluatedEstimates, weights: Float[np.ndarray, "r n"]
    ) -> Mapping[str, Float[np.ndarray, "r"]]:
        """All numbers but the calibration error, which resampling inflates."""
        names = judged.target.classes
        found = weighted_classes(judged.value, judged.truth, names, weights)
        if judged.probabilities is not None:
            probabilities = judged.probabilities.astype(np.float64)
            found |= weighted_probabilities(probabilities, judged.truth, names, weights)
        return found | {
            name: weights @ hits / weights.sum(axis=1)
            for name, hits in self.sample_scores(judged).items()
        }

    def proportions(self, judged: EvaluatedEstimates) -> Mapping[str, Proportion]:
        """Accuracy, error rate, and the rates of each class.

        F1 follows from q, the share of right predictions among what is a class or is said to be:
        2q / (1 + q).
        """
        right, everything = judged.value == judged.truth, np.ones(len(judged), dtype=bool)
        found = {
            "accuracy": Proportion(right, everything),
            "error_rate": Proportion(~right, everything),
        }
        for name, hits in self.sample_scores(judged).items():
            found[name] = Proportion(hits > 0, everything)
        for index, name in enumerate(judged.target.classes):
            given, actual = judged.value == index, judged.truth == index
            found[f"precision.{name}"] = Proportion(right, given)
            found[f"recall.{name}"] = Proportion(right, actual)
            found[f"specificity.{name}"] = Proportion(~given, ~actual)
            found[f"f1.{name}"] = Proportion(right, given | actual, lambda q: 2 * q / (1 + q))
        return found

    def without_doubt(
        self,
        judged: EvaluatedEstimates,
        same: Collection[str],
        known: Mapping[str, Ends | None],
        level: float,
    ) -> Mapping[str, Ends]:
        """Of an area of 1 or 0, and of macro means.

        The area has Wilson's interval of as many pairs as are independent of each other,
        min(positives, negatives); a macro mean has the mean of the ends of its classes.
        """
        names, found = judged.target.classes, dict[str, Ends]()
        for index, name in enumerate(names):
            area = known.get(f"auc.{name}")
            if f"auc.{name}" in same and area is not None and area[0] in {0.0, 1.0}:
                here = judged.truth == index
                pairs = min(len(np.unique(judged.specimen[side])) for side in (here, ~here))
                found[f"auc.{name}"] = wilson_interval(area[0] * pairs, pairs, level)
        every = {**known, **found}
        for macro in sorted(each for each in same if each.startswith("macro_")):
            of_classes = [every.get(f"{macro.removeprefix('macro_')}.{name}") for name in names]
            parts = [part for part in of_classes if part is not None]
            if parts:
                low, high = np.mean(parts, axis=0).tolist()
                found[macro] = (low, high)
        return found

    def figures(
        self, judged: EvaluatedEstimates, metrics: Mapping[str, Any]
    ) -> Sequence[TaskFigure]:
        """Confusion matrix, ROC curves, reliability.

        Of many classes the commonest mistakes instead, and how far down the right class is.
        """
        many = len(judged.target.classes) > MOST_CLASSES
        found = [(confusions_figure if many else confusion_figure)(judged, metrics)]
        probabilities = judged.probabilities
        if probabilities is None:
            return found
        ranked = (
            ranks_figure(judged, probabilities)
            if many
            else roc_figure(judged, probabilities, metrics)
        )
        return [*found, ranked, reliability_figure(judged, probabilities, metrics)]

    def comparison_figures(self, systems: Sequence[EvaluatedSystem]) -> Sequence[TaskFigure]:
        """ROC curves and precision by recall, mean over the classes."""
        return curves_figures(systems)
