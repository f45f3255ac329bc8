"""Maps of classes: which of several each point of a pattern is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Estimate, Judged, Target, Task
from crystalvision.errors import InputError


class Segmentation(Task):
    """Mean intersection over union."""

    score_name = "mean_iou"
    higher_is_better = True

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
        """Share of the points of each map that is right."""
        raise NotImplementedError

    def metrics(self, judged: Judged) -> Mapping[str, Any]:
        """Pixel accuracy."""
        return {"pixel_accuracy": float(np.mean(judged.value == judged.truth))}
