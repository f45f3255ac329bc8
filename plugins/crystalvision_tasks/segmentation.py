"""Maps of classes: which of several each point of a pattern is."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Estimate, EvaluatedEstimates, Target, Task, TaskFigure
from crystalvision.errors import InputError
from crystalvision_tasks._map_figures import examples_figure, overlap_figure

Counts = Float[np.ndarray, "n k k"]


class Segmentation(Task):
    """Judges maps of classes. Points whose true class is negative are not judged.

    Intersection over union (IoU) and Dice are of all points of all maps together, but for the
    score. "Mean" is over the classes that occur, as truth or as estimate.

    sample_iou: Mean over the samples of the mean IoU of each map.
    mean_iou: Mean of `iou` over the classes.
    mean_dice: Mean of `dice` over the classes.
    pixel_accuracy: Share of the points whose class is right.
    iou: Of each class: points that are it and said to be it, among those that are one of the two.
    dice: Twice those points over the sum of what is it and what is said to be it.
    """

    score_name = "sample_iou"
    higher_is_better = True
    headline = ("sample_iou", "mean_iou", "mean_dice", "pixel_accuracy")
    titles: ClassVar[Mapping[str, str]] = {
        "sample_iou": "IoU a pattern",
        "mean_iou": "mean IoU",
        "mean_dice": "mean Dice",
        "iou": "IoU",
        "dice": "Dice",
    }
    summary_figures = ("overlap",)

    def check(self, target: Target) -> None:
        """Maps of classes.

        Raises:
            InputError: The target is another.
        """
        if not target.shape or not target.classes:
            raise InputError(
                f"target '{target.name}' has shape {target.shape} and {len(target.classes)} "
                "classes; task 'segmentation' judges maps of classes"
            )

    def score(
        self, estimate: Estimate, truth: torch.Tensor, target: Target
    ) -> Float[torch.Tensor, "b"]:
        """Mean IoU of each map over the classes that occur in it."""
        counts = _counts(estimate.value, truth, len(target.classes)).double()
        ratio = _iou(counts)
        return torch.nanmean(ratio, dim=1)

    def metrics(self, judged: EvaluatedEstimates) -> Mapping[str, Any]:
        """The numbers above."""
        found = self.resampled(judged, np.ones((1, len(judged))))
        values = {name: _known(float(value[0])) for name, value in found.items()}
        flat = {name: value for name, value in values.items() if "." not in name}
        names = judged.target.classes
        return {
            **flat,
            **{
                each: {name: values[f"{each}.{name}"] for name in names} for each in ("iou", "dice")
            },
        }

    def resampled(
        self, judged: EvaluatedEstimates, weights: Float[np.ndarray, "r n"]
    ) -> Mapping[str, Float[np.ndarray, "r"]]:
        """The same numbers; those of a class that no point is, or is said to be, are nan."""
        names = judged.target.classes
        value, truth = (torch.from_numpy(np.asarray(each)) for each in (judged.value, judged.truth))
        of_samples = _counts(value, truth, len(names)).double()
        counts = (torch.from_numpy(weights) @ of_samples.flatten(1)).view(-1, *of_samples.shape[1:])
        iou = _iou(counts)
        dice = 2 * iou / (1 + iou)
        right = counts.diagonal(dim1=1, dim2=2).sum(dim=1)
        found = {
            "sample_iou": _mean_over_samples(self.scores(judged), weights),
            "mean_iou": torch.nanmean(iou, dim=1).numpy(),
            "mean_dice": torch.nanmean(dice, dim=1).numpy(),
            "pixel_accuracy": (right / counts.sum(dim=(1, 2))).numpy(),
        }
        for index, name in enumerate(names):
            found |= {f"iou.{name}": iou[:, index].numpy(), f"dice.{name}": dice[:, index].numpy()}
        return found

    def columns(self, judged: EvaluatedEstimates) -> Mapping[str, Sequence[Any]]:
        """The mean IoU of each map."""
        return {self.score_name: self.scores(judged).tolist()}

    def figures(
        self, judged: EvaluatedEstimates, metrics: Mapping[str, Any]
    ) -> Sequence[TaskFigure]:
        """Overlap of each class; of images, the worst and a usual map beside the truth."""
        found = [overlap_figure(judged, metrics)]
        if len(judged.target.shape) == 2:
            found.append(examples_figure(judged, self.scores(judged)))
        return found


def _counts(value: torch.Tensor, truth: torch.Tensor, classes: int) -> torch.Tensor:
    """Points of each map by true and estimated class, (b, k, k)."""
    value, truth = value.flatten(1).long(), truth.flatten(1).long()
    of_sample = torch.arange(len(truth), device=truth.device)[:, None]
    cell = (of_sample * classes + truth) * classes + value
    size = len(truth) * classes * classes
    # What is not judged is counted apart: to choose the others, a GPU would be waited for.
    cell = torch.where(truth >= 0, cell, size).flatten()
    counted = torch.zeros(size + 1, dtype=torch.int64, device=cell.device)
    counted.scatter_add_(0, cell, torch.ones_like(cell))
    return counted[:size].view(len(truth), classes, classes)


def _iou(counts: torch.Tensor) -> torch.Tensor:
    """Intersection over union of each class, (b, k); nan where it does not occur."""
    both = counts.diagonal(dim1=1, dim2=2)
    return both / (counts.sum(dim=1) + counts.sum(dim=2) - both)


def _mean_over_samples(
    scores: Float[np.ndarray, "n"], weights: Float[np.ndarray, "r n"]
) -> Float[np.ndarray, "r"]:
    """Weighted mean of what is known; a map without a point that is judged has no score."""
    known = np.isfinite(scores)
    with np.errstate(invalid="ignore"):
        of_known: Float[np.ndarray, "r"] = weights[:, known] @ scores[known]
        return np.asarray(of_known / weights[:, known].sum(axis=1))


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
