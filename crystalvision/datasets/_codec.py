"""Turns arrays into the files of the store and back.

zarr encodes in memory and `_files` puts the bytes on the disk, so that a file is whole or absent
with every version of zarr.
"""

import json
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalvision.datasets._columns import IMAGES, SEEN, SPLIT, SUBSET_RANK, Column
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._layout import (
    HEADER_DOCUMENT,
    SEEN_ATTRIBUTES,
    SampleArray,
    column_attributes,
    fill_value,
    flags,
    header_record,
    root_attributes,
    sample_arrays,
    seen_channel,
    split_record,
    stored_columns,
)
from crystalvision.datasets._splits import SPLIT_NAMES, SplitSettings

if TYPE_CHECKING:  # half a second to import, which opening a dataset and `--help` do not need
    import zarr
    from zarr.core.buffer import Buffer
    from zarr.storage import MemoryStore

# Measured at 10⁴ electrons on 256² pixels: level 9 takes a seventh less space, and 14 times longer.
_ZSTD_LEVEL = 3
_MASK_BYTES = 2**22  # of a file of the mask: verifying reads files of 16 MiB at most


class Codec:
    """Turns arrays into the files of the store and back, in memory."""

    def __init__(self, header: DatasetHeader, split: SplitSettings | None = None) -> None:
        from zarr.storage import MemoryStore

        self._files: dict[str, Buffer] = {}
        self._arrays = _build(MemoryStore(self._files), header, split or SplitSettings())
        self._documents = {key: buffer.to_bytes() for key, buffer in self._files.items()}
        record = json.dumps(header_record(header), indent=1)
        self._documents[HEADER_DOCUMENT] = record.encode()

    def documents(self) -> dict[str, bytes]:
        """Metadata and coordinates, by file: what does not depend on the samples."""
        return dict(self._documents)

    def encode(self, name: str, start: int, values: np.ndarray[Any, Any]) -> dict[str, bytes]:
        """Files that hold an array's samples from `start` on, by file."""
        self._arrays[name][start : start + len(values)] = values
        return {key: self._files.pop(key).to_bytes() for key in self._data_files()}

    def decode(self, name: str, indices: range, file: str, content: bytes) -> np.ndarray[Any, Any]:
        """Samples of an array from the content of the file that holds them.

        Raises:
            Exception: Any, where the content is damaged.
        """
        from zarr.core.buffer import default_buffer_prototype

        self._files[file] = default_buffer_prototype().buffer.from_bytes(content)
        try:
            return np.asarray(self._arrays[name][indices.start : indices.stop])
        finally:
            del self._files[file]

    def _data_files(self) -> list[str]:
        return [key for key in self._files if key not in self._documents]


def _build(
    store: "MemoryStore", header: DatasetHeader, split: SplitSettings
) -> "dict[str, zarr.Array[Any]]":
    """Create the group, its arrays and coordinates; the arrays by name."""
    import zarr

    group = zarr.create_group(store, attributes=root_attributes(header), zarr_format=3)
    arrays = {
        SPLIT: _create_split(group, header, split),
        SUBSET_RANK: _create_subset_rank(group, header),
    }
    for name, column in stored_columns(header).items():
        arrays[name] = _create_column(group, header, name, column)
    for name, array in sample_arrays(header).items():
        arrays[name] = _create_sample_array(group, header, name, array)
    for axis in header.axes:
        coordinate = _create_vector(
            group,
            axis.name,
            dimension=(axis.name, axis.size),
            chunk=axis.size,
            dtype="float64",
            attributes={"units": axis.units},
        )
        coordinate[:] = axis.values()
    _create_seen(group, header)
    with warnings.catch_warnings():
        # zarr warns that version 3 does not yet specify consolidated metadata; xarray reads it.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        zarr.consolidate_metadata(store)
    return arrays


def _create_sample_array(
    group: "zarr.Group", header: DatasetHeader, name: str, array: SampleArray
) -> "zarr.Array[Any]":
    from zarr.codecs import Crc32cCodec, ZstdCodec

    return group.create_array(
        name,
        shape=(header.samples, *array.shape),
        chunks=(1, *array.shape),
        shards=(header.samples_per_shard, *array.shape),
        dtype=array.dtype,
        compressors=[ZstdCodec(level=_ZSTD_LEVEL), Crc32cCodec()],
        fill_value=0 if name == IMAGES else fill_value(name, array.dtype),
        dimension_names=("sample", *array.dimensions),
        attributes=array.attributes,
        config={"write_empty_chunks": True},  # else a shard of zeros would look absent
    )


def _create_seen(group: "zarr.Group", header: DatasetHeader) -> None:
    """The mask of all samples, for other readers; ours take it from the header."""
    from zarr.codecs import Crc32cCodec

    mask = header.seen_mask()
    if mask is None:
        return
    rows = max(1, _MASK_BYTES // math.prod(mask.shape[2:]))
    array = group.create_array(
        SEEN,
        shape=mask.shape,
        chunks=(1, min(rows, mask.shape[1]), *mask.shape[2:]),
        dtype="bool",
        compressors=[Crc32cCodec()],  # alone: it is verified byte by byte, with any zstd
        fill_value=False,
        dimension_names=(seen_channel(header), *(axis.name for axis in header.axes)),
        attributes=SEEN_ATTRIBUTES,
        config={"write_empty_chunks": True},
    )
    array[:] = mask


def _create_column(
    group: "zarr.Group", header: DatasetHeader, name: str, column: Column
) -> "zarr.Array[Any]":
    return _create_vector(
        group,
        name,
        dimension=("sample", header.samples),
        chunk=header.samples_per_shard,
        dtype=column.dtype,
        attributes=column_attributes(column),
    )


def _create_split(
    group: "zarr.Group", header: DatasetHeader, split: SplitSettings
) -> "zarr.Array[Any]":
    attributes = {
        "units": "1",
        "description": "part of the dataset: for training, for choosing, or for testing",
        **split_record(split, header),
        **flags(SPLIT_NAMES),
    }
    return _create_vector(
        group,
        SPLIT,
        dimension=("sample", header.samples),
        chunk=header.samples,
        dtype="uint8",
        attributes=attributes,
    )


def _create_subset_rank(group: "zarr.Group", header: DatasetHeader) -> "zarr.Array[Any]":
    return _create_vector(
        group,
        SUBSET_RANK,
        dimension=("sample", header.samples),
        chunk=header.samples,
        dtype="int64",
        attributes={
            "units": "1",
            "description": "rank within the part; ranks below k are a stratified subset of k",
        },
    )


def _create_vector(
    group: "zarr.Group",
    name: str,
    *,
    dimension: tuple[str, int],
    chunk: int,
    dtype: str,
    attributes: dict[str, Any],
) -> "zarr.Array[Any]":
    from zarr.codecs import Crc32cCodec

    return group.create_array(
        name,
        shape=dimension[1:],
        chunks=(chunk,),
        dtype=dtype,
        compressors=[Crc32cCodec()],
        fill_value=fill_value(name, dtype),
        dimension_names=dimension[:1],
        attributes=attributes,
        config={"write_empty_chunks": True},  # else a shard of zeros would look absent
    )
