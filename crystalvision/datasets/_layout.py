"""The store's layout: which array holds what, which file holds which shard.

zarr encodes in memory and `_files` puts the bytes on the disk, so that a file is whole or absent
with every version of zarr.
"""

import json
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalvision.datasets._columns import (
    IMAGES,
    ROW_CHECKSUM,
    SEEN,
    SPLIT,
    SUBSET_RANK,
    Column,
    checksum_name,
)
from crystalvision.datasets._header import DatasetHeader, digest
from crystalvision.datasets._splits import SPLIT_NAMES, SplitSettings
from crystalvision.json_text import parse_json

if TYPE_CHECKING:  # half a second to import, which opening a dataset and `--help` do not need
    import zarr
    from zarr.core.buffer import Buffer
    from zarr.storage import MemoryStore

FORMAT = 3
ROOT_DOCUMENT = "zarr.json"
OUR_KEY = "crystalvision"
HEADER_DOCUMENT = "crystalvision.json"
"""A second copy of the header, from which a damaged root document is mended."""
SPLIT_DOCUMENT = f"{SPLIT}/{ROOT_DOCUMENT}"
SPLIT_FILES = (f"{SPLIT}/c/0", f"{SUBSET_RANK}/c/0")
"""What says which sample is in which part; a dataset is finished when they are there."""
UNASSIGNED = 255
CARD_TEXT, CARD_FIGURE, CARD_METADATA = "README.md", "card.png", "croissant.json"
"""The files of a dataset's card, which it may have or not."""
# Measured at 10⁴ electrons on 256² pixels: level 9 takes a seventh less space, and 14 times longer.
_ZSTD_LEVEL = 3
_MASK_BYTES = 2**22  # of a file of the mask: verifying reads files of 16 MiB at most
_ROW_CHECKSUM_COLUMN = Column(
    dtype="uint32",
    description="CRC-32 of the dataset's identity, the sample's index and other columns",
)
_SEEN_ATTRIBUTES: dict[str, Any] = {"units": "1", "description": "whether a point was measured"}


@dataclass(frozen=True, slots=True)
class SampleArray:
    """An array of which every sample has a part, stored and read by itself, as an image is.

    Attributes:
        shape: Of a sample's part.
        dtype: numpy's name of its type.
        dimensions: Names of its dimensions, after that of the samples.
        attributes: What other readers are told of it.
    """

    shape: tuple[int, ...]
    dtype: str
    dimensions: tuple[str, ...]
    attributes: dict[str, Any]

    def file(self, name: str, shard: int) -> str:
        """File that holds a shard of it, relative to the dataset."""
        return "/".join([name, "c", str(shard), *("0" for _ in self.shape)])


def sample_arrays(header: DatasetHeader) -> dict[str, SampleArray]:
    """Every array that has a part for each sample, by name; the images come last."""
    arrays = {
        name: SampleArray(
            column.shape,
            column.dtype,
            tuple(f"{name}_{number}" for number in range(len(column.shape))),
            _column_attributes(column),
        )
        for name, column in header.columns.items()
        if column.shape
    }
    axes = tuple(axis.name for axis in header.axes)
    if header.seen is not None and header.seen.each_sample:
        shape = (header.seen.channels, *header.grid)
        arrays[SEEN] = SampleArray(shape, "bool", (_seen_channel(header), *axes), _SEEN_ATTRIBUTES)
    units = {"units": "1" if header.dtype == "float32" else "counts"}
    arrays[IMAGES] = SampleArray(header.image_shape, header.dtype, ("channel", *axes), units)
    return arrays


def stored_columns(header: DatasetHeader) -> dict[str, Column]:
    """Every number of a sample that is written shard by shard, the checksums last."""
    numbers = {name: column for name, column in header.columns.items() if not column.shape}
    checksums = {
        checksum_name(name): Column(
            dtype="uint32", description=f"CRC-32 of the raw bytes of a sample's part of {name}"
        )
        for name in sample_arrays(header)
    }
    return {**numbers, **checksums, ROW_CHECKSUM: _ROW_CHECKSUM_COLUMN}


def shard_files(header: DatasetHeader, shard: int) -> list[str]:
    """Files of a shard, relative to the dataset, in the order in which they are written."""
    return [f"{name}/c/{shard}" for name in stored_columns(header)] + [
        array.file(name, shard) for name, array in sample_arrays(header).items()
    ]


def images_file(header: DatasetHeader, shard: int) -> str:
    """File that holds a shard's images; it is written last."""
    return sample_arrays(header)[IMAGES].file(IMAGES, shard)


def header_record(header: DatasetHeader) -> dict[str, Any]:
    """The header as it is stored, with its checksum."""
    content = header.model_dump(mode="json")
    return {"format": FORMAT, "header": content, "sha256": digest(content)}


def root_attributes(header: DatasetHeader) -> dict[str, Any]:
    """Attributes of the group: the header, and the classes for other readers."""
    classes = {
        "class_names": list(header.class_names),
        "class_severities": list(header.class_severities),
    }
    return {OUR_KEY: header_record(header), **{key: each for key, each in classes.items() if each}}


def split_record(split: SplitSettings, header: DatasetHeader) -> dict[str, Any]:
    """How a dataset is split as it is stored, with a checksum that other datasets do not have."""
    settings = split.model_dump(mode="json")
    return {**settings, "sha256": digest([header.identity, settings])}


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
        dimension_names=(_seen_channel(header), *(axis.name for axis in header.axes)),
        attributes=_SEEN_ATTRIBUTES,
        config={"write_empty_chunks": True},
    )
    array[:] = mask


def _seen_channel(header: DatasetHeader) -> str:
    """Its dimension of channels: that of the images, unless all of them share a mask."""
    shared = header.seen is not None and header.seen.channels != header.image_shape[0]
    return "seen_channel" if shared else "channel"


def _column_attributes(column: Column) -> dict[str, Any]:
    flags = _flags(column.classes) if column.classes else {}
    return {"units": column.units, "description": column.description, **flags}


def _create_column(
    group: "zarr.Group", header: DatasetHeader, name: str, column: Column
) -> "zarr.Array[Any]":
    return _create_vector(
        group,
        name,
        dimension=("sample", header.samples),
        chunk=header.samples_per_shard,
        dtype=column.dtype,
        attributes=_column_attributes(column),
    )


def _create_split(
    group: "zarr.Group", header: DatasetHeader, split: SplitSettings
) -> "zarr.Array[Any]":
    attributes = {
        "units": "1",
        "description": "part of the dataset: for training, for choosing, or for testing",
        **split_record(split, header),
        **_flags(SPLIT_NAMES),
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


def _flags(names: tuple[str, ...]) -> dict[str, Any]:
    """How CF names the values of a column; blanks separate the names."""
    return {
        "flag_values": list(range(len(names))),
        "flag_meanings": " ".join("_".join(name.split()) for name in names),
    }


def fill_value(name: str, dtype: str) -> float | bool:
    """What a reader sees of a sample that is not written yet."""
    if dtype.startswith("float"):
        return float("nan")
    if dtype == "bool":
        return False
    return {"label": -1, SPLIT: UNASSIGNED, SUBSET_RANK: -1}.get(name, 0)


def parse_document(content: bytes) -> dict[str, Any]:
    """A metadata document.

    Raises:
        ValueError: It is no JSON object.
    """
    document = parse_json(content)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - damage, not a caller's mistake
    return document
