"""Reads the files of shards without zarr, which takes a millisecond of its own for each sample.

Nothing is read that is not checked: rows against their checksums, and images against their rows.
The layout of a shard is that of Zarr's `sharding_indexed` codec: the chunks, and at the end an
index of their offsets and lengths.
"""

import zlib
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from jaxtyping import Int, UInt8, UInt32, UInt64
from numcodecs import zstd

from crystalvision.datasets._checksums import row_checksums
from crystalvision.datasets._header import IMAGE_CHECKSUM, IMAGES, ROW_CHECKSUM, DatasetHeader
from crystalvision.datasets._layout import SPLIT_FILES, images_file, stored_columns
from crystalvision.errors import StorageError
from crystalvision.storage import disk_errors

_CRC_BYTES = 4
_INDEX_ENTRY_BYTES = 16  # offset and length, each a uint64

Rows = dict[str, np.ndarray[Any, Any]]


def read_rows(path: Path, header: DatasetHeader, shard: int) -> Rows:
    """Every column of a shard, name → (n,), the checksums among them.

    Raises:
        StorageError: A file cannot be read, is damaged, or does not belong to the others.
    """
    indices = header.shard_indices(shard)
    rows: Rows = {}
    for name, column in stored_columns(header).items():
        values = _vector(f"{path}/{name}/c/{shard}", column.dtype, header.samples_per_shard)
        rows[name] = values[: len(indices)]
    expected = row_checksums(header.identity, indices.start, rows)
    wrong = np.flatnonzero(rows[ROW_CHECKSUM] != expected)
    if len(wrong):
        raise damaged(
            path, f"the columns of sample {indices[int(wrong[0])]} do not match {ROW_CHECKSUM}"
        )
    labels = rows["label"]
    if labels.min() < 0 or labels.max() >= len(header.class_names):
        raise damaged(path, f"a label of shard {shard} is no class")
    if not np.isfinite(rows["severity"]).all():
        raise damaged(path, f"a severity of shard {shard} is not a finite number")
    return rows


def read_splits(
    path: Path, header: DatasetHeader
) -> tuple[UInt8[np.ndarray, "n"], Int[np.ndarray, "n"]]:
    """The part of each sample, (n,), and its rank there, (n,).

    Raises:
        StorageError: A file cannot be read, or is damaged.
    """
    part, rank = (f"{path}/{file}" for file in SPLIT_FILES)
    return _vector(part, "uint8", header.samples), _vector(rank, "int64", header.samples)


class ImageReader:
    """Reads images of a dataset one by one, in any order."""

    def __init__(self, path: Path, header: DatasetHeader) -> None:
        self._path = path
        self._header = header
        self._shape = header.image_shape
        self._dtype = np.dtype(header.dtype).newbyteorder("<")
        self._shards: dict[int, tuple[UInt64[np.ndarray, "n 2"], UInt32[np.ndarray, "n"]]] = {}

    def read(self, wanted: Int[np.ndarray, "n"]) -> np.ndarray[Any, Any]:
        """Images in the order asked for, (n, c, h, w).

        Raises:
            StorageError: A file cannot be read, or is damaged.
        """
        images = np.empty((len(wanted), *self._shape), dtype=self._dtype)
        numbers = wanted // self._header.samples_per_shard
        for shard in np.unique(numbers):
            rows = np.flatnonzero(numbers == shard)
            self._read_from(int(shard), wanted[rows], rows, images)
        return images.astype(self._header.dtype, copy=False)

    def _read_from(
        self,
        shard: int,
        samples: Int[np.ndarray, "k"],
        rows: Int[np.ndarray, "k"],
        images: np.ndarray[Any, Any],
    ) -> None:
        """Read some samples of one shard into rows of `images`."""
        file = self._path / images_file(shard)
        index, checksums = self._shard(shard)
        with disk_errors(file, "read"), file.open("rb") as opened:
            for sample, row in zip(samples % self._header.samples_per_shard, rows, strict=True):
                offset, length = map(int, index[sample])
                opened.seek(offset)
                content = opened.read(length)
                target = images[row]
                try:
                    zstd.decompress(content[:-_CRC_BYTES], target)
                except (RuntimeError, ValueError) as error:
                    raise damaged(file, f"sample {sample} cannot be unpacked") from error
                if zlib.crc32(target) != checksums[sample]:
                    raise damaged(file, f"sample {sample} does not match {IMAGE_CHECKSUM}")

    def _shard(self, shard: int) -> tuple[UInt64[np.ndarray, "n 2"], UInt32[np.ndarray, "n"]]:
        """Where each sample lies in a shard's file, and the checksum of its image."""
        if shard not in self._shards:
            rows = read_rows(self._path, self._header, shard)
            self._shards[shard] = self._index(shard), rows[IMAGE_CHECKSUM]
        return self._shards[shard]

    def _index(self, shard: int) -> UInt64[np.ndarray, "n 2"]:
        file = self._path / images_file(shard)
        size = self._header.samples_per_shard * _INDEX_ENTRY_BYTES + _CRC_BYTES
        with disk_errors(file, "read"), file.open("rb") as opened:
            length = opened.seek(0, 2)
            opened.seek(max(length - size, 0))
            content = opened.read()
        index = np.frombuffer(_without_checksum(file, content), dtype="<u8").reshape(-1, 2)
        index = index[: len(self._header.shard_indices(shard))]
        # In floating point, because offsets of absent chunks are so large that sums wrap.
        if (index.astype(np.float64).sum(axis=1) > length - size).any():
            raise damaged(file, f"its index points beyond its end, or lacks some {IMAGES}")
        return index


def damaged(place: Path | str, reason: str) -> StorageError:
    """The error for a file that is not what was written."""
    return StorageError(
        f"{place}: damaged: {reason}; `crystalvision dataset verify` says what else is, and "
        "`crystalvision dataset repair` mends it"
    )


def _vector(file: str, dtype: str, length: int) -> np.ndarray[Any, Any]:
    """The values of a file that ends in its checksum, (length,)."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - quicker, for thousands of files
            content = opened.read()
    except OSError:
        with disk_errors(Path(file), "read"):
            raise
    content = _without_checksum(file, content)
    if len(content) != length * np.dtype(dtype).itemsize:
        raise damaged(file, f"{len(content)} bytes instead of {length} values of {dtype}")
    return np.frombuffer(content, dtype=np.dtype(dtype).newbyteorder("<")).astype(dtype)


def _without_checksum(file: Path | str, content: bytes) -> bytes:
    body, checksum = content[:-_CRC_BYTES], content[-_CRC_BYTES:]
    if len(content) <= _CRC_BYTES or google_crc32c.value(body) != int.from_bytes(
        checksum, "little"
    ):
        raise damaged(file, "cut short, or does not match its checksum")
    return body
