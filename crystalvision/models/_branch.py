"""A branch: a backbone, global average pooling, and a head."""

from collections.abc import ItemsView, Mapping, ValuesView
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import nn

from crystalvision.contracts import (
    Backbone,
    Head,
    Prediction,
    check_prediction,
    check_tensor,
    origin_of,
    strides,
)
from crystalvision.errors import InputError


@dataclass(frozen=True, slots=True)
class BranchOutput:
    """What a branch makes of a batch.

    Attributes:
        features: Pooled features, (b, f).
        outputs: Raw outputs of the branch's head, (b, o).
    """

    features: Float[torch.Tensor, "b f"]
    outputs: Float[torch.Tensor, "b o"]


def ask_head(head: Head, features: torch.Tensor, where: str = "") -> torch.Tensor:
    """Raw outputs (b, o) of a head.

    Raises:
        PluginError: It gives something else.
    """
    who = f"{where}the {origin_of(head, 'head')}"
    return check_tensor(head(features), who, "(b, o)", sizes=(None, None), like=features)


def ask_prediction(head: Head, outputs: torch.Tensor, where: str = "") -> Prediction:
    """What a head predicts from its raw outputs (b, o).

    Raises:
        PluginError: It gives something else.
    """
    return check_prediction(head.predict(outputs), f"{where}the {origin_of(head, 'head')}", outputs)


class Branch(nn.Module):
    """A backbone with a head over its pooled features.

    Args:
        name: Name of the branch, for errors.
        backbone: From images to a feature map.
        head: From pooled features to raw outputs.
        in_channels: Channels of the images.
    """

    def __init__(self, name: str, backbone: Backbone, head: Head, *, in_channels: int) -> None:
        super().__init__()
        self.name = name
        self.backbone = backbone
        self.head = head
        self.in_channels = in_channels

    def features(self, images: Float[torch.Tensor, "b c h w"]) -> Float[torch.Tensor, "b f"]:
        """Global average of the backbone's feature map: (b, c, h, w) → (b, f).

        Raises:
            InputError: Images of the wrong shape, or smaller than the backbone's stride.
            PluginError: The backbone gives another shape than it declares.
        """
        self._check_images(images)
        width = self.backbone.num_features
        maps = check_tensor(
            self.backbone(images),
            f"branch '{self.name}': the {origin_of(self.backbone, 'backbone')}, which declares "
            f"num_features={width},",
            f"(b, {width}, h', w')",
            sizes=(None, width, None, None),
            like=images,
        )
        return maps.mean(dim=(2, 3))

    def forward(self, images: Float[torch.Tensor, "b c h w"]) -> BranchOutput:
        """Features and the head's raw outputs of images (b, c, h, w).

        Raises:
            InputError: As for `features`.
            PluginError: As for `features`.
        """
        features = self.features(images)
        return BranchOutput(features, ask_head(self.head, features, f"branch '{self.name}': "))

    def _check_images(self, images: torch.Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != self.in_channels:
            raise InputError(
                f"branch '{self.name}' takes images of shape (b, {self.in_channels}, h, w), not "
                f"{tuple(images.shape)}; it was built for in_channels={self.in_channels}"
            )
        height, width = images.shape[2:]
        rows, columns = strides(self.backbone, 2)
        if height < rows or width < columns:
            raise InputError(
                f"branch '{self.name}' needs images of at least {rows}×{columns} pixels, not "
                f"{height}×{width}: bin less, or choose a backbone of smaller stride"
            )


class Branches(nn.ModuleDict):
    """Branches by name: an `nn.ModuleDict` whose values type checkers know."""

    def __init__(self, branches: Mapping[str, Branch]) -> None:
        super().__init__(dict(branches))

    def __getitem__(self, key: str) -> Branch:
        """The branch of that name."""
        return cast("Branch", super().__getitem__(key))

    def items(self) -> ItemsView[str, Branch]:
        """Names and branches."""
        return cast("ItemsView[str, Branch]", super().items())

    def values(self) -> ValuesView[Branch]:
        """The branches."""
        return cast("ValuesView[Branch]", super().values())
