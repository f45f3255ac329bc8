"""Real values: how large something is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Estimate, Judged, Target, Task
from crystalvision.errors import InputError


class Regression(Task):
    """Mean absolute error."""

    score_name = "mae"
    higher_is_better = False

    def check(self, target: Target) -> None:
        """Real values.

        Raises:
            InputError: The target counts classes.
        """
        if target.classes:
            raise InputError(
                f"target '{target.name}' counts classes; task 'regression' judges real values"
            )

    def score(
        self, estimate: Estimate, truth: torch.Tensor, target: Target
    ) -> Float[torch.Tensor, "b"]:
        """Absolute error of each sample [units of the target]; the mean over its numbers."""
        del target
        return (
            (estimate.value - truth).abs().flatten(1).mean(dim=1)
            if truth.ndim > 1
            else (estimate.value - truth).abs()
        )

    def metrics(self, judged: Judged) -> Mapping[str, Any]:
        """Mean absolute error."""
        return {"mae": float(np.abs(judged.value - judged.truth).mean())}
