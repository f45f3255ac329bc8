"""Sources make the samples of datasets, here or on a cluster; the simulation engine is one.

A source makes each sample from nothing but its recipe and the sample's index. All else is done here
for every source alike: shards are made by threads, processes or a Dask cluster, a run that was
killed goes on, and a damaged dataset is repaired.
"""

from crystalvision.samples import (
    AccuracyBound,
    BoundPoint,
    CandidateInfo,
    Candidates,
    Expected,
    RefinedPart,
    Refinement,
    Sample,
    Source,
    SourceCost,
    size_in_words,
    with_candidates,
)
from crystalvision.sources._cluster import Cluster, connected
from crystalvision.sources._generate import generate
from crystalvision.sources._option_controls import (
    OptionControls,
    option_controls,
    options_from,
)
from crystalvision.sources._recipes import find_recipe, read_recipe, source_of
from crystalvision.sources._repair import Repair, repair
from crystalvision.sources._spec import SourceSpec, open_once

__all__ = [
    "AccuracyBound",
    "BoundPoint",
    "CandidateInfo",
    "Candidates",
    "Cluster",
    "Expected",
    "OptionControls",
    "RefinedPart",
    "Refinement",
    "Repair",
    "Sample",
    "Source",
    "SourceCost",
    "SourceSpec",
    "connected",
    "find_recipe",
    "generate",
    "open_once",
    "option_controls",
    "options_from",
    "read_recipe",
    "repair",
    "size_in_words",
    "source_of",
    "with_candidates",
]
