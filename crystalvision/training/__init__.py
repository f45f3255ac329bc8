"""Trains systems: experiments, schedules of phases, and the loop that runs them."""

from crystalvision.training._augment import augmenter, build_augmentations
from crystalvision.training._data import (
    Patterns,
    PatternsInMemory,
    PatternsOnDisk,
    load_patterns,
    open_patterns,
)
from crystalvision.training._device import choose_device, seeded
from crystalvision.training._experiment import (
    AnyExperiment,
    ClassicalExperiment,
    Experiment,
    check_experiment,
    load_experiment,
)
from crystalvision.training._fit import History, fit
from crystalvision.training._phase import Optimiser, Phase
from crystalvision.training._plan import Plan, plan
from crystalvision.training._preprocess import InputConfig, Preprocess
from crystalvision.training._records import EpochRecord, Listener, PhaseRecord
from crystalvision.training._schedule import Schedule, presets

__all__ = [
    "AnyExperiment",
    "ClassicalExperiment",
    "EpochRecord",
    "Experiment",
    "History",
    "InputConfig",
    "Listener",
    "Optimiser",
    "Patterns",
    "PatternsInMemory",
    "PatternsOnDisk",
    "Phase",
    "PhaseRecord",
    "Plan",
    "Preprocess",
    "Schedule",
    "augmenter",
    "build_augmentations",
    "check_experiment",
    "choose_device",
    "fit",
    "load_experiment",
    "load_patterns",
    "open_patterns",
    "plan",
    "presets",
    "seeded",
]
