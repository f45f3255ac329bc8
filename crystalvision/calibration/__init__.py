"""Makes predictions trustworthy: calibrated, and flagged where unlike or undecided."""

from crystalvision.calibration._doubt import doubt_limits, in_doubt
from crystalvision.calibration._files import load_calibration, save_calibration
from crystalvision.calibration._fit import (
    CalibrationRecord,
    PredictionCalibration,
    fit_calibration,
    views_of,
)
from crystalvision.calibration._novelty import Novelty, View, conformal_limit
from crystalvision.calibration._predict import SystemPrediction, predict_with
from crystalvision.calibration._temperature import fit_temperature, scale

__all__ = [
    "CalibrationRecord",
    "Novelty",
    "PredictionCalibration",
    "SystemPrediction",
    "View",
    "conformal_limit",
    "doubt_limits",
    "fit_calibration",
    "fit_temperature",
    "in_doubt",
    "load_calibration",
    "predict_with",
    "save_calibration",
    "scale",
    "views_of",
]
