"""What a dataset says of itself: sizes, columns, calibration, and how it was made."""

import hashlib
import json
import math
from typing import Literal, Self

import numpy as np
from jaxtyping import Bool
from pydantic import Field, field_validator, model_validator

from crystalvision.config import Config
from crystalvision.contracts import Axis, CrystalFacts, Recorded, Target, grid_of
from crystalvision.datasets._columns import LABEL, Column, check_column, is_column_name
from crystalvision.datasets._provenance import (
    DatasetPart,
    Merged,
    Origin,
    Provenance,
    Simulated,
    origins,
)
from crystalvision.datasets._seen import Seen
from crystalvision.errors import InputError
from crystalvision.ranges import MAX_SAMPLES

ImageType = Literal["uint16", "uint32", "float32"]

_MOST_SHARDS = 1_000_000
_MOST_PIXELS = 2**28
_MOST_DIMENSIONS = 3
_NO_CONTENT = {
    "generator",
    "synthetic",
    "caveats",
    "crystals",
    "recorded",  # follows from the rest
    "samples_per_shard",
}


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


class DatasetHeader(Config):
    """Everything about a dataset but its images and columns.

    Attributes:
        samples: Number of samples.
        image_shape: Shape of one image, (c, *grid): (c, h, w), or (c, n) for a curve.
        dtype: Type of the raw counts; float32 where there is no detector.
        columns: What is stored for each sample beside its image, and what can be learnt of it.
            Splits have the classes of `label` (int64) in equal shares, where it is there. Samples
            of one `specimen` (int64) are never in two splits.
        axes: Calibration of each dimension of the grid: rows `q_y` and columns `q_x`, or
            `two_theta`.
        seen: Which points were measured; `None` where all were.
        provenance: Where the samples were first made: by a source, in files, in other datasets.
        recorded: With what beam, as far as that is stated, whatever made the samples.
        generator: Software that made the data, name → version.
        synthetic: Whether the images were computed, not measured.
        caveats: What whoever uses the data must know, a sentence or two each.
        crystals: The ideal crystals that a simulation read, and what was assumed of them; in the
            order in which the column `structure` counts them, if there are several.
        samples_per_shard: Samples in one shard, the unit of writing.
    """

    samples: int = Field(gt=0, le=MAX_SAMPLES)
    image_shape: tuple[int, ...]
    dtype: ImageType
    columns: dict[str, Column] = Field(default_factory=dict)
    axes: tuple[Axis, ...] = Field(min_length=1, max_length=_MOST_DIMENSIONS)
    seen: Seen | None = None
    provenance: Provenance
    recorded: Recorded | None = None
    generator: dict[str, str]
    synthetic: bool = False
    caveats: tuple[str, ...] = ()
    crystals: tuple[CrystalFacts, ...] = ()
    samples_per_shard: int = Field(gt=0, le=MAX_SAMPLES)

    @field_validator("columns")
    @classmethod
    def _check_columns(cls, columns: dict[str, Column]) -> dict[str, Column]:
        for name, column in columns.items():
            check_column(name, column)
        return columns

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if min(self.image_shape) < 1:
            raise ValueError(f"image_shape {self.image_shape} must have positive sizes (c, *grid)")
        # Opening allocates by these numbers, which a file may claim without holding anything.
        if math.prod(self.image_shape) > _MOST_PIXELS:
            raise ValueError(
                f"image_shape {self.image_shape} has more than {_MOST_PIXELS} points (c, *grid)"
            )
        if self.shards > _MOST_SHARDS:
            raise ValueError(
                f"{self.samples} samples, {self.samples_per_shard} to a shard, make "
                f"{self.shards} shards; expected {_MOST_SHARDS} at most"
            )
        return self

    @model_validator(mode="after")
    def _check_axes(self) -> Self:
        names = [axis.name for axis in self.axes]
        for number, name in enumerate(names):
            if not is_column_name(name) or name in self.columns or name in names[:number]:
                raise ValueError(f"'{name}' cannot name an axis, or names something else, too")
        grid = grid_of(self.axes)
        if self.image_shape[1:] != grid:
            raise ValueError(
                f"image_shape {self.image_shape} must be the number of channels and the sizes of "
                f"the axes {', '.join(names)}, (c, {', '.join(map(str, grid))})"
            )
        if self.seen is not None:
            if self.seen.channels not in {1, self.image_shape[0]}:
                raise ValueError(
                    f"seen has {self.seen.channels} channels; expected 1 or {self.image_shape[0]}"
                )
            if not self.seen.each_sample:
                self.seen.array(grid)
        return self

    @property
    def grid(self) -> tuple[int, ...]:
        """Shape of the grid of a pattern: the sizes of the axes."""
        return self.image_shape[1:]

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of `label`; empty where there is no such column."""
        return self.columns[LABEL].classes if LABEL in self.columns else ()

    @property
    def class_severities(self) -> tuple[float, ...]:
        """Severity of each of them; empty where they have none."""
        return self.columns[LABEL].class_severities if LABEL in self.columns else ()

    def seen_mask(self) -> Bool[np.ndarray, "channels *grid"] | None:
        """Which points were measured in all samples, (1 or c, *grid).

        `None` where all were, or where each sample has a mask of its own.
        """
        if self.seen is None or self.seen.each_sample:
            return None
        return self.seen.array(self.grid)

    @property
    def name(self) -> str:
        """What its maker calls it, or nothing."""
        return self.provenance.name

    @property
    def description(self) -> str:
        """What its recipe says of it, or nothing."""
        made = self.provenance
        return (
            str(made.recipe.get("description") or "").strip() if isinstance(made, Simulated) else ""
        )

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
        if name not in self.columns:
            raise InputError(f"no target '{name}': expected a column, {', '.join(self.columns)}")
        column = self.columns[name]
        target = column.target(name)
        if target is None:
            raise InputError(
                f"column '{name}' holds {column.dtype} that count no classes, and so nothing that "
                "could be learnt"
            )
        return target

    @property
    def targets(self) -> dict[str, Target]:
        """Every column that can be learnt, by name."""
        found = {name: column.target(name) for name, column in self.columns.items()}
        return {name: target for name, target in found.items() if target is not None}

    @property
    def identity(self) -> str:
        """SHA-256 (hex) of what defines the content.

        Neither the software's version, nor the size of a shard, nor what a column's description
        and its classes' elements say changes it.
        """
        content = self.model_dump(mode="json", exclude=_NO_CONTENT)
        for column in content["columns"].values():
            for name in ("description", "class_elements"):
                column.pop(name, None)
        return digest(content)


def digest(value: object) -> str:
    """SHA-256 (hex) of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
