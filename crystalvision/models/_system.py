"""A system: branches, the fusion that joins them, and the final head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import nn

from crystalvision.contracts import (
    EmbeddingHead,
    Estimate,
    Fusion,
    Head,
    Target,
    check_tensor,
    origin_of,
)
from crystalvision.errors import InputError
from crystalvision.models._branch import (
    Branch,
    Branches,
    BranchOutput,
    ask_estimates,
    ask_head,
)
from crystalvision.models._targets import LABEL, SEVERITY


@dataclass(frozen=True, slots=True)
class SystemOutput:
    """What a system makes of a batch.

    Attributes:
        branches: What each branch makes of it, by name.
        final: Raw outputs of the final head, (b, o), or values (b,); `None` where there is none.
    """

    branches: Mapping[str, BranchOutput]
    final: Float[torch.Tensor, "b *o"] | None


class System(nn.Module):
    """Branches, joined by a fusion and read by a final head; or one branch by itself.

    Args:
        branches: By name.
        fusion: Joins the branches' features, or `None`.
        head: Reads what the fusion gives, or `None`; both or neither.
        targets: What there is to be learnt, by name, that of the heads among it.

    Attributes:
        targets: What the system says something of, by name: what its heads learn, and `label`
            where they learn the severity alone and each class has one of its own.
        derived: `label` where it is told by the severity, else empty.
    """

    def __init__(
        self,
        branches: Mapping[str, Branch],
        fusion: Fusion | None = None,
        head: Head | None = None,
        targets: Mapping[str, Target] | None = None,
    ) -> None:
        super().__init__()
        self.branches = Branches(branches)
        self.fusion = fusion
        self.head = head
        known = targets or {}
        learnt = [name for each in self.heads().values() for name in each.targets]
        near = _class_severities(learnt, known)
        self.derived = LABEL if near else ""
        if near:
            learnt.append(LABEL)
        self.targets: dict[str, Target] = {name: known[name] for name in dict.fromkeys(learnt)}
        # Of the dataset, not of the training: no weight.
        self.register_buffer("class_severities", torch.tensor(near), persistent=False)

    def heads(self) -> dict[str, Head]:
        """The heads: the final one as "head", then those of the branches, by name."""
        final = {} if self.head is None else {"head": self.head}
        return final | {name: branch.head for name, branch in self.branches.items()}

    def branch_outputs(self, images: Float[torch.Tensor, "b c *grid"]) -> dict[str, BranchOutput]:
        """What each branch makes of images (b, c, *grid), by name.

        Raises:
            InputError: Images of the wrong shape, or too small.
        """
        return {name: branch(images) for name, branch in self.branches.items()}

    def join(self, branches: Mapping[str, BranchOutput]) -> Float[torch.Tensor, "b o"]:
        """Raw outputs of the final head, (b, o), from what the branches gave.

        Raises:
            InputError: The system has no fusion and final head.
        """
        return ask_head(self._final_head(), self._fused(branches))

    def _final_head(self) -> Head:
        if self.head is None:
            raise InputError("this system joins nothing: it has no fusion and no final head")
        return self.head

    def _fused(self, branches: Mapping[str, BranchOutput]) -> Float[torch.Tensor, "b f"]:
        """What the final head reads, (b, f)."""
        if self.fusion is None:
            raise InputError("this system joins nothing: it has no fusion and no final head")
        features = {name: output.features for name, output in branches.items()}
        outputs = {
            name: output.outputs
            for name, output in branches.items()
            if self.branches[name].head.reads == "pooled"
        }
        width = self.fusion.num_features
        return check_tensor(
            self.fusion(features, outputs),
            f"the {origin_of(self.fusion, 'fusion')}, which declares num_features={width},",
            f"(b, {width})",
            sizes=(None, width),
            like=next(iter(features.values())),
        )

    @property
    def embedding_head(self) -> EmbeddingHead | None:
        """The head by which samples are compared with a library: the final one, or the first."""
        found = (each for each in self.heads().values() if isinstance(each, EmbeddingHead))
        return next(found, None)

    def embed(self, images: Float[torch.Tensor, "b c *grid"]) -> Float[torch.Tensor, "b e"]:
        """Places of images (b, c, *grid) on the sphere of the embedding head, (b, e).

        Raises:
            InputError: No head gives an embedding; or images of the wrong shape, or too small.
            PluginError: The head gives something else.
        """
        head = self.embedding_head
        if head is None:
            raise InputError("no head of this system gives an embedding")
        if head is self.head:
            read = self._fused(self.branch_outputs(images))
        else:
            branch = next(each for each in self.branches.values() if each.head is head)
            read = branch.read_by_head(branch.feature_map(images))
        size = head.embedding_size
        return check_tensor(
            head.embed(read),
            f"the {origin_of(head, 'head')}, which declares embedding_size={size},",
            f"(b, {size})",
            sizes=(None, size),
            like=read,
        )

    def forward(self, images: Float[torch.Tensor, "b c *grid"]) -> SystemOutput:
        """Outputs of the branches and, where there is one, of the final head.

        Raises:
            InputError: Images of the wrong shape, or too small.
        """
        branches = self.branch_outputs(images)
        return SystemOutput(branches, None if self.head is None else self.join(branches))

    def predict(self, output: SystemOutput) -> dict[str, Estimate]:
        """What is said of each target, by name, from what `forward` gave.

        Where several heads speak of the same, it is what the final one says, or else the first
        branch. Where the severity alone is told, the class is that whose severity is near.
        """
        said: dict[str, Estimate] = {}
        if self.head is not None and output.final is not None:
            said |= ask_estimates(self.head, output.final, self.targets)
        for name, item in output.branches.items():
            found = ask_estimates(
                self.branches[name].head, item.outputs, self.targets, f"branch '{name}': "
            )
            said = {**found, **said}
        if self.derived:
            said[LABEL] = Estimate.of_classes(self._near(said[SEVERITY].value))
        return {name: said[name] for name in self.targets}

    def _near(self, severity: Float[torch.Tensor, "b"]) -> Float[torch.Tensor, "b k"]:
        """Probabilities (b, k) of the classes if severities are told with normal errors.

        Their standard deviation is taken as half the least distance of two classes; calibration
        fits it, since a temperature T multiplies it by √T.
        """
        classes = self.get_buffer("class_severities")
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


def _class_severities(learnt: Sequence[str], known: Mapping[str, Target]) -> tuple[float, ...]:
    """The severities of classes that are told by them: none learns the label, and they differ."""
    if SEVERITY not in learnt or LABEL in learnt or LABEL not in known:
        return ()
    severities = known[LABEL].class_severities
    return severities if len(set(severities)) == len(severities) > 1 else ()
