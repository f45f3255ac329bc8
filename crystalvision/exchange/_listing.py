"""What a folder of labelled images holds, before any image is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from jaxtyping import Float32, Int

from crystalvision.datasets import Column
from crystalvision.errors import InputError
from crystalvision.image_files import SUFFIXES

_SPLITS = {"train", "training", "validation", "valid", "val", "test", "testing"}


@dataclass(frozen=True, slots=True)
class Listing:
    """Labelled images, in the order of the samples.

    Attributes:
        files: Their paths within the folder.
        class_names: The classes.
        labels: Class of each image, (n,).
        severity: Severity of each image, (n,), if the folder tells.
        specimens: Specimen of each image, (n,), if the folder tells.
        specimen_names: Name of each specimen; empty where they have numbers only.
        columns: Further numbers of each image, name → (what it is, (n,)).
        notes: What was left out, for the user.
    """

    files: tuple[str, ...]
    class_names: tuple[str, ...]
    labels: Int[np.ndarray, "n"]
    severity: Float32[np.ndarray, "n"] | None = None
    specimens: Int[np.ndarray, "n"] | None = None
    specimen_names: tuple[str, ...] = ()
    columns: Mapping[str, tuple[Column, np.ndarray[Any, Any]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def file_order(files: list[str]) -> list[int]:
    """Places of files in the order of their names; of equal names, in that of their folders."""
    return sorted(range(len(files)), key=lambda row: (PurePosixPath(files[row]).name, files[row]))


def list_class_folders(folder: Path) -> Listing:
    """The images of a folder that has a folder for each class.

    Raises:
        InputError: There are no such folders, one has no image, or something else is in the way.
    """
    places = [place for place in sorted(folder.iterdir()) if not place.name.startswith(".")]
    for place in places:
        if place.is_file() and place.suffix.lower() in SUFFIXES:
            raise InputError(
                f"{place}: lies beside the folders of classes; expected {folder.name}/CLASS/"
                f"{place.name}, or a labels.csv with the columns file and class"
            )
    classes = [place for place in places if place.is_dir()]
    if not classes:
        raise InputError(
            f"{folder}: holds no images; expected {folder.name}/CLASS/IMAGE{SUFFIXES[0]}, or a "
            "labels.csv with the columns file and class"
        )
    _check_no_splits(folder, classes)
    files: list[str] = []
    labels: list[int] = []
    for label, place in enumerate(classes):
        found = _images(place)
        if not found:
            raise InputError(
                f"{place}: class '{place.name}' has no image; add some, or remove the folder"
            )
        files += [path.relative_to(folder).as_posix() for path in found]
        labels += [label] * len(found)
    order = file_order(files)
    return Listing(
        files=tuple(files[row] for row in order),
        class_names=tuple(place.name for place in classes),
        labels=np.array([labels[row] for row in order], dtype=np.int64),
    )


def _check_no_splits(folder: Path, classes: list[Path]) -> None:
    """Refuse to take splits for classes."""
    names = [place.name for place in classes]
    if {name.lower() for name in names} <= _SPLITS:
        raise InputError(
            f"{folder}: its folders {', '.join(names)} are splits, not classes; put the images of "
            "all splits into one folder for each class (splits are assigned anew), or write a "
            "labels.csv with the columns file and class"
        )


def _images(place: Path) -> list[Path]:
    """Every image below a class's folder."""
    found = []
    for path in sorted(place.rglob("*")):
        if path.is_dir() or any(part.startswith(".") for part in path.relative_to(place).parts):
            continue
        if path.suffix.lower() not in SUFFIXES:
            raise InputError(
                f"{path}: files of type '{path.suffix}' are not read; convert it to one of "
                f"{', '.join(SUFFIXES)}, or move it elsewhere"
            )
        found.append(path)
    return found
