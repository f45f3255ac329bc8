"""Checks an experiment against a dataset, and builds its system, before any pattern is read."""

from dataclasses import dataclass

from crystalvision.contracts import Augmentation, stride_pair
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.models import System, build_system
from crystalvision.plugins import Catalogue
from crystalvision.training._augment import build_augmentations
from crystalvision.training._device import seeded
from crystalvision.training._experiment import Experiment
from crystalvision.training._outputs import check_monitor
from crystalvision.training._phase import Phase
from crystalvision.training._preprocess import Preprocess


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
    channels, height, width = dataset.header.image_shape
    preprocess = Preprocess(experiment.input)
    size = preprocess.check(height, width)
    augmentations = build_augmentations(experiment.augment, catalogue, (channels, *size))
    with seeded(experiment.seed):
        system = build_system(
            experiment.system,
            catalogue,
            in_channels=channels,
            num_classes=len(dataset.header.class_names),
        )
    for name in system.branches:
        rows, columns = stride_pair(system.branches[name].backbone)
        if size[0] < rows or size[1] < columns:
            raise InputError(
                f"branch '{name}' needs images of at least {rows}×{columns} pixels, but "
                f"{height}×{width} binned by {experiment.input.bin} are {size[0]}×{size[1]}; "
                "lower input.bin"
            )
    phases = experiment.schedule.for_parts(list(system.parts()))
    for phase in phases:
        check_monitor(system, phase)
    for split, least in (("train", 2), ("validation", 1)):
        if len(dataset.split(split)) < least:
            raise InputError(f"{dataset.path}: its {split} split is empty; make more samples")
    return Plan(system, preprocess, augmentations, phases)
