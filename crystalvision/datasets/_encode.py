"""Turns the samples of a shard into its files, once they are checked against the header."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from crystalvision.datasets._checksums import image_checksums, row_checksums
from crystalvision.datasets._header import IMAGE_CHECKSUM, IMAGES, ROW_CHECKSUM, DatasetHeader
from crystalvision.datasets._layout import Codec
from crystalvision.errors import InputError


class ShardEncoder:
    """Encodes shards, wherever their samples are made: here, or on another machine."""

    def __init__(self, header: DatasetHeader, codec: Codec | None = None) -> None:
        self._header = header
        self._codec = codec or Codec(header)

    def encode(
        self,
        shard: int,
        images: np.ndarray[Any, Any],
        columns: Mapping[str, np.ndarray[Any, Any]],
    ) -> dict[str, bytes]:
        """The files of a shard, by their path in the dataset, in the order of writing.

        Args:
            shard: Its number.
            images: Raw counts, (n, c, h, w), of the header's type.
            columns: Every column of the header, name → (n,).

        Raises:
            InputError: There is no such shard, or arrays do not fit the header.
        """
        indices = checked_indices(self._header, shard)
        self._check_images(indices, images)
        rows = self._checked_columns(indices, columns)
        rows[IMAGE_CHECKSUM] = image_checksums(images)
        rows[ROW_CHECKSUM] = row_checksums(self._header.identity, indices.start, rows)
        files: dict[str, bytes] = {}
        for name, values in [*rows.items(), (IMAGES, images)]:
            files |= self._codec.encode(name, indices.start, values)
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

    def _checked_columns(
        self, indices: range, columns: Mapping[str, np.ndarray[Any, Any]]
    ) -> dict[str, np.ndarray[Any, Any]]:
        if set(columns) != set(self._header.columns):
            raise InputError(
                f"columns {sorted(columns)} were given; the header has "
                f"{sorted(self._header.columns)}"
            )
        rows = {}
        for name, column in self._header.columns.items():
            values = np.asarray(columns[name])
            if values.shape != (len(indices),):
                raise InputError(
                    f"column '{name}' has shape {values.shape}; expected ({len(indices)},)"
                )
            if not np.can_cast(values.dtype, column.dtype, casting="same_kind"):
                raise InputError(f"column '{name}' is {values.dtype}; expected {column.dtype}")
            rows[name] = values.astype(column.dtype)
        classes = len(self._header.class_names)
        wrong = rows["label"][(rows["label"] < 0) | (rows["label"] >= classes)]
        if wrong.size:
            raise InputError(f"label {wrong[0]} is no class; labels go from 0 to {classes - 1}")
        if not np.isfinite(rows["severity"]).all():
            raise InputError("column 'severity' holds values that are not finite numbers")
        return rows


def checked_indices(header: DatasetHeader, shard: int) -> range:
    """Indices of the samples in a shard.

    Raises:
        InputError: There is no such shard.
    """
    if not 0 <= shard < header.shards:
        raise InputError(f"shard {shard} does not exist; shards go to {header.shards - 1}")
    return header.shard_indices(shard)
