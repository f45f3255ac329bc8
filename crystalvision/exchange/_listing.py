"""What a folder of labelled images holds, before any image is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from jaxtyping import Float32, Int

from crystalvision.datasets import Column
from crystalvision.errors import InputError
from crystalvision.measured_files import Readers
from crystalvision.ordinary_files import is_litter, text_of

_TEXTS = {".csv", ".txt", ".dat"}  # which need not be patterns where none are looked for
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
        file_numbers: File of each image, (n,), where files hold several.
        specimen_names: Name of each specimen; empty where they have numbers only.
        columns: Further numbers of each image, name → (what it is, (n,)).
        notes: What was left out, for the user.
    """

    files: tuple[str, ...]
    class_names: tuple[str, ...]
    labels: Int[np.ndarray, "n"]
    severity: Float32[np.ndarray, "n"] | None = None
    specimens: Int[np.ndarray, "n"] | None = None
    file_numbers: Int[np.ndarray, "n"] | None = None
    specimen_names: tuple[str, ...] = ()
    columns: Mapping[str, tuple[Column, np.ndarray[Any, Any]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def file_order(files: list[str]) -> list[int]:
    """Places of files in the order of their names; of equal names, in that of their folders."""
    return sorted(range(len(files)), key=lambda row: (PurePosixPath(files[row]).name, files[row]))


def list_class_folders(folder: Path, readers: Readers) -> Listing:
    """The patterns of a folder that has a folder for each class.

    Args:
        folder: The folder.
        readers: What reads files.

    Raises:
        InputError: There are no such folders, one has no image, or something else is in the way.
    """
    litter = 0
    places = []
    for place in sorted(folder.iterdir()):
        if is_litter(place.name):
            litter += 1
        else:
            check_name(place)
            places.append(place)
    for place in places:
        text = place.suffix.lower() in _TEXTS
        if place.is_file() and readers.reads(place) and not text:
            raise InputError(
                f"{place}: lies beside the folders of classes; expected {folder.name}/CLASS/"
                f"{place.name}, or a labels.csv with the columns file and class"
            )
    classes = [place for place in places if place.is_dir()]
    if not classes:
        raise InputError(
            f"{folder}: holds no images; expected {folder.name}/CLASS/PATTERN.tif, or a "
            "labels.csv with the columns file and class"
        )
    _check_no_splits(folder, classes)
    files: list[str] = []
    labels: list[int] = []
    for label, place in enumerate(classes):
        found, ignored = images_below(place, readers)
        litter += ignored
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
        notes=litter_note(litter),
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


def images_below(place: Path, readers: Readers) -> tuple[list[Path], int]:
    """Every image below a folder, also behind links, and how much litter lies among them.

    Raises:
        InputError: A file of another type, a link to nothing, or a folder that cannot be read.
    """
    found: list[Path] = []
    litter = 0
    for path in _walk(place, _around(place)):
        if is_litter(path.name):
            litter += 1
        elif not readers.reads(path):
            raise InputError(f"{readers.unread(path)}; convert it, or move it elsewhere")
        else:
            found.append(path)
    return found, litter


def files_below(place: Path) -> list[Path]:
    """Every file below a folder, also behind links, but for litter.

    Raises:
        InputError: A link to nothing, or a folder that cannot be read.
    """
    return [path for path in _walk(place, _around(place)) if not is_litter(path.name)]


def _around(place: Path) -> frozenset[Path]:
    """The folders that a place lies in, by its name and by where it leads.

    Links back to them are circles; behind those to the folder of all classes are other classes.
    """
    try:
        named = place.parent.resolve()
        return frozenset({named, *named.parents, *place.resolve().parents})
    except (OSError, RuntimeError):  # a link to itself, which reading it tells
        return frozenset()


def _walk(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Every file below a folder and all litter, in the order of names; links are followed.

    Args:
        folder: The folder.
        above: Folders that it lies in; a link back to one of them is not followed.
    """
    try:
        here = folder.resolve()
        places = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be read: {error.strerror}; change its permissions, or move it "
            "elsewhere"
        ) from error
    if here in above:
        return
    for place in places:
        if is_litter(place.name):
            yield place
        elif place.is_dir():
            yield from _walk(place, above | {here})
        elif place.is_symlink() and not place.exists():
            raise InputError(f"{place}: is a link to nothing; mend or remove it")
        else:
            yield place


def check_name(place: Path) -> None:
    """Refuse the name of a class that is no text.

    Raises:
        InputError: It is not UTF-8.
    """
    try:
        place.name.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{text_of(place)}: its name is not UTF-8, and a class's name must be: rename it"
        ) from error


def litter_note(count: int) -> tuple[str, ...]:
    """What to say of files that are left out because systems and editors leave them."""
    if not count:
        return ()
    return (f"{count} hidden files, and such as Thumbs.db or x.tif~, are left out",)
