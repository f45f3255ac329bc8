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
from crystalvision.datasets._columns import ROW_CHECKSUM, checksum_name, wrong_values
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._layout import SPLIT_FILES, sample_arrays, stored_columns
from crystalvision.errors import StorageError
from crystalvision.storage import disk_errors

_CRC_BYTES = 4
_INDEX_ENTRY_BYTES = 16  # offset and length, each a uint64

Rows = dict[str, np.ndarray[Any, Any]]


def read_rows(path: Path, header: DatasetHeader, shard: int) -> Rows:
    """Every number of each sample of a shard, name → (n,), the checksums among them.

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
    for name, column in stored_columns(header).items():
        found = wrong_values(name, column, rows[name])
        if found is not None:
            raise damaged(path, f"sample {indices[found[0]]}: {found[1]}")
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


class ArrayReader:
    """Reads the parts that samples have of an array, such as their images, in any order."""

    def __init__(self, path: Path, header: DatasetHeader, name: str) -> None:
        self._path = path
        self._header = header
        self._name = name
        self._array = sample_arrays(header)[name]
        self._dtype = np.dtype(self._array.dtype).newbyteorder("<")
        self._shards: dict[int, tuple[UInt64[np.ndarray, "n 2"], UInt32[np.ndarray, "n"]]] = {}

    def read(self, wanted: Int[np.ndarray, "n"]) -> np.ndarray[Any, Any]:
        """Parts in the order asked for, (n, *shape).

        Raises:
            StorageError: A file cannot be read, or is damaged.
        """
        parts = np.empty((len(wanted), *self._array.shape), dtype=self._dtype)
        numbers = wanted // self._header.samples_per_shard
        for shard in np.unique(numbers):
            rows = np.flatnonzero(numbers == shard)
            self._read_from(int(shard), wanted[rows], rows, parts)
        return parts.astype(self._array.dtype, copy=False)

    def _read_from(
        self,
        shard: int,
        samples: Int[np.ndarray, "k"],
        rows: Int[np.ndarray, "k"],
        parts: np.ndarray[Any, Any],
    ) -> None:
        """Read some samples of one shard into rows of `parts`."""
        file = self._file(shard)
        index, checksums = self._shard(shard)
        with disk_errors(file, "read"), file.open("rb") as opened:
            for sample, row in zip(samples % self._header.samples_per_shard, rows, strict=True):
                offset, length = map(int, index[sample])
                opened.seek(offset)
                content = opened.read(length)
                target = parts[row]
                try:
                    zstd.decompress(content[:-_CRC_BYTES], target)
                except (RuntimeError, ValueError) as error:
                    raise damaged(file, f"sample {sample} cannot be unpacked") from error
                if zlib.crc32(target) != checksums[sample]:
                    raise damaged(file, f"sample {sample} does not match its checksum")

    def _shard(self, shard: int) -> tuple[UInt64[np.ndarray, "n 2"], UInt32[np.ndarray, "n"]]:
        """Where each sample lies in a shard's file, and the checksum of its part."""
        if shard not in self._shards:
            rows = read_rows(self._path, self._header, shard)
            self._shards[shard] = self._index(shard), rows[checksum_name(self._name)]
        return self._shards[shard]

    def _file(self, shard: int) -> Path:
        return self._path / self._array.file(self._name, shard)

    def _index(self, shard: int) -> UInt64[np.ndarray, "n 2"]:
        file = self._file(shard)
        size = self._header.samples_per_shard * _INDEX_ENTRY_BYTES + _CRC_BYTES
        with disk_errors(file, "read"), file.open("rb") as opened:
            length = opened.seek(0, 2)
            opened.seek(max(length - size, 0))
            content = opened.read()
        index = np.frombuffer(_without_checksum(file, content), dtype="<u8").reshape(-1, 2)
        index = index[: len(self._header.shard_indices(shard))]
        # In floating point, because offsets of absent chunks are so large that sums wrap.
        if (index.astype(np.float64).sum(axis=1) > length - size).any():
            raise damaged(file, f"its index points beyond its end, or lacks some {self._name}")
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
