"""Uses trained systems: what a run says of raw patterns."""

from crystalvision.prediction._explain import Explanation
from crystalvision.prediction._images import read_image
from crystalvision.prediction._predictions import Predictions, SeveritySource, Spread, join
from crystalvision.prediction._predictor import Predictor

__all__ = [
    "Explanation",
    "Predictions",
    "Predictor",
    "SeveritySource",
    "Spread",
    "join",
    "read_image",
]
