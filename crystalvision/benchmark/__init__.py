"""Benchmarks: suites of datasets × systems × seeds, each cell an ordinary run."""

from crystalvision.benchmark._rows import ResultRow, Status
from crystalvision.benchmark._suite import (
    Bound,
    DatasetPlan,
    Pairing,
    Samples,
    Start,
    Suite,
    SystemPlan,
    TrainSamples,
    load_suite,
)

__all__ = [
    "Bound",
    "DatasetPlan",
    "Pairing",
    "ResultRow",
    "Samples",
    "Start",
    "Status",
    "Suite",
    "SystemPlan",
    "TrainSamples",
    "load_suite",
]
