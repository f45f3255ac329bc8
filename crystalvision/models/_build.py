"""Builds a system from its description, and refuses one that could not work."""

from collections.abc import Sequence

import torch

from crystalvision.config import Part
from crystalvision.contracts import Head, Prediction, check_size, check_stride, origin_of
from crystalvision.errors import InputError
from crystalvision.models._branch import Branch, ask_head, ask_prediction
from crystalvision.models._config import NO_FUSION, BranchConfig, SystemConfig
from crystalvision.models._system import System
from crystalvision.models._trained_branch import load_trained_branch
from crystalvision.plugins import Catalogue


def build_system(
    config: SystemConfig,
    catalogue: Catalogue,
    *,
    in_channels: int,
    num_classes: int,
    class_severities: Sequence[float] = (),
    first_weights: bool = True,
) -> System:
    """Build an untrained system.

    Args:
        config: Its description.
        catalogue: Where backbones, heads and fusions are looked up.
        in_channels: Channels of the images.
        num_classes: Classes to tell apart.
        class_severities: Severity of each class: a system whose heads tell severity alone takes the
            nearest. Without them there must be a head that tells classes.
        first_weights: Whether branches and backbones begin with what their `weights` name. A
            trained system does without: those files need not be there any more.

    Raises:
        InputError: A part or option that does not exist, fewer than one channel or two classes,
            several branches that nothing joins, a fusion without a final head or a final head
            without a fusion, or nothing that tells classes.
    """
    if in_channels < 1:
        raise InputError(f"in_channels={in_channels}: images have at least one channel")
    if num_classes < 2:
        raise InputError(f"num_classes={num_classes}: there must be at least two to tell apart")
    # Cheap to check, so before networks are made.
    joins = catalogue.entry("fusion", config.fusion.name).name != NO_FUSION
    _check_shape(config, catalogue, joins=joins)
    branches = {
        name: _branch(
            name,
            branch if first_weights else _without_weights(branch),
            catalogue,
            in_channels,
            num_classes,
        )
        for name, branch in config.branches.items()
    }
    widths = {name: branch.backbone.num_features for name, branch in branches.items()}
    fusion = catalogue.create(
        "fusion",
        config.fusion.name,
        config.fusion.options,
        branch_features=widths,
        branch_outputs={
            name: _outputs(branch.head, widths[name]).shape[1] for name, branch in branches.items()
        },
        num_classes=num_classes,
    )
    head = None
    if config.head is not None:
        head = catalogue.create(
            "head",
            config.head.name,
            config.head.options,
            num_features=check_size(fusion, "num_features", f"the {origin_of(fusion, 'fusion')}"),
            num_classes=num_classes,
        )
    readers = {name: (branch.head, widths[name]) for name, branch in branches.items()}
    if head is not None:
        readers["head"] = (head, fusion.num_features)
    told = [_told(*reader) for reader in readers.values()]
    by_severity = all(prediction.probabilities is None for prediction in told)
    if by_severity:
        tells_severity = any(prediction.severity is not None for prediction in told)
        _check_severities(
            class_severities if tells_severity else (), list(readers), catalogue.names("head")
        )
    return System(
        branches, fusion if joins else None, head, class_severities if by_severity else ()
    )


def _check_severities(
    class_severities: Sequence[float], readers: Sequence[str], heads: Sequence[str]
) -> None:
    """Check that severities tell the classes of a system that has no head for them.

    Raises:
        InputError: There are none, or two classes have the same.
    """
    if not class_severities:
        raise InputError(
            f"nothing in this system classifies: the heads of {', '.join(readers)} give no "
            f"probabilities; heads: {', '.join(heads)}"
        )
    if len(set(class_severities)) < len(class_severities):
        listing = ", ".join(f"{severity:g}" for severity in class_severities)
        raise InputError(
            f"the heads of {', '.join(readers)} tell severity alone, and the classes' severities "
            f"({listing}) are not all different: add a head that tells classes; heads: "
            f"{', '.join(heads)}"
        )


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


def _branch(
    name: str, config: BranchConfig, catalogue: Catalogue, in_channels: int, num_classes: int
) -> Branch:
    backbone = catalogue.create(
        "backbone", config.backbone.name, config.backbone.options, in_channels=in_channels
    )
    who = f"branch '{name}': the {origin_of(backbone, 'backbone')}"
    width = check_size(backbone, "num_features", who)
    check_stride(backbone, who)
    head = catalogue.create(
        "head",
        config.head.name,
        config.head.options,
        num_features=width,
        num_classes=num_classes,
    )
    branch = Branch(name, backbone, head, in_channels=in_channels)
    load_trained_branch(branch, config)
    return branch


def _without_weights(config: BranchConfig) -> BranchConfig:
    """The branch that is not told which weights to begin with."""
    backbone = config.backbone
    if isinstance(backbone.options.get("weights"), str):
        rest = {name: value for name, value in backbone.options.items() if name != "weights"}
        backbone = Part.of(backbone.name, **rest)
    return BranchConfig(backbone=backbone, head=config.head)


def _told(head: Head, width: int) -> Prediction:
    """What a head tells, found by asking it: a contract less for a stranger."""
    return ask_prediction(head, _outputs(head, width))


@torch.no_grad()
def _outputs(head: Head, width: int) -> torch.Tensor:
    """What a head makes of the features of one image that is all zeros, (1, o)."""
    mode = head.training
    outputs = ask_head(head.eval(), torch.zeros(1, width))
    head.train(mode)
    return outputs
