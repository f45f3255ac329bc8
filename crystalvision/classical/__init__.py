"""Classical systems: features of patterns, and the estimators that read them."""

from crystalvision.classical._build import beam_centre, build_classical
from crystalvision.classical._fit import fit_classical
from crystalvision.classical._store import ESTIMATOR, FEATURES, load_classical, save_classical
from crystalvision.classical._system import ClassicalSystem

__all__ = [
    "ESTIMATOR",
    "FEATURES",
    "ClassicalSystem",
    "beam_centre",
    "build_classical",
    "fit_classical",
    "load_classical",
    "save_classical",
]
