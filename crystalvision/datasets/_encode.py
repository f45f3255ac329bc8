"""Turns the samples of a shard into its files, once they are checked against the header."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from crystalvision.datasets._checksums import part_checksums, row_checksums
from crystalvision.datasets._codec import Codec
from crystalvision.datasets._columns import (
    IMAGES,
    ROW_CHECKSUM,
    SEEN,
    checksum_name,
    wrong_values,
)
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._layout import sample_arrays, stored_columns
from crystalvision.errors import InputError

Array = np.ndarray[Any, Any]


class ShardEncoder:
    """Encodes shards, wherever their samples are made: here, or on another machine."""

    def __init__(self, header: DatasetHeader, codec: Codec | None = None) -> None:
        self._header = header
        self._codec = codec or Codec(header)

    def encode(
        self, shard: int, images: Array, columns: Mapping[str, Array], seen: Array | None = None
    ) -> dict[str, bytes]:
        """The files of a shard, by their path in the dataset, in the order of writing.

        Args:
            shard: Its number.
            images: Raw counts, (n, c, *grid), of the header's type.
            columns: Every column of the header, name → (n, *shape).
            seen: Which points were measured, bool (n, 1 or c, *grid), where every sample has a mask
                of its own.

        Raises:
            InputError: There is no such shard, or arrays do not fit the header.
        """
        header = self._header
        indices = checked_indices(header, shard)
        self._check_images(indices, images)
        rows = self._checked_columns(indices, columns) | self._checked_seen(indices, seen)
        rows[IMAGES] = images
        arrays = sample_arrays(header)
        for name in arrays:
            rows[checksum_name(name)] = part_checksums(rows[name])
        numbers = {name: values for name, values in rows.items() if name not in arrays}
        rows[ROW_CHECKSUM] = row_checksums(header.identity, indices.start, numbers)
        files: dict[str, bytes] = {}
        for name in (*stored_columns(header), *arrays):
            files |= self._codec.encode(name, indices.start, rows[name])
        return files

    def _check_images(self, indices: range, images: np.ndarray[Any, Any]) -> None:
        shape = (len(indices), *self._header.image_shape)
        if images.shape != shape or images.dtype != np.dtype(self._header.dtype):
            raise InputError(
                f"images of samples {indices.start}–{indices.stop - 1} are {images.dtype} "
                f"{images.shape}; expected {self._header.dtype} {shape}"
            )
        if images.dtype.kind == "f" and not np.isfinite(images).all():
            raise InputError(
                f"images of samples {indices.start}–{indices.stop - 1} hold values that are not "
                "finite numbers"
            )

    def _checked_seen(self, indices: range, seen: Array | None) -> dict[str, Array]:
        stored_seen = self._header.seen
        if stored_seen is None or not stored_seen.each_sample:
            if seen is not None:
                raise InputError("masks were given, but the header says of no mask for each sample")
            return {}
        shape = (len(indices), stored_seen.channels, *self._header.grid)
        if seen is None or seen.dtype != np.bool_ or seen.shape != shape:
            found = "none" if seen is None else f"{seen.dtype} {seen.shape}"
            raise InputError(f"masks of what was seen are {found}; expected bool {shape}")
        return {SEEN: seen}

    def _checked_columns(self, indices: range, columns: Mapping[str, Array]) -> dict[str, Array]:
        if set(columns) != set(self._header.columns):
            raise InputError(
                f"columns {sorted(columns)} were given; the header has "
                f"{sorted(self._header.columns)}"
            )
        rows = {}
        for name, column in self._header.columns.items():
            values = np.asarray(columns[name])
            shape = (len(indices), *column.shape)
            if values.shape != shape:
                raise InputError(f"column '{name}' has shape {values.shape}; expected {shape}")
            if not np.can_cast(values.dtype, column.dtype, casting="same_kind"):
                raise InputError(f"column '{name}' is {values.dtype}; expected {column.dtype}")
            rows[name] = values.astype(column.dtype)
            wrong = wrong_values(name, column, rows[name])
            if wrong is not None:
                raise InputError(wrong[1])
        return rows


def checked_indices(header: DatasetHeader, shard: int) -> range:
    """Indices of the samples in a shard.

    Raises:
        InputError: There is no such shard.
    """
    if not 0 <= shard < header.shards:
        raise InputError(f"shard {shard} does not exist; shards go to {header.shards - 1}")
    return header.shard_indices(shard)
