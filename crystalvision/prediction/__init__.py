"""Uses trained systems: what a run says of raw patterns."""

from crystalvision.prediction._columns import flat_columns, grouped_columns, map_arrays
from crystalvision.prediction._elements import check_elements, parse_elements, restrict
from crystalvision.prediction._ensemble import Ensemble
from crystalvision.prediction._explain import Explanation, TargetMap
from crystalvision.prediction._hidden import UNSEEN, carried
from crystalvision.prediction._overlay import draw_explanation, explanation_figure
from crystalvision.prediction._predictions import (
    Estimates,
    EstimateSource,
    Predictions,
    Spread,
    join,
)
from crystalvision.prediction._predictor import Predictor
from crystalvision.prediction._refine import (
    CandidateFits,
    RefinedPattern,
    marks_of_classes,
    most_probable,
)
from crystalvision.prediction._refined_figure import draw_refined, refined_figure
from crystalvision.prediction._sources import (
    PatternSource,
    open_source,
    open_sources,
    read_image,
)
from crystalvision.prediction._stated import Stated, matched

__all__ = [
    "UNSEEN",
    "CandidateFits",
    "Ensemble",
    "EstimateSource",
    "Estimates",
    "Explanation",
    "PatternSource",
    "Predictions",
    "Predictor",
    "RefinedPattern",
    "Spread",
    "Stated",
    "TargetMap",
    "carried",
    "check_elements",
    "draw_explanation",
    "draw_refined",
    "explanation_figure",
    "flat_columns",
    "grouped_columns",
    "join",
    "map_arrays",
    "marks_of_classes",
    "matched",
    "most_probable",
    "open_source",
    "open_sources",
    "parse_elements",
    "read_image",
    "refined_figure",
    "restrict",
]
