"""What a dataset holds of each sample beside its image: numbers, vectors, maps, classes."""

import math
import re
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from crystalvision.config import Config
from crystalvision.contracts import Target

ColumnType = Literal["bool", "uint8", "int32", "uint32", "int64", "float32", "float64"]

IMAGES = "images"
SEEN = "seen"
IMAGE_CHECKSUM = "image_crc32"
ROW_CHECKSUM = "row_crc32"
SPLIT = "split"
SUBSET_RANK = "subset_rank"
SPECIMEN = "specimen"
LABEL = "label"
SEVERITY = "severity"
NOT_LEARNT = "none"
_CHECKSUM = "_crc32"
_RESERVED = frozenset({IMAGES, SEEN, SPLIT, SUBSET_RANK, "sample", "channel", "c"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_MOST_VALUES = 2**28


class Column(Config):
    """One value for each sample: a number, or an array of them.

    Attributes:
        dtype: numpy's name of its type.
        units: Its units, `1` for a pure number.
        description: One line for a reader of the data.
        shape: Of the value of one sample: `()` for a number, `(4,)` for a unit quaternion,
            `(h, w)` for a map.
        classes: Names of the classes that its whole numbers count from 0; empty for none.
        class_severities: Severity of each class, where classes have one; else empty.
        class_elements: Symbols of the elements of each class, where classes are substances; else
            empty.
        components: What each number of a vector is of, such as the phases whose shares it holds;
            empty for none.
        task: What is to be learnt of it, by the name of a task. By default it follows: classes
            without a shape are `classification`, with one `segmentation`; real values
            `regression`, of named components `fractions`; anything else is not learnt. `none` is
            not, whatever it holds.
        symmetry: Point group (Hermann-Mauguin) under which values mean the same; empty for none.
        label_shares: Of each of its classes, which part is of which class of `label`, by name,
            where they say something of `label`; else empty.
    """

    dtype: ColumnType
    units: str = "1"
    description: str = ""
    shape: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    class_severities: tuple[float, ...] = ()
    class_elements: tuple[tuple[str, ...], ...] = ()
    components: tuple[str, ...] = ()
    task: str = ""
    symmetry: str = ""
    label_shares: tuple[dict[str, float], ...] = ()

    @model_serializer(mode="wrap")
    def _without_unused(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = serialize(self)
        for name in ("label_shares", "class_elements", "components"):
            if not getattr(self, name):  # datasets that have none keep their identity
                written.pop(name, None)
        return written

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if any(size < 1 for size in self.shape) or math.prod(self.shape) > _MOST_VALUES:
            raise ValueError(f"shape {self.shape} must have positive sizes, and not so many values")
        if self.classes and np.dtype(self.dtype).kind not in "iu":
            raise ValueError(f"classes are counted by whole numbers, not by {self.dtype}")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes {self.classes} must differ from each other")
        if len(self.classes) > 2**31 or (self.dtype == "uint8" and len(self.classes) > 256):
            raise ValueError(f"{self.dtype} cannot count {len(self.classes)} classes")
        if self.class_severities and len(self.class_severities) != len(self.classes):
            raise ValueError(
                f"{len(self.classes)} classes need as many class_severities, "
                f"not {len(self.class_severities)}"
            )
        if self.label_shares and len(self.label_shares) != len(self.classes):
            raise ValueError(
                f"{len(self.classes)} classes need as many label_shares, not "
                f"{len(self.label_shares)}"
            )
        if self.components and self.shape != (len(self.components),):
            raise ValueError(
                f"{len(self.components)} components need as many numbers, not a shape {self.shape}"
            )
        if self.class_elements and len(self.class_elements) != len(self.classes):
            raise ValueError(
                f"{len(self.classes)} classes need as many class_elements, "
                f"not {len(self.class_elements)}"
            )
        if not all(map(math.isfinite, self.class_severities)):
            raise ValueError(f"class_severities {self.class_severities} must be finite numbers")
        return self

    def target(self, name: str) -> Target | None:
        """What this column is, under its name, as something to be learnt; `None` if it is not."""
        task = self.task or self._usual_task()
        if task in {"", NOT_LEARNT}:
            return None
        return Target(
            name=name,
            task=task,
            shape=self.shape,
            classes=self.classes,
            class_severities=self.class_severities,
            class_elements=self.class_elements,
            components=self.components,
            units=self.units,
            symmetry=self.symmetry,
            label_shares=self.label_shares,
        )

    def _usual_task(self) -> str:
        if self.classes:
            return "segmentation" if self.shape else "classification"
        if not self.dtype.startswith("float"):
            return ""
        return "fractions" if self.components else "regression"


SEVERITY_COLUMN = Column(dtype="float32", description="severity of the defect, 0 for none")
SPECIMEN_COLUMN = Column(dtype="int64", description="number of the specimen that the image shows")


def label_column(
    classes: Sequence[str],
    severities: Sequence[float] = (),
    elements: Sequence[tuple[str, ...]] = (),
) -> Column:
    """The column `label`: which of these classes a sample is of.

    Args:
        classes: Their names.
        severities: Severity of each, if they have one.
        elements: Elements of each, if they are substances.
    """
    return Column(
        dtype="int64",
        description="index of the class",
        classes=tuple(classes),
        class_severities=tuple(severities),
        class_elements=tuple(elements),
    )


def defect_columns(classes: Sequence[str], severities: Sequence[float]) -> dict[str, Column]:
    """What data of defects have: `label`, of these classes and severities, and `severity`."""
    return {LABEL: label_column(classes, severities), SEVERITY: SEVERITY_COLUMN}


def check_column(name: str, column: Column) -> None:
    """Check that a dataset may have such a column.

    Raises:
        ValueError: It may not.
    """
    if not is_column_name(name):
        raise ValueError(f"'{name}' cannot name a column")
    usual = {LABEL: "int64", SEVERITY: "float32", SPECIMEN: "int64"}.get(name)
    if usual and (column.dtype, column.shape) != (usual, ()):
        shaped = f" of shape {column.shape}" if column.shape else ""
        raise ValueError(f"column '{name}' must be {usual}, not {column.dtype}{shaped}")
    if name == LABEL and not column.classes:
        raise ValueError(f"column '{name}' must name its classes")


def is_column_name(name: str) -> bool:
    """Whether a column may have this name."""
    return (
        name not in _RESERVED and not name.endswith(_CHECKSUM) and _NAME.fullmatch(name) is not None
    )


def checksum_name(array: str) -> str:
    """The column that holds the checksum of each sample's part of an array."""
    return IMAGE_CHECKSUM if array == IMAGES else f"{array}{_CHECKSUM}"


def wrong_values(name: str, column: Column, values: np.ndarray[Any, Any]) -> tuple[int, str] | None:
    """The first sample whose value (n, *shape) is none of the column's, and what is wrong."""
    if column.classes:
        outside = (values < 0) | (values >= len(column.classes))
        expected = f"is no class; they go from 0 to {len(column.classes) - 1}"
    elif name == SEVERITY:
        outside, expected = ~np.isfinite(values), "is not a finite number"
    else:
        return None
    if not outside.any():
        return None
    return int(np.argwhere(outside)[0, 0]), f"{name} {values[outside][0]} {expected}"
