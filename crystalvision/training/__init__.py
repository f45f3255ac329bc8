"""Trains systems: experiments, schedules of phases, and the loop that runs them."""

from crystalvision.training._augment import dihedral
from crystalvision.training._checkpoint import (
    Checkpoint,
    Checkpoints,
    Progress,
    read_checkpoint,
    write_checkpoint,
)
from crystalvision.training._data import (
    Patterns,
    PatternsInMemory,
    PatternsOnDisk,
    load_patterns,
    open_patterns,
)
from crystalvision.training._device import choose_device, seeded
from crystalvision.training._experiment import Experiment, load_experiment
from crystalvision.training._fit import History, fit
from crystalvision.training._machine import Machine
from crystalvision.training._phase import Optimiser, Phase
from crystalvision.training._plan import Plan, plan
from crystalvision.training._preprocess import InputConfig, Preprocess
from crystalvision.training._processes import Group, launched, leads, together
from crystalvision.training._records import (
    DivergenceError,
    EpochRecord,
    Listener,
    PhaseRecord,
    Silent,
)
from crystalvision.training._schedule import Schedule, presets

__all__ = [
    "Checkpoint",
    "Checkpoints",
    "DivergenceError",
    "EpochRecord",
    "Experiment",
    "Group",
    "History",
    "InputConfig",
    "Listener",
    "Machine",
    "Optimiser",
    "Patterns",
    "PatternsInMemory",
    "PatternsOnDisk",
    "Phase",
    "PhaseRecord",
    "Plan",
    "Preprocess",
    "Progress",
    "Schedule",
    "Silent",
    "choose_device",
    "dihedral",
    "fit",
    "launched",
    "leads",
    "load_experiment",
    "load_patterns",
    "open_patterns",
    "plan",
    "presets",
    "read_checkpoint",
    "seeded",
    "together",
    "write_checkpoint",
]
