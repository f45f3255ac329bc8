"""Shares of components: which of many are in a mixture, and how much of each."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped

from crystalvision.contracts import Estimate, EvaluatedEstimates, Target, Task, TaskFigure
from crystalvision.errors import InputError
from crystalvision.figures import COLOURS, drawing, new_figure

_THERE = 0.05
_MOST = 5


class Fractions(Task):
    """Judges shares of named components, such as phases by weight.

    A component is said to be there where its share is 5 % or more.

    found: Mean share of the components of each sample that are among as many of those with the
        greatest estimated share.
    found_in_3, found_in_5: The same among three and five.
    all_found: Share of samples of which all components are.
    false: Mean share of what is said to be there that is not.
    mae: Mean absolute error of the shares of components that are there, or are said to be.
    """

    score_name = "found"
    higher_is_better = True
    headline = ("found", "all_found", "false", "mae")
    titles: ClassVar[Mapping[str, str]] = {
        "found": "components found",
        "found_in_3": "found in 3",
        "found_in_5": "found in 5",
        "all_found": "all found",
        "false": "false components",
        "mae": "MAE of shares",
    }
    note = "Components are those with the greatest estimated shares, as many as there are."
    summary_figures = ("shares",)

    def check(self, target: Target) -> None:
        """Shares of named components.

        Raises:
            InputError: The target is another.
        """
        if not target.components or len(target.shape) != 1:
            raise InputError(
                f"target '{target.name}' has shape {target.shape} and {len(target.components)} "
                "components; task 'fractions' judges a share of each component"
            )

    def score(
        self, estimate: Estimate, truth: torch.Tensor, target: Target
    ) -> Float[torch.Tensor, "b"]:
        """Share of the components of each sample that are found, (b,)."""
        del target
        there = truth > 0
        rank = (-estimate.value.detach()).argsort(dim=1, stable=True).argsort(dim=1)
        count = there.sum(dim=1, keepdim=True)
        return (there & (rank < count)).sum(dim=1) / count[:, 0].double()

    def metrics(self, judged: EvaluatedEstimates) -> Mapping[str, Any]:
        """The numbers above; `None` where nothing is there, or said to be."""
        found = self.resampled(judged, np.ones((1, len(judged))))
        values = {name: float(value[0]) for name, value in found.items()}
        return {name: value if np.isfinite(value) else None for name, value in values.items()}

    def resampled(
        self, judged: EvaluatedEstimates, weights: Float[np.ndarray, "r n"]
    ) -> Mapping[str, Float[np.ndarray, "r"]]:
        """The same numbers."""
        value, truth = judged.value.astype(np.float64), judged.truth.astype(np.float64)
        there, said = truth > 0, value >= _THERE
        own = _found(value, truth, None)
        errors = np.where(there | said, np.abs(value - truth), np.nan)
        of_each = {
            "found": own,
            "found_in_3": _found(value, truth, 3),
            "found_in_5": _found(value, truth, 5),
            "all_found": (own == 1).astype(np.float64),
            "false": _share(said & ~there, said),
            "mae": _mean(errors),
        }
        return {name: _weighted(values, weights) for name, values in of_each.items()}

    def columns(self, judged: EvaluatedEstimates) -> Mapping[str, Sequence[Any]]:
        """What is said to be there, the greatest share first, and what is there."""
        names = judged.target.components
        return {
            "estimated": [_words(row, names) for row in judged.value],
            "actual": [_words(row, names) for row in judged.truth],
        }

    def figures(
        self, judged: EvaluatedEstimates, metrics: Mapping[str, Any]
    ) -> Sequence[TaskFigure]:
        """Estimated against true share of what is there."""
        del metrics
        there = judged.truth > 0
        with drawing():
            figure, (axes,) = new_figure()
            axes.plot([0, 1], [0, 1], color="#8a8a8a", linewidth=0.8)
            axes.plot(judged.truth[there], judged.value[there], ".", color=COLOURS[0], alpha=0.5)
            axes.set_xlabel("true share")
            axes.set_ylabel("estimated share")
        caption = "Estimated against true share of each component that is there."
        return [TaskFigure("shares", caption, figure)]


def _found(
    value: Float[np.ndarray, "n k"], truth: Float[np.ndarray, "n k"], among: int | None
) -> Float[np.ndarray, "n"]:
    """Share of what is there that is among those with the greatest estimates, (n,)."""
    there = truth > 0
    rank = np.argsort(np.argsort(-value, axis=1, kind="stable"), axis=1)
    count = there.sum(axis=1, keepdims=True)
    first = rank < (count if among is None else np.maximum(count, among))
    return _share(there & first, there)


def _share(part: Bool[np.ndarray, "n k"], whole: Bool[np.ndarray, "n k"]) -> Float[np.ndarray, "n"]:
    """Share of a part in a whole, (n,); nan where there is no whole."""
    total = whole.sum(axis=1).astype(np.float64)
    return _divided(part.sum(axis=1), total)


def _mean(values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n"]:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    return _divided(total, count)


def _weighted(
    values: Float[np.ndarray, "n"], weights: Float[np.ndarray, "r n"]
) -> Float[np.ndarray, "r"]:
    known = np.isfinite(values)
    total = weights[:, known].sum(axis=1)
    summed = weights[:, known] @ values[known]
    return _divided(summed, total)


def _divided(
    part: Shaped[np.ndarray, "n"], whole: Shaped[np.ndarray, "n"]
) -> Float[np.ndarray, "n"]:
    """Ratios, (n,); nan where there is no whole."""
    found = np.full(len(whole), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found


def _words(shares: Float[np.ndarray, "k"], names: Sequence[str]) -> str:
    """Shares in words, the greatest first: `NaCl Fm-3m 0.61, MgO Fm-3m 0.39`."""
    order = np.argsort(-shares, kind="stable")[:_MOST]
    shown = [place for place in order if shares[place] >= _THERE] or [order[0]]
    return ", ".join(f"{names[place]} {shares[place]:.2f}" for place in shown)
