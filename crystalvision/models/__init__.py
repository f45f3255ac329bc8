"""Systems: branches of a backbone and a head, joined by a fusion and a final head."""

from crystalvision.models._branch import Branch, Branches, BranchOutput
from crystalvision.models._build import build_system
from crystalvision.models._classical_config import ClassicalConfig
from crystalvision.models._config import NO_FUSION, BranchConfig, SystemConfig
from crystalvision.models._measure import count_parameters, flops
from crystalvision.models._system import System, SystemOutput

__all__ = [
    "NO_FUSION",
    "Branch",
    "BranchConfig",
    "BranchOutput",
    "Branches",
    "ClassicalConfig",
    "System",
    "SystemConfig",
    "SystemOutput",
    "build_system",
    "count_parameters",
    "flops",
]
