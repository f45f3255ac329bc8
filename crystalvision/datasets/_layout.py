"""The store's layout: which array holds what, which file holds which shard."""

from dataclasses import dataclass
from typing import Any

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
from crystalvision.datasets._splits import SplitSettings
from crystalvision.json_text import parse_json

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
_ROW_CHECKSUM_COLUMN = Column(
    dtype="uint32",
    description="CRC-32 of the dataset's identity, the sample's index and other columns",
)
SEEN_ATTRIBUTES: dict[str, Any] = {"units": "1", "description": "whether a point was measured"}


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
            column_attributes(column),
        )
        for name, column in header.columns.items()
        if column.shape
    }
    axes = tuple(axis.name for axis in header.axes)
    if header.seen is not None and header.seen.each_sample:
        shape = (header.seen.channels, *header.grid)
        arrays[SEEN] = SampleArray(shape, "bool", (seen_channel(header), *axes), SEEN_ATTRIBUTES)
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


def seen_channel(header: DatasetHeader) -> str:
    """Its dimension of channels: that of the images, unless all of them share a mask."""
    shared = header.seen is not None and header.seen.channels != header.image_shape[0]
    return "seen_channel" if shared else "channel"


def column_attributes(column: Column) -> dict[str, Any]:
    described = {"units": column.units, "description": column.description}
    return {**described, **(flags(column.classes) if column.classes else {})}


def flags(names: tuple[str, ...]) -> dict[str, Any]:
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
