"""Uses trained systems: what a run says of raw patterns."""

from crystalvision.prediction._columns import flat_columns, grouped_columns, map_arrays
from crystalvision.prediction._ensemble import Ensemble
from crystalvision.prediction._explain import Explanation, TargetMap
from crystalvision.prediction._hidden import UNSEEN, carried
from crystalvision.prediction._overlay import draw_explanation
from crystalvision.prediction._predictions import (
    Estimates,
    EstimateSource,
    Predictions,
    Spread,
    join,
)
from crystalvision.prediction._predictor import Predictor
from crystalvision.prediction._sources import PatternSource, open_source, read_image

__all__ = [
    "UNSEEN",
    "Ensemble",
    "EstimateSource",
    "Estimates",
    "Explanation",
    "PatternSource",
    "Predictions",
    "Predictor",
    "Spread",
    "TargetMap",
    "carried",
    "draw_explanation",
    "flat_columns",
    "grouped_columns",
    "join",
    "map_arrays",
    "open_source",
    "read_image",
]
