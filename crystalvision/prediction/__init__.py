"""Uses trained systems: what a run says of raw patterns."""

from crystalvision.prediction._ensemble import Ensemble
from crystalvision.prediction._explain import Explanation
from crystalvision.prediction._overlay import draw_explanation
from crystalvision.prediction._predictions import Predictions, SeveritySource, Spread, join
from crystalvision.prediction._predictor import Predictor
from crystalvision.prediction._sources import Source, open_source, read_image

__all__ = [
    "Ensemble",
    "Explanation",
    "Predictions",
    "Predictor",
    "SeveritySource",
    "Source",
    "Spread",
    "draw_explanation",
    "join",
    "open_source",
    "read_image",
]
