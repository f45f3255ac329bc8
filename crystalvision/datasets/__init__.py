"""Datasets: labelled diffraction images in a Zarr 3 store, written shard by shard.

A shard is whole or absent, so a killed run goes on where it stopped; checksums tell damage; splits
are part of the data. Other software opens the store with `xarray.open_zarr`.
"""

from typing import TYPE_CHECKING

from crystalvision.contracts import Axis
from crystalvision.datasets._axes_text import axes_text
from crystalvision.datasets._binning import bin_images
from crystalvision.datasets._checks import Problem
from crystalvision.datasets._columns import (
    IMAGES,
    LABEL,
    NOT_LEARNT,
    SEEN,
    SEVERITY_COLUMN,
    SPECIMEN,
    SPECIMEN_COLUMN,
    SPLIT,
    SUBSET_RANK,
    Column,
    defect_columns,
    is_column_name,
    label_column,
)
from crystalvision.datasets._conditions import Conditions
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._describe import describe, made_elsewhere
from crystalvision.datasets._doubts import doubts
from crystalvision.datasets._encode import ShardEncoder
from crystalvision.datasets._files import size_bytes
from crystalvision.datasets._header import DatasetHeader, ImageType, detector_axes, digest
from crystalvision.datasets._join import differing_beams
from crystalvision.datasets._layout import (
    CARD_FIGURE,
    CARD_METADATA,
    CARD_TEXT,
    HEADER_DOCUMENT,
    ROOT_DOCUMENT,
)
from crystalvision.datasets._match import Despite, Match, differences, match
from crystalvision.datasets._merge import merge
from crystalvision.datasets._open import HeaderConflictError, read_header, read_header_copy
from crystalvision.datasets._provenance import (
    DatasetPart,
    Imported,
    Merged,
    Origin,
    Provenance,
    Simulated,
    Thinned,
    origins,
    same_samples,
    same_things,
)
from crystalvision.datasets._seen import Seen
from crystalvision.datasets._splits import SPLIT_NAMES, SplitSettings, assign_splits
from crystalvision.datasets._thin import check_counts, thin, thinned_columns
from crystalvision.datasets._verify import damaged_shards, find_obstacle, verify
from crystalvision.datasets._writer import DatasetWriter, Mode, check_place, mode_of

if TYPE_CHECKING:
    from crystalvision.datasets._patterns import Batch, BatchOrder, PatternDataset

__all__ = [
    "CARD_FIGURE",
    "CARD_METADATA",
    "CARD_TEXT",
    "HEADER_DOCUMENT",
    "IMAGES",
    "LABEL",
    "NOT_LEARNT",
    "ROOT_DOCUMENT",
    "SEEN",
    "SEVERITY_COLUMN",
    "SPECIMEN",
    "SPECIMEN_COLUMN",
    "SPLIT",
    "SPLIT_NAMES",
    "SUBSET_RANK",
    "Axis",
    "Batch",
    "BatchOrder",
    "Column",
    "Conditions",
    "Dataset",
    "DatasetHeader",
    "DatasetPart",
    "DatasetWriter",
    "Despite",
    "HeaderConflictError",
    "ImageType",
    "Imported",
    "Match",
    "Merged",
    "Mode",
    "Origin",
    "PatternDataset",
    "Problem",
    "Provenance",
    "Seen",
    "ShardEncoder",
    "Simulated",
    "SplitSettings",
    "Thinned",
    "assign_splits",
    "axes_text",
    "bin_images",
    "check_counts",
    "check_place",
    "damaged_shards",
    "defect_columns",
    "describe",
    "detector_axes",
    "differences",
    "differing_beams",
    "digest",
    "doubts",
    "find_obstacle",
    "is_column_name",
    "label_column",
    "made_elsewhere",
    "match",
    "merge",
    "mode_of",
    "origins",
    "read_header",
    "read_header_copy",
    "same_samples",
    "same_things",
    "size_bytes",
    "thin",
    "thinned_columns",
    "verify",
]


def __getattr__(name: str) -> object:
    # `dataset info` and `dataset verify` need no torch, which takes seconds to import.
    if name in {"Batch", "BatchOrder", "PatternDataset"}:
        from crystalvision.datasets import _patterns

        return getattr(_patterns, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
