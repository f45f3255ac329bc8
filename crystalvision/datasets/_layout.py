"""The store's layout: which array holds what, which file holds which shard.

zarr encodes in memory and `_files` puts the bytes on the disk, so that a file is whole or absent
with every version of zarr.
"""

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalvision.datasets._header import (
    IMAGE_CHECKSUM,
    IMAGES,
    ROW_CHECKSUM,
    SPLIT,
    SUBSET_RANK,
    Column,
    DatasetHeader,
    digest,
)
from crystalvision.datasets._splits import SPLIT_NAMES, SplitSettings
from crystalvision.json_text import parse_json

if TYPE_CHECKING:  # half a second to import, which opening a dataset and `--help` do not need
    import zarr
    from zarr.core.buffer import Buffer
    from zarr.storage import MemoryStore

FORMAT = 2
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
CHECKSUM_COLUMNS = {
    IMAGE_CHECKSUM: Column(dtype="uint32", description="CRC-32 of the image's raw bytes"),
    ROW_CHECKSUM: Column(
        dtype="uint32",
        description="CRC-32 of the dataset's identity, the sample's index and other columns",
    ),
}
# Measured at 10⁴ electrons on 256² pixels: level 9 takes a seventh less space, and 14 times longer.
_ZSTD_LEVEL = 3


def stored_columns(header: DatasetHeader) -> dict[str, Column]:
    """Every column that is written shard by shard, the checksums last."""
    return {**header.columns, **CHECKSUM_COLUMNS}


def shard_files(header: DatasetHeader, shard: int) -> list[str]:
    """Files of a shard, relative to the dataset, in the order in which they are written."""
    return [f"{name}/c/{shard}" for name in stored_columns(header)] + [images_file(shard)]


def images_file(shard: int) -> str:
    """File that holds a shard's images; it is written last."""
    return f"{IMAGES}/c/{shard}/0/0/0"


def header_record(header: DatasetHeader) -> dict[str, Any]:
    """The header as it is stored, with its checksum."""
    content = header.model_dump(mode="json")
    return {"format": FORMAT, "header": content, "sha256": digest(content)}


def root_attributes(header: DatasetHeader) -> dict[str, Any]:
    """Attributes of the group: the header, and the classes for other readers."""
    return {
        OUR_KEY: header_record(header),
        "class_names": list(header.class_names),
        "class_severities": list(header.class_severities),
    }


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
        IMAGES: _create_images(group, header),
        SPLIT: _create_split(group, header, split),
        SUBSET_RANK: _create_subset_rank(group, header),
    }
    for name, column in stored_columns(header).items():
        arrays[name] = _create_column(group, header, name, column)
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
    with warnings.catch_warnings():
        # zarr warns that version 3 does not yet specify consolidated metadata; xarray reads it.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        zarr.consolidate_metadata(store)
    return arrays


def _create_images(group: "zarr.Group", header: DatasetHeader) -> "zarr.Array[Any]":
    from zarr.codecs import Crc32cCodec, ZstdCodec

    channels, height, width = header.image_shape
    return group.create_array(
        IMAGES,
        shape=(header.samples, channels, height, width),
        chunks=(1, channels, height, width),
        shards=(header.samples_per_shard, channels, height, width),
        dtype=header.dtype,
        compressors=[ZstdCodec(level=_ZSTD_LEVEL), Crc32cCodec()],
        fill_value=0,
        dimension_names=("sample", "channel", "q_y", "q_x"),
        attributes={"units": "1" if header.dtype == "float32" else "counts"},
        config={"write_empty_chunks": True},  # else a shard of zeros would look absent
    )


def _create_column(
    group: "zarr.Group", header: DatasetHeader, name: str, column: Column
) -> "zarr.Array[Any]":
    attributes: dict[str, Any] = {"units": column.units, "description": column.description}
    if name == "label":
        attributes |= _flags(header.class_names)
    return _create_vector(
        group,
        name,
        dimension=("sample", header.samples),
        chunk=header.samples_per_shard,
        dtype=column.dtype,
        attributes=attributes,
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
