"""Checks an experiment against a dataset, and builds its system, before any pattern is read."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crystalvision.contracts import Augmentation, Target, grid_of
from crystalvision.datasets import Conditions, Dataset, DatasetHeader, differences
from crystalvision.errors import InputError
from crystalvision.inputs import Preprocess, build_preprocess
from crystalvision.models import (
    LABEL,
    SEVERITY,
    System,
    SystemConfig,
    TrainedOn,
    build_system,
    check_large_enough,
    trained_on,
)
from crystalvision.plugins import Catalogue
from crystalvision.training._augment import build_augmentations
from crystalvision.training._experiment import Experiment
from crystalvision.training._machine import seeded
from crystalvision.training._outputs import Scorers, build_scorers, learnt_in, monitored
from crystalvision.training._schedule import Phase

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
        scorers: What judges each target, by its name.
    """

    system: System
    preprocess: Preprocess
    augmentations: tuple[Augmentation, ...]
    phases: tuple[Phase, ...]
    scorers: Scorers


def plan(
    experiment: Experiment, dataset: Dataset, catalogue: Catalogue, *, online: bool = False
) -> Plan:
    """Build the system of an experiment and check everything that can be wrong.

    Args:
        experiment: The experiment.
        dataset: The dataset.
        catalogue: Where parts are looked up.
        online: Whether other patterns than those of the dataset are learnt from.

    Raises:
        InputError: A part or option that does not exist, images that the system cannot take, a
            schedule that does not fit the system, or splits that are empty.
    """
    ready = check_fits(experiment, dataset.header, catalogue)
    check_splits(dataset, online=online)
    if not online:
        _check_something_to_learn(ready.system, dataset)
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
            in_channels=preprocess.channels(channels),
            targets=header.targets,
            grid=grid_of(preprocess.axes),
            axes=preprocess.axes,
            first_weights=first_weights,
        )
    for name, branch in system.branches.items():
        axes = preprocess.axes if branch.prepare is None else branch.prepare.axes
        raw, found = ("×".join(map(str, grid_of(each))) for each in (header.axes, axes))
        why = (
            f"but the input makes {found} of {raw}; bin less (input.bin.size), or choose a "
            "backbone of smaller stride"
        )
        check_large_enough(name, branch.backbone, grid_of(axes), why)
    phases = experiment.schedule.for_parts(list(system.parts()))
    scorers = build_scorers(system.targets, catalogue)
    for phase in phases:
        monitored(phase, learnt_in(system, phase), scorers)
    return Plan(system, preprocess, augmentations, phases, scorers)


def check_splits(dataset: Dataset, *, online: bool = False) -> None:
    """Check that there are patterns to learn from, where they are not made, and to validate with.

    Raises:
        InputError: There are not.
    """
    for split, least in (("train", 0 if online else 2), ("validation", 1)):
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


def _check_something_to_learn(system: System, dataset: Dataset) -> None:
    """Check that there is something to learn for each head.

    Raises:
        InputError: All patterns of the training split have the same value of a target.
    """
    train = dataset.split("train")
    for part, head in system.heads().items():
        for name in head.targets:
            values = np.asarray(dataset.column(name))[train]
            if (values == values[:1]).all():
                what = _only_value(system.targets[name], values[0])
                raise InputError(
                    f"{dataset.path}: all {len(train)} patterns to train on {what}, so the head "
                    f"of '{part}' has nothing to learn; {_advice(name)}"
                )


def _advice(target: str) -> str:
    if target == SEVERITY:
        return (
            "give severities when you import (--severity CLASS=VALUE), or train a system without it"
        )
    return "choose another dataset or split, or train a system without it"


def _only_value(target: Target, value: np.ndarray) -> str:
    if target.shape:
        return f"have the same {target.name}"
    if not target.classes:
        return f"have the {target.name} {float(value):g}"
    only = target.classes[int(value)]
    return f"are of class '{only}'" if target.name == LABEL else f"have the {target.name} '{only}'"


def check_first_weights(system: SystemConfig, dataset: Dataset) -> list[str]:
    """What to say of weights that come from runs of other data, a line each.

    Args:
        system: What names the weights.
        dataset: What the system is to be trained on.

    Raises:
        InputError: A head that tells the same classes in another order.
    """
    mine = Conditions.of_dataset(dataset)
    notes = []
    for branch, before, with_head in _beginnings(system):
        for name, target in before.targets.items() if with_head else ():
            known = target.classes
            names = dataset.header.targets[name].classes if name in dataset.header.targets else ()
            if known != names and sorted(known) == sorted(names):
                raise InputError(
                    f"branch '{branch}' is to begin with the weights of {before.run}, whose head "
                    f"tells the classes of '{name}' in the order {', '.join(known)}, but "
                    f"{dataset.path} has them in the order {', '.join(names)}; begin with the "
                    "backbone alone: move `weights` into the backbone's options"
                )
        found = differences(mine, before.conditions, str(dataset.path), before.run)
        notes += [f"branch '{branch}' begins with weights of other data: {each}" for each in found]
    return notes


def _beginnings(system: SystemConfig) -> Iterator[tuple[str, TrainedOn, bool]]:
    """Each branch that begins as a run left it: its name, the run, and whether the head does."""
    for name, branch in system.branches.items():
        for weights, with_head in (
            (branch.weights, True),
            (branch.backbone.options.get("weights"), False),
        ):
            before = trained_on(weights) if isinstance(weights, str) else None
            if before is not None:
                yield name, before, with_head
