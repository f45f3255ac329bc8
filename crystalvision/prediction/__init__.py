"""Uses trained systems: what a run says of raw patterns."""

from crystalvision.prediction._images import read_image
from crystalvision.prediction._predictor import Predictions, Predictor, SeveritySource

__all__ = ["Predictions", "Predictor", "SeveritySource", "read_image"]
