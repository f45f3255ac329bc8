"""Run folders: a trained system with all that is needed to use it, judge it and make it again."""

from crystalvision.runs._adapt import adapted_run
from crystalvision.runs._folder import check_free
from crystalvision.runs._record import (
    AdaptedRecord,
    DatasetRecord,
    PluginRecord,
    RunRecord,
    SubsetRecord,
    environment,
    git_revision,
    parts_of,
)
from crystalvision.runs._run import Run, load_epochs, load_record, preprocess_of
from crystalvision.runs._train import train_run
from crystalvision.runs._train_classical import train_classical_run

__all__ = [
    "AdaptedRecord",
    "DatasetRecord",
    "PluginRecord",
    "Run",
    "RunRecord",
    "SubsetRecord",
    "adapted_run",
    "check_free",
    "environment",
    "git_revision",
    "load_epochs",
    "load_record",
    "parts_of",
    "preprocess_of",
    "train_classical_run",
    "train_run",
]
