"""The contract of a source: what makes samples, what that takes, and how well it can be told.

Whatever makes datasets from sources is in `crystalvision.sources`, which offers these names too.
"""

from crystalvision.samples._bench import (
    Bench,
    BenchView,
    Control,
    ControlGroup,
    Curve,
    Curves,
    DotMap,
    Dots,
    Mark,
    Picture,
    with_bench,
)
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
    "Bench",
    "BenchView",
    "BoundPoint",
    "CandidateInfo",
    "Candidates",
    "Control",
    "ControlGroup",
    "Curve",
    "Curves",
    "DotMap",
    "Dots",
    "Expected",
    "Mark",
    "Picture",
    "RefinedPart",
    "Refinement",
    "Sample",
    "Source",
    "SourceCost",
    "of_recipes_with",
    "size_in_words",
    "with_bench",
    "with_candidates",
]
