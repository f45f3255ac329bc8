"""What the heads of a system learn, checked against what a dataset has."""

from collections.abc import Mapping, Sequence

import torch

from crystalvision.config import Part
from crystalvision.contracts import Head, Target
from crystalvision.errors import InputError, PluginError
from crystalvision.plugins import Catalogue

LABEL, SEVERITY = "label", "severity"
"""The targets between which there is a bridge: classes have severities."""


def make_head(
    part: Part,
    catalogue: Catalogue,
    where: str,
    *,
    num_features: int,
    targets: Mapping[str, Target],
    grid: Sequence[int],
    map_grid: Sequence[int] = (),
) -> Head:
    """Make a head, and check that what it learns is there to be learnt.

    Args:
        part: Its name and options.
        catalogue: Where it is looked up.
        where: Of which part of the system it is the head, for errors.
        num_features: Features that it reads.
        targets: What a dataset has to be learnt, by name.
        grid: Shape of the prepared images.
        map_grid: Shape of the feature map; empty where there is none.

    Raises:
        InputError: No such head, a wrong option, or a target that the dataset lacks or that is of
            another kind.
        PluginError: It does not say what it learns.
    """
    who = f"{where}head '{part.name}'"
    entry = catalogue.entry("head", part.name)
    wanted = _option(part, catalogue)
    if any(option.name == "target" for option in entry.options()):
        _check_known([wanted], who, targets)
    count = class_count(part, catalogue, targets)
    if not count and entry.asks_for("num_classes"):
        raise InputError(f"{who} tells classes apart, but {_no_classes(wanted, targets)}")
    head = catalogue.create(
        "head",
        part.name,
        part.options,
        num_features=num_features,
        num_classes=count,
        targets=targets,
        grid=tuple(grid),
        map_grid=tuple(map_grid),
    )
    learnt = head.targets
    if not (isinstance(learnt, tuple) and learnt and all(isinstance(each, str) for each in learnt)):
        raise PluginError(
            f"{who} has targets={learnt!r}; expected the names of what it learns, such as "
            "('label',)"
        )
    _check_known(learnt, who, targets)
    return head


def class_count(part: Part, catalogue: Catalogue, targets: Mapping[str, Target]) -> int:
    """Classes of the target that a head's option `target` names, else of `label`; 0 without."""
    name = _option(part, catalogue)
    return len(targets[name].classes) if name in targets else 0


def _option(part: Part, catalogue: Catalogue) -> str:
    for option in catalogue.entry("head", part.name).options():
        if option.name == "target":
            return str(part.options.get("target", option.default))
    return LABEL


def _check_known(names: Sequence[str], who: str, targets: Mapping[str, Target]) -> None:
    for name in names:
        if name not in targets:
            raise InputError(
                f"{who} learns '{name}', which the dataset does not have; its targets: "
                f"{listed(targets)}"
            )


def _no_classes(name: str, targets: Mapping[str, Target]) -> str:
    found = {each: target for each, target in targets.items() if target.classes}
    what = "has no classes" if name in targets else "is none of the dataset's targets"
    return f"'{name}' {what}; targets with classes: {listed(found)}"


def check_kinds(said: Mapping[str, torch.Tensor], who: str, targets: Mapping[str, Target]) -> None:
    """Check that a head gives indices of classes where a target has some, and else real values.

    Raises:
        InputError: It does not: its option chose a target of another kind.
    """
    for name, value in said.items():
        target = targets[name]
        real = value.is_floating_point()
        if real and target.classes:
            what = f"real values, but '{name}' has classes"
            fitting = {each: one for each, one in targets.items() if not one.classes}
        elif not real and not target.classes:
            what = f"classes, but '{name}' is a real value"
            fitting = {each: one for each, one in targets.items() if one.classes}
        elif tuple(value.shape[1:]) != target.shape:
            what = f"values of shape {tuple(value.shape[1:])}, but '{name}' has {target.shape}"
            fitting = {
                each: one
                for each, one in targets.items()
                if one.shape == tuple(value.shape[1:]) and bool(one.classes) is not real
            }
        else:
            continue
        raise InputError(f"{who} gives {what}; choose a target that fits: {listed(fitting)}")


def listed(targets: Mapping[str, Target]) -> str:
    """What there is to be learnt, in words."""
    return ", ".join(map(_described, targets.values())) or "none"


def _described(target: Target) -> str:
    shape = f" of shape {target.shape}" if target.shape else ""
    if target.classes:
        return f"{target.name} ({len(target.classes)} classes{shape})"
    units = "" if target.units == "1" else target.units
    facts = f"{units}{shape}".strip()
    return f"{target.name} ({facts})" if facts else target.name
