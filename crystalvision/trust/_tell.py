"""What trust is built on: the probabilities of a system, and the features it made of patterns."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float

from crystalvision.contracts import Prediction
from crystalvision.errors import InputError
from crystalvision.models import BranchOutput, System


@dataclass(frozen=True, slots=True)
class Told:
    """What a system says of a batch, and what it looked at.

    Attributes:
        prediction: Classes and severity.
        features: Pooled features of all branches side by side, (b, f); `None` for a system
            without branches.
    """

    prediction: Prediction
    features: Float[torch.Tensor, "b f"] | None


Teller = Callable[[torch.Tensor], Told]
"""From prepared images (b, c, h, w) to what a system says of them."""


def teller(system: System) -> Teller:
    """How to ask a system."""

    def tell(images: torch.Tensor) -> Told:
        output = system(images)
        features = side_by_side(output.branches) if output.branches else None
        return Told(system.predict(output), features)

    return tell


def side_by_side(branches: dict[str, BranchOutput]) -> Float[torch.Tensor, "b f"]:
    """Pooled features of all branches, (b, f), in the order of the branches."""
    return torch.cat([branch.features.float() for branch in branches.values()], dim=1)


def probabilities_of(prediction: Prediction) -> Float[torch.Tensor, "b k"]:
    """Probabilities of a prediction.

    Raises:
        InputError: The system tells no classes.
    """
    if prediction.probabilities is None:
        raise InputError("the run's system tells no classes; train one with a head that does")
    return prediction.probabilities.float()
