"""Checks an experiment against a dataset, and builds its system, before any pattern is read."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from crystalvision.contracts import (
    Augmentation,
    Backbone,
    Prediction,
    check_dimensions,
    grid_of,
    origin_of,
    strides,
)
from crystalvision.datasets import Dataset, DatasetHeader
from crystalvision.errors import InputError
from crystalvision.inputs import Preprocess, build_preprocess
from crystalvision.models import System, build_system
from crystalvision.plugins import Catalogue
from crystalvision.training._augment import build_augmentations
from crystalvision.training._device import seeded
from crystalvision.training._experiment import Experiment
from crystalvision.training._outputs import check_monitor, told_by_heads
from crystalvision.training._phase import Phase

_ENOUGH = 50  # one pattern is then 2 % of the accuracy
_FOR_A_LIMIT = 19  # 1 / 0.05 - 1: with fewer no order statistic is exceeded by 5 %


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment that is ready to run.

    Attributes:
        system: The untrained system.
        preprocess: Prepares its input.
        augmentations: Change the counts of training images.
        phases: The phases, without what the system does not have.
    """

    system: System
    preprocess: Preprocess
    augmentations: tuple[Augmentation, ...]
    phases: tuple[Phase, ...]


def plan(experiment: Experiment, dataset: Dataset, catalogue: Catalogue) -> Plan:
    """Build the system of an experiment and check everything that can be wrong.

    Raises:
        InputError: A part or option that does not exist, images that the system cannot take, a
            schedule that does not fit the system, or splits that are empty.
    """
    ready = check_fits(experiment, dataset.header, catalogue)
    check_splits(dataset)
    _check_targets(told_by_heads(ready.system), dataset)
    return ready


def check_fits(
    experiment: Experiment,
    header: DatasetHeader,
    catalogue: Catalogue,
    *,
    first_weights: bool = True,
) -> Plan:
    """Build the system of an experiment and check all but the samples of a dataset.

    Args:
        experiment: The experiment.
        header: What the dataset says of itself; it need not have been made.
        catalogue: Where parts are looked up.
        first_weights: Whether the system begins with the weights that it names.

    Raises:
        InputError: A part or option that does not exist, images that the system cannot take, or a
            schedule that does not fit the system.
    """
    channels = header.image_shape[0]
    preprocess = build_preprocess(experiment.input, catalogue, header.axes)
    augmentations = build_augmentations(
        experiment.augment, catalogue, channels, preprocess.count_axes
    )
    with seeded(experiment.seed):
        system = build_system(
            experiment.system,
            catalogue,
            in_channels=channels,
            num_classes=len(header.class_names),
            class_severities=header.class_severities,
            first_weights=first_weights,
        )
    for name, branch in system.branches.items():
        _check_grid(name, branch.backbone, preprocess)
    phases = experiment.schedule.for_parts(list(system.parts()))
    told = told_by_heads(system)
    for phase in phases:
        check_monitor(told, phase)
    return Plan(system, preprocess, augmentations, phases)


def _check_grid(name: str, backbone: Backbone, preprocess: Preprocess) -> None:
    """Check that a branch can read what patterns are made into.

    Raises:
        InputError: They have other dimensions, or too few points.
    """
    who = f"branch '{name}': the {origin_of(backbone, 'backbone')}"
    check_dimensions(who, backbone, preprocess.axes)
    grid = grid_of(preprocess.axes)
    least = strides(backbone, len(grid))
    if any(size < one for size, one in zip(grid, least, strict=True)):
        raw, wanted, found = (
            "×".join(map(str, sizes)) for sizes in (grid_of(preprocess.raw_axes), least, grid)
        )
        raise InputError(
            f"branch '{name}' needs images of at least {wanted} pixels, but the input makes "
            f"{found} of {raw}; bin less (input.bin.size), or choose a backbone of smaller stride"
        )


def check_splits(dataset: Dataset) -> None:
    """Check that there are patterns to learn from and to validate with.

    Raises:
        InputError: There are not.
    """
    for split, least in (("train", 2), ("validation", 1)):
        if len(dataset.split(split)) < least:
            raise InputError(f"{dataset.path}: its {split} split is empty; make more samples")


def notes_on_few(dataset: Dataset) -> list[str]:
    """What so few validation patterns cannot tell, a line each."""
    count = len(dataset.split("validation"))
    if count >= _ENOUGH:
        return []
    weight = f"one of them is {1 / count:.1%} of the accuracy that is compared"
    notes = [f"{count} validation patterns choose epochs and temperature: {weight}"]
    if count < _FOR_A_LIMIT:
        notes.append(
            "the reject flag is to flag 5 % of patterns like these, but the largest distance of "
            f"{count} is exceeded by {1 / (count + 1):.0%} of others; it takes {_FOR_A_LIMIT} "
            "validation patterns"
        )
    return notes


def _check_targets(told: Mapping[str, Prediction], dataset: Dataset) -> None:
    """Check that there is something to learn for each head.

    Raises:
        InputError: All patterns of the training split are of one class, or of one severity.
    """
    train = dataset.split("train")
    labels, severities = (np.unique(dataset.column(name)[train]) for name in ("label", "severity"))
    for name, prediction in told.items():
        if prediction.probabilities is not None and len(labels) == 1:
            only = dataset.header.class_names[int(labels[0])]
            raise InputError(
                f"{dataset.path}: all {len(train)} patterns to train on are of class '{only}', so "
                f"the head of '{name}' has nothing to tell apart; choose another dataset or split"
            )
        if prediction.severity is not None and len(severities) == 1:
            raise InputError(
                f"{dataset.path}: all {len(train)} patterns to train on have the severity "
                f"{severities[0]:g}, so '{name}' has nothing to learn: give severities when you "
                "import (--severity CLASS=VALUE), or train a system without it"
            )
