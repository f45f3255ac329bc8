"""Classes: which of several a sample is."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float

from crystalvision.contracts import Estimate, Judged, Target, Task
from crystalvision.errors import InputError


class Classification(Task):
    """Accuracy."""

    score_name = "accuracy"
    higher_is_better = True

    def check(self, target: Target) -> None:
        """Classes, one for each sample.

        Raises:
            InputError: The target is another.
        """
        if target.shape or not target.classes:
            raise InputError(
                f"target '{target.name}' has shape {target.shape} and {len(target.classes)} "
                "classes; task 'classification' judges one class a sample"
            )

    def score(
        self, estimate: Estimate, truth: torch.Tensor, target: Target
    ) -> Float[torch.Tensor, "b"]:
        """Whether each class is right, 0 or 1."""
        del target
        return (estimate.value == truth).float()

    def metrics(self, judged: Judged) -> Mapping[str, Any]:
        """Accuracy."""
        return {"accuracy": float((judged.value == judged.truth).mean())}
