"""The contract of a source: what makes samples, what that takes, and how well it can be told.

Whatever makes datasets from sources is in `crystalvision.sources`, which offers these names too.
"""

from crystalvision.samples._bound import AccuracyBound, BoundPoint
from crystalvision.samples._candidates import (
    CandidateInfo,
    Candidates,
    Expected,
    with_candidates,
)
from crystalvision.samples._contract import Sample, Source, of_recipes_with
from crystalvision.samples._cost import SourceCost, size_in_words
from crystalvision.samples._refinement import RefinedPart, Refinement

__all__ = [
    "AccuracyBound",
    "BoundPoint",
    "CandidateInfo",
    "Candidates",
    "Expected",
    "RefinedPart",
    "Refinement",
    "Sample",
    "Source",
    "SourceCost",
    "of_recipes_with",
    "size_in_words",
    "with_candidates",
]
