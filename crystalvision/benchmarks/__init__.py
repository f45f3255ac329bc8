"""Benchmarks: suites of datasets × systems × seeds, each cell an ordinary run."""

from crystalvision.benchmarks._cells import Cell, CellKey, cells_of
from crystalvision.benchmarks._claims import Claim, CurvePlan
from crystalvision.benchmarks._folder import BenchmarkFolder, is_benchmark
from crystalvision.benchmarks._keep import keep_runs
from crystalvision.benchmarks._load_suite import find_suite, load_suite
from crystalvision.benchmarks._outcome import Outcome
from crystalvision.benchmarks._plan import Planned, Settings, Watcher, check_place, plan_benchmark
from crystalvision.benchmarks._rows import ResultRow, Status, score_columns
from crystalvision.benchmarks._runner import run_benchmark
from crystalvision.benchmarks._suite import (
    Bound,
    DatasetPlan,
    Pairing,
    Samples,
    Start,
    Suite,
    SystemPlan,
    TrainSamples,
)
from crystalvision.benchmarks._table import collect, write_table

__all__ = [
    "BenchmarkFolder",
    "Bound",
    "Cell",
    "CellKey",
    "Claim",
    "CurvePlan",
    "DatasetPlan",
    "Outcome",
    "Pairing",
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
    "keep_runs",
    "load_suite",
    "plan_benchmark",
    "run_benchmark",
    "score_columns",
    "write_table",
]
