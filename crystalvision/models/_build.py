"""Builds a system from its description, and refuses one that could not work."""

from collections.abc import Mapping, Sequence

import torch

from crystalvision.config import Part
from crystalvision.contracts import (
    Axis,
    Backbone,
    Head,
    Target,
    check_size,
    check_stride,
    dimensions_of,
    grid_of,
    origin_of,
    strides,
)
from crystalvision.errors import InputError
from crystalvision.inputs import Preprocess, build_preprocess
from crystalvision.models._branch import Branch, ask_estimates, ask_head
from crystalvision.models._config import NO_FUSION, BranchConfig, SystemConfig
from crystalvision.models._system import System
from crystalvision.models._targets import check_kinds, class_count, make_head
from crystalvision.models._trained_branch import load_trained_branch
from crystalvision.plugins import Catalogue


def build_system(
    config: SystemConfig,
    catalogue: Catalogue,
    *,
    in_channels: int,
    targets: Mapping[str, Target],
    grid: Sequence[int],
    axes: Sequence[Axis] = (),
    first_weights: bool = True,
) -> System:
    """Build an untrained system.

    Args:
        config: Its description.
        catalogue: Where backbones, heads and fusions are looked up.
        in_channels: Channels of the images.
        targets: What there is to be learnt, by name; the heads choose among them.
        grid: Shape of the prepared images, (h, w) or another.
        axes: Their axes, which branches with an input of their own need.
        first_weights: Whether branches and backbones begin with what their `weights` name. A
            trained system does without: those files need not be there any more.

    Raises:
        InputError: A part or option that does not exist, fewer than one channel, a target that
            there is not or that is of another kind than the head's, a backbone of other dimensions
            than the images, several branches that nothing joins, or a fusion without a final head
            or a final head without a fusion.
    """
    if in_channels < 1:
        raise InputError(f"in_channels={in_channels}: images have at least one channel")
    for target in targets.values():
        if len(target.classes) == 1:
            raise InputError(
                f"target '{target.name}' has the one class '{target.classes[0]}'; there must be "
                "at least two to tell apart"
            )
    # Cheap to check, so before networks are made.
    joins = catalogue.entry("fusion", config.fusion.name).name != NO_FUSION
    _check_shape(config, catalogue, joins=joins)
    made = _Parts(catalogue, targets, tuple(grid), tuple(axes))
    branches = {
        name: made.branch(name, branch if first_weights else _without_weights(branch), in_channels)
        for name, branch in config.branches.items()
    }
    widths = {name: branch.backbone.num_features for name, branch in branches.items()}
    outputs = {name: made.check(branch) for name, branch in branches.items()}
    classes = class_count(config.head, catalogue, targets) if config.head else 0
    fusion = catalogue.create(
        "fusion",
        config.fusion.name,
        config.fusion.options,
        branch_features=widths,
        branch_outputs={
            name: count for name, count in outputs.items() if branches[name].head.reads == "pooled"
        },
        num_classes=classes,
    )
    head = None
    if config.head is not None:
        width = check_size(fusion, "num_features", f"the {origin_of(fusion, 'fusion')}")
        head = made.final_head(config.head, width)
    return System(branches, fusion if joins else None, head, targets)


class _Parts:
    """Makes the parts of a system, for data of some kind."""

    def __init__(
        self,
        catalogue: Catalogue,
        targets: Mapping[str, Target],
        grid: tuple[int, ...],
        axes: tuple[Axis, ...],
    ) -> None:
        self._catalogue = catalogue
        self._targets = targets
        self._grid = grid
        self._axes = axes

    def branch(self, name: str, config: BranchConfig, in_channels: int) -> Branch:
        """A branch, with the weights that it begins with."""
        prepare = self._prepare(name, config)
        grid = self._grid if prepare is None else grid_of(prepare.axes)
        dimensions = len(grid)
        backbone = self._catalogue.create(
            "backbone",
            config.backbone.name,
            config.backbone.options,
            in_channels=in_channels,
            dimensions=dimensions,
        )
        who = f"branch '{name}': the {origin_of(backbone, 'backbone')}"
        width = check_size(backbone, "num_features", who)
        if dimensions not in (read := dimensions_of(backbone)):
            known = " or ".join(map(str, sorted(read)))
            raise InputError(
                f"branch '{name}': backbone '{config.backbone.name}' reads patterns of {known} "
                f"dimensions, but these have {dimensions}; choose a backbone that reads them"
            )
        check_stride(backbone, who, dimensions)
        head = make_head(
            config.head,
            self._catalogue,
            f"branch '{name}': ",
            num_features=width,
            targets=self._targets,
            grid=grid,
            map_grid=_map_grid(backbone, grid),
        )
        branch = Branch(name, backbone, head, in_channels=in_channels, prepare=prepare)
        load_trained_branch(branch, config)
        return branch

    def _prepare(self, name: str, config: BranchConfig) -> Preprocess | None:
        """What a branch does to images before its backbone sees them, if it does anything.

        Raises:
            InputError: A step that it cannot do.
        """
        if not config.input:
            return None
        if not self._axes:
            raise InputError(f"branch '{name}' has an input of its own, which needs the axes")
        return build_preprocess(config.input, self._catalogue, self._axes)

    def final_head(self, part: Part, width: int) -> Head:
        """The head over what a fusion gives.

        Raises:
            InputError: It reads a map, and there is none.
        """
        head = make_head(
            part,
            self._catalogue,
            "the final ",
            num_features=width,
            targets=self._targets,
            grid=self._grid,
        )
        if head.reads == "map":
            raise InputError(
                f"the final head '{part.name}' reads a feature map, but a fusion gives pooled "
                "features; make it the head of a branch"
            )
        self._check_head(head, torch.zeros(1, width), f"the final head '{part.name}'")
        return head

    def check(self, branch: Branch) -> int:
        """Check what a branch's head gives, and say how many outputs there are."""
        width = branch.backbone.num_features
        shape: tuple[int, ...] = ()
        if branch.head.reads == "map":
            grid = self._grid if branch.prepare is None else grid_of(branch.prepare.axes)
            shape = _map_grid(branch.backbone, grid)
        who = f"branch '{branch.name}': the {origin_of(branch.head, 'head')}"
        return self._check_head(branch.head, torch.zeros(1, width, *shape), who)

    @torch.no_grad()
    def _check_head(self, head: Head, features: torch.Tensor, who: str) -> int:
        """Ask a head about one image that is all zeros; a contract less for a stranger."""
        mode = head.training
        outputs = ask_head(head.eval(), features)
        said = head.predict(outputs)
        head.train(mode)
        if isinstance(said, Mapping):
            values = {name: getattr(said.get(name), "value", None) for name in head.targets}
            tensors = {name: one for name, one in values.items() if isinstance(one, torch.Tensor)}
            check_kinds(tensors, who, self._targets)
        ask_estimates(head, outputs, self._targets)
        return int(outputs.shape[1])


def _map_grid(backbone: Backbone, grid: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of the feature map; of one that rounds up, without the last point."""
    steps = strides(backbone, len(grid))
    return tuple(max(1, size // step) for size, step in zip(grid, steps, strict=True))


def _check_shape(config: SystemConfig, catalogue: Catalogue, *, joins: bool) -> None:
    fusion = config.fusion.name
    others = [name for name in catalogue.names("fusion") if name.split(":")[-1] != NO_FUSION]
    joining = ", ".join(others) or "none is installed"
    if joins and config.head is None:
        raise InputError(
            f"fusion '{fusion}' needs a final head to read what it gives: add `head: NAME` to the "
            f"system; heads: {', '.join(catalogue.names('head'))}"
        )
    if not joins and len(config.branches) > 1:
        raise InputError(
            f"fusion '{fusion}' joins nothing, but there are {len(config.branches)} branches "
            f"({', '.join(config.branches)}): keep one of them, or choose a final head and a "
            f"fusion that joins several: {joining}"
        )
    if not joins and config.head is not None:
        raise InputError(
            f"the final head '{config.head.name}' has nothing to read, since fusion is '{fusion}': "
            f"leave the head out, or choose a fusion that joins: {joining}"
        )


def _without_weights(config: BranchConfig) -> BranchConfig:
    """The branch that is not told which weights to begin with."""
    backbone = config.backbone
    if isinstance(backbone.options.get("weights"), str):
        rest = {name: value for name, value in backbone.options.items() if name != "weights"}
        backbone = Part.of(backbone.name, **rest)
    return BranchConfig(backbone=backbone, head=config.head, input=config.input)
