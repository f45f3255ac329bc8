"""Finds out how a dataset is split, though a document that says it may be damaged."""

from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets._columns import LABEL, SPECIMEN, SPLIT, SUBSET_RANK
from crystalvision.datasets._direct import Rows, read_rows, read_splits
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._layout import (
    ROOT_DOCUMENT,
    SPLIT_DOCUMENT,
    parse_document,
    split_record,
)
from crystalvision.datasets._open import is_split
from crystalvision.datasets._splits import SplitSettings, split_arrays
from crystalvision.errors import InputError, StorageError
from crystalvision.small_files import read_small


def find_split(path: Path, header: DatasetHeader) -> SplitSettings:
    """How a dataset is split: what its documents say, or what its stored splits follow from.

    Raises:
        InputError: No document says it, and the stored splits are not the usual ones.
        StorageError: The columns are needed to find out, and cannot be read.
    """
    recorded = recorded_splits(path, header)
    if not is_split(path) or (recorded and recorded.count(recorded[0]) == len(recorded)):
        # The root is written first, so after a kill it says what was wanted last.
        return recorded[0] if recorded else SplitSettings()
    try:
        stored = read_splits(path, header)
    except StorageError:
        stored = None
    if stored is not None:
        columns = label_columns([read_rows(path, header, shard) for shard in range(header.shards)])
        for settings in recorded or [SplitSettings()]:
            if follows(stored, settings, columns):
                return settings
    if recorded:
        return recorded[0]
    raise InputError(
        f"{path}: cannot tell how it was split: {SPLIT_DOCUMENT} and its copy in {ROOT_DOCUMENT} "
        "are damaged, and it was not as is usual; assign the splits anew by "
        "`crystalvision dataset split`"
    )


def recorded_splits(path: Path, header: DatasetHeader) -> list[SplitSettings]:
    """How a dataset is split, as the root document and that of the array say.

    The root comes first; what is damaged, or of another dataset, is left out.
    """
    recorded = []
    for file, keys in (
        (ROOT_DOCUMENT, ("consolidated_metadata", "metadata", SPLIT)),
        (SPLIT_DOCUMENT, ()),
    ):
        try:
            document: Any = parse_document(read_small(path / file))
            for key in keys:
                document = document[key]
            attributes = document["attributes"]
            settings = SplitSettings(**{key: attributes[key] for key in SplitSettings.model_fields})
            sound = split_record(settings, header).items() <= attributes.items()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if sound:
            recorded.append(settings)
    return recorded


def follows(
    stored: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]],
    settings: SplitSettings,
    columns: Rows,
) -> bool:
    """Whether stored splits, part and rank of each sample, follow from the labels.

    Args:
        stored: Part and rank of each sample, both (n,).
        settings: How they should be split.
        columns: `label` and `specimen`, (n,), where they are.
    """
    arrays = split_arrays(settings, len(stored[0]), columns)
    return all(
        np.array_equal(found, arrays[name])
        for found, name in zip(stored, (SPLIT, SUBSET_RANK), strict=True)
    )


def label_columns(tables: list[Rows]) -> Rows:
    """What splits follow from, `label` and `specimen`, of the shards in order, where they are."""
    names = [name for name in (LABEL, SPECIMEN) if name in tables[0]]
    return {name: np.concatenate([rows[name] for rows in tables]) for name in names}
