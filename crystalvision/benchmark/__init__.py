"""Benchmarks: suites of datasets × systems × seeds, each cell an ordinary run."""

from crystalvision.benchmark._cells import Cell, CellKey, cells_of
from crystalvision.benchmark._folder import Place, is_benchmark
from crystalvision.benchmark._load_suite import find_suite, load_suite
from crystalvision.benchmark._outcome import Outcome
from crystalvision.benchmark._plan import Planned, Settings, Watcher, check_place, plan_benchmark
from crystalvision.benchmark._rows import ResultRow, Status
from crystalvision.benchmark._runner import run_benchmark
from crystalvision.benchmark._suite import (
    Bound,
    Claim,
    DatasetPlan,
    Pairing,
    Samples,
    Start,
    Suite,
    SystemPlan,
    TrainSamples,
)
from crystalvision.benchmark._table import collect, write_table

__all__ = [
    "Bound",
    "Cell",
    "CellKey",
    "Claim",
    "DatasetPlan",
    "Outcome",
    "Pairing",
    "Place",
    "Planned",
    "ResultRow",
    "Samples",
    "Settings",
    "Start",
    "Status",
    "Suite",
    "SystemPlan",
    "TrainSamples",
    "Watcher",
    "cells_of",
    "check_place",
    "collect",
    "find_suite",
    "is_benchmark",
    "load_suite",
    "plan_benchmark",
    "run_benchmark",
    "write_table",
]
