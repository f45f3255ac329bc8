"""Orientations: unit quaternions under the symmetry of a crystal."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Estimate, Judged, Target, Task
from crystalvision.errors import InputError


class Orientation(Task):
    """Mean misorientation."""

    score_name = "misorientation_deg"
    higher_is_better = False

    def check(self, target: Target) -> None:
        """Unit quaternions, one for each sample.

        Raises:
            InputError: The target is another.
        """
        if target.shape != (4,) or target.classes:
            raise InputError(
                f"target '{target.name}' has shape {target.shape}; task 'orientation' judges unit "
                "quaternions, of shape (4,)"
            )

    def score(
        self, estimate: Estimate, truth: torch.Tensor, target: Target
    ) -> Float[torch.Tensor, "b"]:
        """Angle between each orientation and the truth [degrees]."""
        raise NotImplementedError

    def metrics(self, judged: Judged) -> Mapping[str, Any]:
        """Mean misorientation."""
        estimate = Estimate(torch.from_numpy(np.asarray(judged.value)))
        truth = torch.from_numpy(np.asarray(judged.truth))
        return {self.score_name: float(self.score(estimate, truth, judged.target).mean())}
