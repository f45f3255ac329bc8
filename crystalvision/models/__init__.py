"""Systems: branches of a backbone and a head, joined by a fusion and a final head."""

from crystalvision.models._branch import (
    Branch,
    Branches,
    BranchOutput,
    ask_estimates,
    ask_head,
    check_large_enough,
)
from crystalvision.models._build import build_system
from crystalvision.models._classical_config import ClassicalConfig
from crystalvision.models._config import NO_FUSION, BranchConfig, SystemConfig
from crystalvision.models._measure import count_parameters, flops
from crystalvision.models._memory import PeakMemory, peak_memory
from crystalvision.models._speed import BackboneSpeed, TrainingStep, measure_speed
from crystalvision.models._system import System, SystemOutput
from crystalvision.models._targets import LABEL, SEVERITY, class_count, listed
from crystalvision.models._trained_branch import (
    TrainedBranch,
    TrainedOn,
    read_trained_branch,
    trained_on,
)

__all__ = [
    "LABEL",
    "NO_FUSION",
    "SEVERITY",
    "BackboneSpeed",
    "Branch",
    "BranchConfig",
    "BranchOutput",
    "Branches",
    "ClassicalConfig",
    "PeakMemory",
    "System",
    "SystemConfig",
    "SystemOutput",
    "TrainedBranch",
    "TrainedOn",
    "TrainingStep",
    "ask_estimates",
    "ask_head",
    "build_system",
    "check_large_enough",
    "class_count",
    "count_parameters",
    "flops",
    "listed",
    "measure_speed",
    "peak_memory",
    "read_trained_branch",
    "trained_on",
]
