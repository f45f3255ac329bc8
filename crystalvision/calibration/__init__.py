"""Makes predictions trustworthy: calibrated probabilities, and a flag for what is unlike."""

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
    "fit_calibration",
    "fit_temperature",
    "load_calibration",
    "predict_with",
    "save_calibration",
    "scale",
    "views_of",
]
