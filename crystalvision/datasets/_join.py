"""What datasets that are merged have in common, and where they contradict each other."""

from collections.abc import Mapping, Sequence
from typing import Any

from crystalvision.config import validate
from crystalvision.contracts import Axis
from crystalvision.datasets._columns import SEVERITY, SPECIMEN, Column
from crystalvision.datasets._conditions import Conditions
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._match import differences
from crystalvision.datasets._provenance import Merged
from crystalvision.datasets._seen import Seen
from crystalvision.errors import InputError

SOURCE = "source"
SOURCE_INDEX = "source_index"


def check_alike(datasets: Sequence[Dataset]) -> None:
    """Check that all have images of one shape, type and calibration.

    Raises:
        InputError: The first difference, with both values.
    """
    first = datasets[0]
    for other in datasets[1:]:
        for what, one, two in _compared(first, other):
            if one != two:
                raise InputError(
                    f"{other.path}: its {what} is {two}, but that of {first.path} is {one}; only "
                    "images of one shape, type and calibration can be merged"
                )


def _compared(one: Dataset, other: Dataset) -> list[tuple[str, Any, Any]]:
    a, b = one.header, other.header
    pairs: list[tuple[str, Any, Any]] = [
        ("image shape (c, *grid)", a.image_shape, b.image_shape),
        ("image type", a.dtype, b.dtype),
    ]
    names, others = (", ".join(axis.name for axis in header.axes) for header in (a, b))
    pairs.append(("axes", names, others))
    for first, second in zip(a.axes, b.axes, strict=False):
        pairs += [
            (f"{key} of axis {first.name}", getattr(first, key), getattr(second, key))
            for key in Axis.model_fields
        ]
    return pairs


def join_seen(headers: Sequence[DatasetHeader]) -> Seen | None:
    """What merged data say of the points that were measured: what all say, or a mask a sample."""
    masks = {header.seen for header in headers}
    if len(masks) == 1:
        return masks.pop()
    channels = max(1 if seen is None else seen.channels for seen in masks)
    return Seen(channels=channels, each_sample=True)


def differing_beams(datasets: Sequence[Dataset]) -> tuple[str, ...]:
    """What to say of beams that are not the same everywhere, a line each."""
    first, *others = datasets
    known = Conditions.of_dataset(first)
    notes: list[str] = []
    for other in others:
        here = Conditions.of_dataset(other)
        if (here.energy_kev is None) != (known.energy_kev is None):
            silent = other if here.energy_kev is None else first
            notes.append(f"{_name(silent)} does not state the energy of its beam, others do")
        notes += differences(here, known, _name(other), _name(first))
    return tuple(dict.fromkeys(f"Beams differ: {note}." for note in notes))


def _name(dataset: Dataset) -> str:
    return f"'{dataset.header.name or dataset.path.name}'"


def join_classes(datasets: Sequence[Dataset], name: str) -> dict[str, float | None]:
    """Every class of a column and its severity, if any, in the order of first appearance.

    Raises:
        InputError: Two datasets give a class different severities.
    """
    classes: dict[str, float | None] = {}
    given: dict[str, Dataset] = {}
    for dataset in datasets:
        column = dataset.header.columns[name]
        severities = column.class_severities or [None] * len(column.classes)
        for each, severity in zip(column.classes, severities, strict=True):
            if classes.setdefault(each, severity) != severity:
                raise InputError(
                    f"{dataset.path}: class '{each}' has severity {_severity(severity)}, but in "
                    f"{given[each].path} it is {_severity(classes[each])}; a class has one severity"
                )
            given.setdefault(each, dataset)
    return classes


def _severity(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def join_columns(datasets: Sequence[Dataset]) -> dict[str, Column]:
    """Every column but `specimen`, `source` and `source_index`, which a merge writes itself.

    Raises:
        InputError: A column means something else in two datasets, or one that not all have cannot
            be filled with NaN.
    """
    columns: dict[str, Column] = {}
    given: dict[str, Dataset] = {}
    for dataset in datasets:
        for name, column in own_columns(dataset).items():
            known = columns.setdefault(name, column)
            _check_same_meaning(name, (given.setdefault(name, dataset), known), (dataset, column))
            if not known.description:
                columns[name] = known.model_copy(update={"description": column.description})
    for name, column in columns.items():
        lacking = next((each for each in datasets if name not in own_columns(each)), None)
        unknown = column.dtype.startswith("float") and name != SEVERITY
        if lacking is not None and not unknown:
            raise InputError(
                f"{lacking.path}: has no column '{name}', but {given[name].path} has, as "
                f"{column.dtype}, which cannot say that a value is unknown; only columns of "
                "float32 or float64 may be missing, and not severity"
            )
        if column.classes:
            columns[name] = _joined(column, join_classes(datasets, name), datasets, name)
    return columns


def _joined(
    column: Column,
    classes: Mapping[str, float | None],
    datasets: Sequence[Dataset],
    name: str,
) -> Column:
    severities = tuple(each for each in classes.values() if each is not None)
    known: dict[str, tuple[str, ...]] = {}
    for dataset in datasets:
        one = dataset.header.columns[name]
        known |= dict(zip(one.classes, one.class_elements, strict=False))
    all_known = all(each in known for each in classes)
    fields = {
        **column.model_dump(),
        "classes": tuple(classes),
        "class_severities": severities,
        "class_elements": tuple(known[each] for each in classes) if all_known else (),
    }
    return validate(Column, fields, "merged dataset")


def own_columns(dataset: Dataset) -> dict[str, Column]:
    """The columns of a dataset that go into a merged one as they are.

    Raises:
        InputError: It has a column of a name that a merge needs.
    """
    columns = dict(dataset.header.columns)
    columns.pop(SPECIMEN, None)
    for name in (SOURCE, SOURCE_INDEX):
        merged = isinstance(dataset.header.provenance, Merged)
        if columns.pop(name, None) and not merged:
            raise InputError(
                f"{dataset.path}: has a column '{name}' already, which a merge writes itself; give "
                "that column another name where the dataset is made"
            )
    return columns


def _check_same_meaning(
    name: str, first: tuple[Dataset, Column], second: tuple[Dataset, Column]
) -> None:
    one, two = first[1], second[1]
    for key in ("dtype", "shape", "units", "task", "symmetry", "description"):
        a, b = getattr(one, key), getattr(two, key)
        if a != b and (key != "description" or (a and b)):
            raise InputError(
                f"{second[0].path}: the {key} of column '{name}' is '{b}', but in "
                f"{first[0].path} it is '{a}'; a column has one meaning"
            )
