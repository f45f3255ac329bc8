"""A system: branches, the fusion that joins them, and the final head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import nn

from crystalvision.contracts import Fusion, Head, Prediction, check_tensor, origin_of
from crystalvision.errors import InputError
from crystalvision.models._branch import (
    Branch,
    Branches,
    BranchOutput,
    ask_head,
    ask_prediction,
)


@dataclass(frozen=True, slots=True)
class SystemOutput:
    """What a system makes of a batch.

    Attributes:
        branches: What each branch makes of it, by name.
        final: Raw outputs of the final head, (b, o), or `None` in a system without one.
    """

    branches: Mapping[str, BranchOutput]
    final: Float[torch.Tensor, "b o"] | None


class System(nn.Module):
    """Branches, joined by a fusion and read by a final head; or one branch by itself.

    Args:
        branches: By name.
        fusion: Joins the branches' features, or `None`.
        head: Reads what the fusion gives, or `None`; both or neither.
        class_severities: Severity of each of k classes, by which a system whose heads tell severity
            alone tells classes; empty where there is no need.
    """

    def __init__(
        self,
        branches: Mapping[str, Branch],
        fusion: Fusion | None = None,
        head: Head | None = None,
        class_severities: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self.branches = Branches(branches)
        self.fusion = fusion
        self.head = head
        # Of the dataset, not of the training: no weight.
        self.register_buffer("class_severities", torch.tensor(class_severities), persistent=False)

    def branch_outputs(self, images: Float[torch.Tensor, "b c h w"]) -> dict[str, BranchOutput]:
        """What each branch makes of images (b, c, h, w), by name.

        Raises:
            InputError: Images of the wrong shape, or too small.
        """
        return {name: branch(images) for name, branch in self.branches.items()}

    def join(self, branches: Mapping[str, BranchOutput]) -> Float[torch.Tensor, "b o"]:
        """Raw outputs of the final head, (b, o), from what the branches gave.

        Raises:
            InputError: The system has no fusion and final head.
        """
        if self.fusion is None or self.head is None:
            raise InputError("this system joins nothing: it has no fusion and no final head")
        features = {name: output.features for name, output in branches.items()}
        outputs = {name: output.outputs for name, output in branches.items()}
        width = self.fusion.num_features
        joined = check_tensor(
            self.fusion(features, outputs),
            f"the {origin_of(self.fusion, 'fusion')}, which declares num_features={width},",
            f"(b, {width})",
            sizes=(None, width),
            like=next(iter(features.values())),
        )
        return ask_head(self.head, joined)

    def forward(self, images: Float[torch.Tensor, "b c h w"]) -> SystemOutput:
        """Outputs of the branches and, where there is one, of the final head.

        Raises:
            InputError: Images of the wrong shape, or too small.
        """
        branches = self.branch_outputs(images)
        return SystemOutput(branches, None if self.head is None else self.join(branches))

    def predict(self, output: SystemOutput) -> Prediction:
        """Probabilities (b, k) and severity (b,) from what `forward` gave.

        Probabilities are the final head's, or else those of the first branch that classifies, or
        else those of the classes whose severities are near what is told. Severity is that of the
        first branch that gives it, or else the final head's, or `None`.
        """
        branches = [
            ask_prediction(self.branches[name].head, item.outputs, f"branch '{name}': ")
            for name, item in output.branches.items()
        ]
        final = []
        if self.head is not None and output.final is not None:
            final.append(ask_prediction(self.head, output.final))
        severities = (item.severity for item in [*branches, *final])
        severity = next((item for item in severities if item is not None), None)
        told = (item.probabilities for item in [*final, *branches])
        probabilities = next((item for item in told if item is not None), None)
        if probabilities is None and severity is not None:
            probabilities = self._near(severity)
        return Prediction(probabilities=probabilities, severity=severity)

    def _near(self, severity: Float[torch.Tensor, "b"]) -> Float[torch.Tensor, "b k"] | None:
        """Probabilities (b, k) of the classes if severities are told with normal errors.

        Their standard deviation is taken as half the least distance of two classes; calibration
        fits it, since a temperature T multiplies it by √T.
        """
        classes = self.get_buffer("class_severities")
        if not len(classes):
            return None
        width = classes.sort().values.diff().min() / 2
        distance = (severity.float()[:, None] - classes) / width
        return (-0.5 * distance.square()).softmax(dim=1)

    def parts(self) -> dict[str, nn.Module]:
        """What a schedule may train: each branch by its name, then "fusion" and "head"."""
        parts: dict[str, nn.Module] = dict(self.branches.items())
        if self.fusion is not None:
            parts["fusion"] = self.fusion
        if self.head is not None:
            parts["head"] = self.head
        return parts
