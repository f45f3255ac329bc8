"""A branch: a backbone, the mean of its map, and a head."""

from collections.abc import ItemsView, Mapping, ValuesView
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import nn

from crystalvision.contracts import (
    Backbone,
    Estimate,
    Head,
    Target,
    check_estimates,
    check_tensor,
    dimensions_of,
    origin_of,
    strides,
)
from crystalvision.errors import InputError
from crystalvision.inputs import Preprocess


@dataclass(frozen=True, slots=True)
class BranchOutput:
    """What a branch makes of a batch.

    Attributes:
        features: Pooled features, (b, f).
        outputs: Raw outputs of the branch's head, (b, o); (b, o, *m) of one that reads the map.
    """

    features: Float[torch.Tensor, "b f"]
    outputs: Float[torch.Tensor, "b o *m"]


def ask_head(head: Head, features: torch.Tensor, where: str = "") -> torch.Tensor:
    """Raw outputs (b, o) of a head, (b, o, *m) of one that reads the map.

    Raises:
        PluginError: It gives something else.
    """
    who = f"{where}the {origin_of(head, 'head')}"
    outputs = head(features)
    if head.reads == "pooled":
        return check_tensor(outputs, who, "(b, o)", sizes=(None, None), like=features)
    dimensions = outputs.ndim if isinstance(outputs, torch.Tensor) else 0
    sizes = (None,) * max(2, dimensions)
    return check_tensor(outputs, who, "(b, o, …)", sizes=sizes, like=features)


def ask_estimates(
    head: Head, outputs: torch.Tensor, targets: Mapping[str, Target], where: str = ""
) -> Mapping[str, Estimate]:
    """What a head says of each of its targets, from its raw outputs.

    Args:
        head: The head.
        outputs: What `ask_head` gave.
        targets: What they are, by name; more than the head's are no harm.
        where: Of which part of the system it is the head, for errors.

    Raises:
        PluginError: It gives something else.
    """
    learnt = {name: targets[name] for name in head.targets}
    who = f"{where}the {origin_of(head, 'head')}"
    return check_estimates(head.predict(outputs), who, outputs, learnt)


class Branch(nn.Module):
    """A backbone with a head over its features.

    Args:
        name: Name of the branch, for errors.
        backbone: From images to a feature map.
        head: From features, pooled or not, to raw outputs.
        in_channels: Channels of the images.
        prepare: What it does to images before its backbone sees them; `None` for nothing.
    """

    def __init__(
        self,
        name: str,
        backbone: Backbone,
        head: Head,
        *,
        in_channels: int,
        prepare: Preprocess | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.prepare = prepare
        self.backbone = backbone
        self.head = head
        self.in_channels = in_channels

    def feature_map(
        self, images: Float[torch.Tensor, "b c *grid"]
    ) -> Float[torch.Tensor, "b f *grid2"]:
        """The backbone's feature map: (b, c, *grid) → (b, f, *grid').

        Raises:
            InputError: Images of the wrong shape, or smaller than the backbone's stride.
            PluginError: The backbone gives another shape than it declares.
        """
        if self.prepare is not None:
            images = self.prepare(images)
        self._check_images(images)
        width = self.backbone.num_features
        return check_tensor(
            self.backbone(images),
            f"branch '{self.name}': the {origin_of(self.backbone, 'backbone')}, which declares "
            f"num_features={width},",
            f"(b, {width}, {_grid_text(images.ndim - 2, prime=True)})",
            sizes=(None, width, *(None,) * (images.ndim - 2)),
            like=images,
        )

    def forward(self, images: Float[torch.Tensor, "b c *grid"]) -> BranchOutput:
        """Pooled features, the mean of the map, and the head's raw outputs of images.

        Raises:
            InputError: As for `feature_map`.
            PluginError: As for `feature_map`.
        """
        maps = self.feature_map(images)
        read = self.read_by_head(maps)
        features = read if self.head.reads == "pooled" else _pooled(maps)
        return BranchOutput(features, ask_head(self.head, read, f"branch '{self.name}': "))

    def read_by_head(
        self, maps: Float[torch.Tensor, "b f *grid2"]
    ) -> Float[torch.Tensor, "b f *grid3"]:
        """What the head reads of a feature map: the map, or its mean (b, f)."""
        return maps if self.head.reads == "map" else _pooled(maps)

    def _check_images(self, images: torch.Tensor) -> None:
        known, found = dimensions_of(self.backbone), images.ndim - 2
        if found not in known or images.shape[1] != self.in_channels:
            shapes = " or ".join(
                f"(b, {self.in_channels}, {_grid_text(number)})" for number in sorted(known)
            )
            raise InputError(
                f"branch '{self.name}' takes images of shape {shapes}, not "
                f"{tuple(images.shape)}; it was built for in_channels={self.in_channels}"
            )
        check_large_enough(self.name, self.backbone, tuple(images.shape[2:]))


def _pooled(maps: Float[torch.Tensor, "b f *grid"]) -> Float[torch.Tensor, "b f"]:
    return maps.mean(dim=tuple(range(2, maps.ndim)))


def check_large_enough(
    branch: str, backbone: Backbone, grid: tuple[int, ...], why: str = ""
) -> None:
    """Check that images are no smaller than one point of the feature map.

    Args:
        branch: Name of the branch, for the error.
        backbone: Its backbone.
        grid: Shape of the images.
        why: How they came by that shape, if there is more to say than the shape.

    Raises:
        InputError: They are smaller.
    """
    least = strides(backbone, len(grid))
    if any(size < one for size, one in zip(grid, least, strict=True)):
        raise InputError(
            f"branch '{branch}' needs images of at least {'×'.join(map(str, least))} pixels, "
            + (
                why
                or f"not {'×'.join(map(str, grid))}: bin less, or choose a backbone of smaller "
                "stride"
            )
        )


def _grid_text(dimensions: int, *, prime: bool = False) -> str:
    names = {1: ("n",), 2: ("h", "w")}.get(dimensions, tuple("dhw"[-dimensions:]))
    return ", ".join(f"{name}'" if prime else name for name in names)


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
