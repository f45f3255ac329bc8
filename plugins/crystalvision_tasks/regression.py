"""Real values: how large something is."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Estimate, EvaluatedEstimates, Target, Task, TaskFigure
from crystalvision.errors import InputError
from crystalvision_tasks._value_figures import agreement_figure, scatter_figure
from crystalvision_tasks._value_metrics import value_metrics, weighted_values


class Regression(Task):
    """Judges real values in the units of the target; differences are predicted minus true.

    mae: Mean absolute difference.
    rmse: Root of the mean squared difference.
    r2: Coefficient of determination: 1 for none, 0 for the squared differences that the mean true
        value would give; `None` where the truth does not vary.
    correlation: Pearson's correlation; `None` where predictions or truth do not vary.
    bias: Mean difference (Bland & Altman 1986, Lancet 327, 307).
    lower_limit, upper_limit: `bias` minus and plus 1.96 standard deviations of the differences;
        `None` for a single sample.
    mae_by_class: `mae` of the samples of each class, where the data have classes.

    Of vectors and maps, `mae`, `rmse` and `bias` are over all their numbers, and the others are
    left out.
    """

    score_name = "mae"
    higher_is_better = False
    titles: ClassVar[Mapping[str, str]] = {
        "mae": "MAE",
        "rmse": "RMSE",
        "r2": "R²",
        "lower_limit": "lower limit of agreement",
        "upper_limit": "upper limit of agreement",
        "mae_by_class": "MAE",
    }
    in_units = frozenset({"mae", "rmse", "bias", "lower_limit", "upper_limit", "mae_by_class"})
    note = "MAE is the mean absolute error."
    summary_figures = ("agreement", "scatter")

    def check(self, target: Target) -> None:
        """Real values.

        Raises:
            InputError: The target counts classes.
        """
        if target.classes:
            raise InputError(
                f"target '{target.name}' counts the classes {', '.join(target.classes)}; task "
                "'regression' judges real values: use 'classification' or 'segmentation'"
            )

    def score(
        self, estimate: Estimate, truth: torch.Tensor, target: Target
    ) -> Float[torch.Tensor, "b"]:
        """Absolute error of each sample [units of the target]; of a vector, the mean of them."""
        del target
        error = (estimate.value - truth).abs()
        return error.flatten(1).mean(dim=1) if error.ndim > 1 else error

    def metrics(self, judged: EvaluatedEstimates) -> Mapping[str, Any]:
        """The numbers above."""
        if judged.truth.ndim > 1:
            difference = judged.value.astype(np.float64) - judged.truth
            return {
                "mae": float(np.abs(difference).mean()),
                "rmse": float(np.sqrt((difference**2).mean())),
                "bias": float(difference.mean()),
            }
        found: dict[str, Any] = dict(value_metrics(judged.value, judged.truth))
        if judged.group is not None:
            error = np.abs(judged.value.astype(np.float64) - judged.truth)
            found["mae_by_class"] = {
                name: float(error[judged.group == index].mean())
                if (judged.group == index).any()
                else None
                for index, name in enumerate(judged.group_names)
            }
        return found

    def resampled(
        self, judged: EvaluatedEstimates, weights: Float[np.ndarray, "r n"]
    ) -> Mapping[str, Float[np.ndarray, "r"]]:
        """The same numbers but those of classes."""
        value, truth = judged.value.astype(np.float64), judged.truth.astype(np.float64)
        if truth.ndim == 1:
            return weighted_values(value, truth, weights)
        difference, total = (value - truth).reshape(len(judged), -1), weights.sum(axis=1)
        return {
            "mae": weights @ np.abs(difference).mean(axis=1) / total,
            "rmse": np.sqrt(weights @ (difference**2).mean(axis=1) / total),
            "bias": weights @ difference.mean(axis=1) / total,
        }

    def figures(
        self, judged: EvaluatedEstimates, metrics: Mapping[str, Any]
    ) -> Sequence[TaskFigure]:
        """Agreement, and predicted against true value, of numbers."""
        if judged.truth.ndim > 1:
            return ()
        return [agreement_figure(judged, metrics), scatter_figure(judged, metrics)]
