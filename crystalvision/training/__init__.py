"""Trains systems: experiments, schedules of phases, and the loop that runs them."""

from crystalvision.training._augment import augmenter, build_augmentations
from crystalvision.training._checkpoint import (
    Checkpoint,
    Checkpoints,
    DivergenceError,
    EpochRecord,
    Listener,
    PhaseRecord,
    Progress,
    Silent,
    read_checkpoint,
    write_checkpoint,
)
from crystalvision.training._experiment import (
    AnyExperiment,
    ClassicalExperiment,
    Experiment,
    check_experiment,
    load_experiment,
    read_experiment,
)
from crystalvision.training._fit import History, fit
from crystalvision.training._machine import Machine, choose_device, seeded
from crystalvision.training._memory import in_batches_that_fit
from crystalvision.training._online import Online, OnlinePatterns, OnlineSamples
from crystalvision.training._outputs import Scorer, Scorers, build_scorers
from crystalvision.training._patterns import (
    Patterns,
    PatternsInMemory,
    PatternsOnDisk,
    load_patterns,
    open_patterns,
    read_targets,
)
from crystalvision.training._plan import (
    Plan,
    check_first_weights,
    check_fits,
    check_splits,
    notes_on_few,
    plan,
)
from crystalvision.training._processes import ProcessGroup, is_main_process, launched, process_group
from crystalvision.training._schedule import Optimiser, Phase, Schedule, presets
from crystalvision.training._trainer import RESUMABLE

__all__ = [
    "RESUMABLE",
    "AnyExperiment",
    "Checkpoint",
    "Checkpoints",
    "ClassicalExperiment",
    "DivergenceError",
    "EpochRecord",
    "Experiment",
    "History",
    "Listener",
    "Machine",
    "Online",
    "OnlinePatterns",
    "OnlineSamples",
    "Optimiser",
    "Patterns",
    "PatternsInMemory",
    "PatternsOnDisk",
    "Phase",
    "PhaseRecord",
    "Plan",
    "ProcessGroup",
    "Progress",
    "Schedule",
    "Scorer",
    "Scorers",
    "Silent",
    "augmenter",
    "build_augmentations",
    "build_scorers",
    "check_experiment",
    "check_first_weights",
    "check_fits",
    "check_splits",
    "choose_device",
    "fit",
    "in_batches_that_fit",
    "is_main_process",
    "launched",
    "load_experiment",
    "load_patterns",
    "notes_on_few",
    "open_patterns",
    "plan",
    "presets",
    "process_group",
    "read_checkpoint",
    "read_experiment",
    "read_targets",
    "seeded",
    "write_checkpoint",
]
