"""What all heads for classes share: scores, and their cross-entropy with its options."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import nn
from torch.nn import functional

from crystalvision.contracts import Estimate, Head, Targets
from crystalvision.errors import InputError

ClassWeights: TypeAlias = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] | None
Smoothing: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Gamma: TypeAlias = Annotated[float, Field(ge=0)]


_NOT_KNOWN = 1e-6


class ClassLoss(nn.Module):
    """Mean cross-entropy over a batch, weighted by class, smoothed, or focused on what is hard.

    Args:
        head: Name of the head, for errors.
        num_classes: Classes k.
        class_weights: Weight of each class, k numbers; by default all alike. The mean is over the
            weights, so that their scale does not matter.
        label_smoothing: Share of the target that is spread evenly over all classes (Szegedy et al.
            2016, arXiv:1512.00567).
        focal_gamma: Factor (1 - p)^γ on each image's loss, for the probability p of its class: what
            is known already counts less (Lin et al. 2017, arXiv:1708.02002).

    Raises:
        InputError: Not as many weights as classes.
    """

    class_weights: torch.Tensor | None

    def __init__(
        self,
        head: str,
        num_classes: int,
        class_weights: Sequence[float] | None,
        label_smoothing: float,
        focal_gamma: float,
    ) -> None:
        super().__init__()
        if class_weights is not None and len(class_weights) != num_classes:
            raise InputError(
                f"head '{head}': {len(class_weights)} class_weights were given, but there are "
                f"{num_classes} classes; give one weight for each"
            )
        weights = (
            None
            if class_weights is None
            else torch.tensor(list(class_weights), dtype=torch.float32)
        )
        # How it was trained is not part of what was learnt.
        self.register_buffer("class_weights", weights, persistent=False)
        self.label_smoothing = label_smoothing
        self.focal_gamma = focal_gamma

    def forward(
        self, scores: Float[torch.Tensor, "b k"], label: Int[torch.Tensor, "b"]
    ) -> Float[torch.Tensor, ""]:
        """Mean loss of scores (b, k) for classes (b,)."""
        if not self.focal_gamma:
            return functional.cross_entropy(
                scores, label, self.class_weights, label_smoothing=self.label_smoothing
            )
        losses = functional.cross_entropy(
            scores,
            label,
            self.class_weights,
            reduction="none",
            label_smoothing=self.label_smoothing,
        )
        known = scores.log_softmax(dim=1).gather(1, label[:, None])[:, 0].exp()
        # Away from zero, where the slope of a power below one is infinite.
        losses = (1 - known).clamp(min=_NOT_KNOWN) ** self.focal_gamma * losses
        if self.class_weights is None:
            return losses.mean()
        return losses.sum() / self.class_weights[label].sum()


class ClassHead(Head):
    """A head whose outputs are a score for each class of one target.

    Attributes:
        class_loss: Loss of the scores.
    """

    class_loss: ClassLoss

    def loss(
        self, outputs: Float[torch.Tensor, "b k"], targets: Targets
    ) -> Float[torch.Tensor, ""]:
        """Mean cross-entropy of scores (b, k)."""
        loss: torch.Tensor = self.class_loss(outputs, targets[self.targets[0]])
        return loss

    def predict(self, outputs: Float[torch.Tensor, "b k"]) -> Mapping[str, Estimate]:
        """Probabilities (b, k): the softmax of the scores."""
        return {self.targets[0]: Estimate.of_classes(outputs.softmax(dim=1))}
