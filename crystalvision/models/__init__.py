"""Systems: branches of a backbone and a head, joined by a fusion and a final head."""

from crystalvision.models._branch import (
    Branch,
    Branches,
    BranchOutput,
    ask_head,
    ask_prediction,
)
from crystalvision.models._build import build_system
from crystalvision.models._classical_config import ClassicalConfig
from crystalvision.models._config import NO_FUSION, BranchConfig, SystemConfig
from crystalvision.models._measure import count_parameters, flops
from crystalvision.models._memory import PeakMemory, peak_memory
from crystalvision.models._speed import BackboneSpeed, TrainingStep, measure_speed
from crystalvision.models._system import System, SystemOutput
from crystalvision.models._trained_branch import (
    TrainedBranch,
    TrainedOn,
    read_trained_branch,
    trained_on,
)

__all__ = [
    "NO_FUSION",
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
    "ask_head",
    "ask_prediction",
    "build_system",
    "count_parameters",
    "flops",
    "measure_speed",
    "peak_memory",
    "read_trained_branch",
    "trained_on",
]
