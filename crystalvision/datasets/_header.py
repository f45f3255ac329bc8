"""What a dataset says of itself: sizes, classes, columns, calibration, and how it was made."""

import hashlib
import json
import math
import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from crystalvision.config import Config
from crystalvision.contracts import Axis, CrystalFacts, Target
from crystalvision.datasets._provenance import (
    DatasetPart,
    Made,
    Merged,
    Origin,
    Provenance,
    origins,
)
from crystalvision.errors import InputError
from crystalvision.ranges import MAX_SAMPLES

ImageType = Literal["uint16", "uint32", "float32"]
ColumnType = Literal["bool", "uint8", "int32", "uint32", "int64", "float32", "float64"]

_MOST_SHARDS = 1_000_000
_MOST_PIXELS = 2**28

IMAGES = "images"
IMAGE_CHECKSUM = "image_crc32"
ROW_CHECKSUM = "row_crc32"
SPLIT = "split"
SUBSET_RANK = "subset_rank"
SPECIMEN = "specimen"
_RESERVED = frozenset(
    {IMAGES, IMAGE_CHECKSUM, ROW_CHECKSUM, SPLIT, SUBSET_RANK, "sample", "channel", "c"}
)
_NO_CONTENT = {
    "generator",
    "synthetic",
    "caveats",
    "crystals",
    "samples_per_shard",
}
_COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Column(Config):
    """One number for each sample.

    Attributes:
        dtype: numpy's name of its type.
        units: Its units, `1` for a pure number.
        description: One line for a reader of the data.
    """

    dtype: ColumnType
    units: str = "1"
    description: str = ""


def detector_axes(
    sizes: tuple[int, int], scales: tuple[float, float], direct_beam: tuple[float, float] | None
) -> tuple[Axis, Axis]:
    """The axes of a detector's images: rows, then columns.

    Args:
        sizes: Numbers of rows and of columns.
        scales: Size of a pixel along both [1/Å].
        direct_beam: Row and column of the direct beam [pixels]; by default half of the size.

    Raises:
        InputError: A number that makes no sense.
    """
    for scale in scales:
        if not (math.isfinite(scale) and scale > 0):
            raise InputError(
                f"pixel size {scale:g} 1/Å: expected a positive number, such as 0.0125"
            )
    place = direct_beam or (sizes[0] // 2, sizes[1] // 2)
    if not all(map(math.isfinite, place)):
        raise InputError(f"centre {place[0]:g},{place[1]:g}: expected a row and a column")
    rows, columns = (
        Axis(name=name, size=size, scale=scale, offset=-scale * pixel)
        for name, size, scale, pixel in zip(("q_y", "q_x"), sizes, scales, place, strict=True)
    )
    return rows, columns


STANDARD_COLUMNS = {
    "label": Column(dtype="int64", description="index of the class"),
    "severity": Column(dtype="float32", description="severity of the defect, 0 for none"),
}
SPECIMEN_COLUMN = Column(dtype="int64", description="number of the specimen that the image shows")


class DatasetHeader(Config):
    """Everything about a dataset but its images and columns.

    Attributes:
        samples: Number of samples.
        image_shape: Shape of one image, (c, h, w).
        dtype: Type of the raw counts; float32 where there is no detector.
        class_names: Name of each class; a label is an index into it.
        class_severities: Severity target of each class.
        columns: What is stored for each sample beside its image. `label` (int64) and `severity`
            (float32) are there in any case. Samples of one `specimen` (int64) are never in two
            splits.
        axes: Calibration of rows and columns: `q_y` and `q_x`.
        provenance: Where the samples were first made: by a source, in files, in other datasets.
        generator: Software that made the data, name → version.
        synthetic: Whether the images were computed, not measured.
        caveats: What whoever uses the data must know, a sentence or two each.
        crystals: The ideal crystals that a simulation read, and what was assumed of them; in the
            order in which the column `structure` counts them, if there are several.
        samples_per_shard: Samples in one shard, the unit of writing.
    """

    samples: int = Field(gt=0, le=MAX_SAMPLES)
    image_shape: tuple[int, int, int]
    dtype: ImageType
    class_names: tuple[str, ...] = Field(min_length=1)
    class_severities: tuple[float, ...]
    columns: dict[str, Column] = Field(default_factory=dict, validate_default=True)
    axes: tuple[Axis, ...]
    provenance: Provenance
    generator: dict[str, str]
    synthetic: bool = False
    caveats: tuple[str, ...] = ()
    crystals: tuple[CrystalFacts, ...] = ()
    samples_per_shard: int = Field(gt=0, le=MAX_SAMPLES)

    @field_validator("columns")
    @classmethod
    def _with_standard_columns(cls, columns: dict[str, Column]) -> dict[str, Column]:
        for name, column in columns.items():
            if not is_column_name(name):
                raise ValueError(f"'{name}' cannot name a column")
            standard = {**STANDARD_COLUMNS, SPECIMEN: SPECIMEN_COLUMN}.get(name)
            if standard and column.dtype != standard.dtype:
                raise ValueError(f"column '{name}' must be {standard.dtype}, not {column.dtype}")
        return {**STANDARD_COLUMNS, **columns}

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if min(self.image_shape) < 1:
            raise ValueError(f"image_shape {self.image_shape} must have positive sizes (c, h, w)")
        # Opening allocates by these numbers, which a file may claim without holding anything.
        if math.prod(self.image_shape) > _MOST_PIXELS:
            raise ValueError(
                f"image_shape {self.image_shape} has more than {_MOST_PIXELS} pixels (c, h, w)"
            )
        if self.shards > _MOST_SHARDS:
            raise ValueError(
                f"{self.samples} samples, {self.samples_per_shard} to a shard, make "
                f"{self.shards} shards; expected {_MOST_SHARDS} at most"
            )
        if len(set(self.class_names)) != len(self.class_names):
            raise ValueError(f"class_names {self.class_names} must differ from each other")
        if len(self.class_severities) != len(self.class_names):
            raise ValueError(
                f"{len(self.class_names)} class_names need as many class_severities, "
                f"not {len(self.class_severities)}"
            )
        found = tuple((axis.name, axis.size) for axis in self.axes)
        expected = (("q_y", self.image_shape[1]), ("q_x", self.image_shape[2]))
        if found != expected:
            raise ValueError(f"axes must have names and sizes {expected}, not {found}")
        return self

    @property
    def name(self) -> str:
        """What its maker calls it, or nothing."""
        return self.provenance.name

    @property
    def description(self) -> str:
        """What its recipe says of it, or nothing."""
        made = self.provenance
        return str(made.recipe.get("description") or "").strip() if isinstance(made, Made) else ""

    @property
    def parts(self) -> tuple[DatasetPart, ...]:
        """The datasets in which its samples were made: those that it joins, or itself."""
        if isinstance(self.provenance, Merged):
            return self.provenance.parts
        return (self.as_part,)

    @property
    def origins(self) -> dict[str, Origin]:
        """Every dataset in which its samples have been: identity → where they were made."""
        return origins(self.identity, self.provenance)

    @property
    def as_part(self) -> DatasetPart:
        """This dataset, as another one remembers it."""
        return DatasetPart(identity=self.identity, samples=self.samples, provenance=self.provenance)

    @property
    def shards(self) -> int:
        """Number of shards; the last one may be short."""
        return -(-self.samples // self.samples_per_shard)

    def shard_indices(self, shard: int) -> range:
        """Indices of the samples in a shard."""
        start = shard * self.samples_per_shard
        return range(start, min(start + self.samples_per_shard, self.samples))

    def target(self, name: str) -> Target:
        """What a column is as something to be learnt: classes, or a real value.

        Raises:
            InputError: There is no such column, or it counts something that has no classes.
        """
        column = self.columns.get(name)
        if column is None:
            raise InputError(f"no target '{name}': expected a column, {', '.join(self.columns)}")
        if name == "label":
            return Target(
                name=name,
                task="classification",
                classes=self.class_names,
                class_severities=self.class_severities,
            )
        if not column.dtype.startswith("float"):
            raise InputError(
                f"column '{name}' holds {column.dtype}, and so no real value that could be learnt"
            )
        return Target(name=name, task="regression", units=column.units)

    @property
    def targets(self) -> dict[str, Target]:
        """Every column that can be learnt, by name."""
        return {
            name: self.target(name)
            for name, column in self.columns.items()
            if name == "label" or column.dtype.startswith("float")
        }

    @property
    def identity(self) -> str:
        """SHA-256 (hex) of what defines the content.

        Neither the software's version, nor the size of a shard, nor a column's description changes
        it.
        """
        content = self.model_dump(mode="json", exclude=_NO_CONTENT)
        for column in content["columns"].values():
            del column["description"]
        return digest(content)


def is_column_name(name: str) -> bool:
    """Whether a column may have this name."""
    return name not in _RESERVED and _COLUMN_NAME.fullmatch(name) is not None


def digest(value: object) -> str:
    """SHA-256 (hex) of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
