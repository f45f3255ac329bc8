"""Finds out what a folder is: a dataset of ours, damaged, a stranger's, or nothing."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crystalvision.datasets._columns import IMAGES
from crystalvision.datasets._files import LOCK_NAME, is_filled
from crystalvision.datasets._header import DatasetHeader, digest
from crystalvision.datasets._layout import (
    FORMAT,
    HEADER_DOCUMENT,
    OUR_KEY,
    ROOT_DOCUMENT,
    SPLIT_FILES,
    parse_document,
    shard_files,
)
from crystalvision.errors import InputError, StorageError
from crystalvision.small_files import read_small
from crystalvision.storage import disk_errors

RESUME_HINT = "finish it with the command that began it and --resume"
_REPAIR = "`crystalvision dataset repair` mends it"


class HeaderConflictError(StorageError):
    """Both copies of a header are sound, and they differ: nobody knows which is the data's."""


def read_header(path: Path) -> DatasetHeader:
    """The header of the dataset at `path`.

    Raises:
        InputError: There is nothing, or something that is no dataset of ours.
        HeaderConflictError: Its second copy says something else.
        StorageError: The header is damaged.
    """
    if not path.exists():
        raise InputError(f"{path}: no such dataset; `crystalvision simulate` makes one")
    if not path.is_dir():
        raise InputError(f"{path}: expected a dataset's folder, found a file")
    document = path / ROOT_DOCUMENT
    if not document.exists():
        if (path / HEADER_DOCUMENT).exists():
            raise StorageError(f"{document}: missing; {_REPAIR}")
        raise InputError(f"{path}: not a dataset of crystalvision: it holds no {ROOT_DOCUMENT}")
    with disk_errors(document, "read"):
        content = read_small(document)
    try:
        ours = parse_document(content).get("attributes", {}).get(OUR_KEY)
    except (ValueError, AttributeError) as error:
        raise StorageError(f"{document}: damaged: {_one_line(error)}; {_REPAIR}") from error
    copy = _sound_copy(path)
    try:
        header = _checked_header(document, ours)
    except InputError as error:
        if copy is None:
            raise
        raise StorageError(
            f"{document}: damaged: it lacks the header that {HEADER_DOCUMENT} holds; {_REPAIR}"
        ) from error
    if copy is not None and copy != header:
        raise HeaderConflictError(
            f"{document}: its header is not that of {HEADER_DOCUMENT}: one of the two is of "
            "another dataset; put the right one back, or delete the wrong one and run "
            "`crystalvision dataset repair`"
        )
    return header


def _sound_copy(path: Path) -> DatasetHeader | None:
    """The second copy of the header, or None where it is damaged, of which `verify` tells."""
    try:
        return read_header_copy(path)
    except (StorageError, InputError):
        return None


def _checked_header(document: Path, ours: Any) -> DatasetHeader:
    if ours is None:
        raise InputError(f"{document.parent}: a Zarr group, but not a dataset of crystalvision")
    try:
        if ours["format"] != FORMAT:
            raise InputError(
                f"{document}: format {ours['format']!r}; this version of crystalvision reads "
                f"format {FORMAT}, whose columns say what can be learnt: make the dataset again, "
                "or install the version that made it"
            )
        if digest(ours["header"]) != ours["sha256"]:
            raise StorageError(
                f"{document}: damaged: the header does not match its checksum; {_REPAIR}"
            )
        return DatasetHeader.model_validate_json(json.dumps(ours["header"]))
    except (KeyError, TypeError, ValidationError) as error:
        raise StorageError(f"{document}: damaged: {_one_line(error)}; {_REPAIR}") from error


def read_header_copy(path: Path) -> DatasetHeader:
    """The header of a dataset whose root document may be damaged, from its second copy.

    Raises:
        StorageError: That is missing or damaged, too.
    """
    document = path / HEADER_DOCUMENT
    with disk_errors(document, "read"):
        content = read_small(document)
    try:
        return _checked_header(document, parse_document(content))
    except ValueError as error:
        raise StorageError(f"{document}: damaged: {_one_line(error)}") from error


def is_split(path: Path) -> bool:
    """Whether the samples of a dataset are assigned to its parts."""
    return all(is_filled(path / file) for file in SPLIT_FILES)


def is_dataset(path: Path) -> bool:
    """Whether a folder is a dataset of ours, be it damaged or hardly begun."""
    if (path / LOCK_NAME).is_file() or (path / HEADER_DOCUMENT).is_file():
        return True
    try:
        return OUR_KEY in parse_document(read_small(path / ROOT_DOCUMENT))["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def find_missing_shards(path: Path, header: DatasetHeader) -> list[int]:
    """Shards of which a file is absent or empty, ascending."""
    begun = _begun_shards(path, header)
    return [
        shard
        for shard in range(header.shards)
        if shard not in begun
        or not all(is_filled(f"{path}/{file}") for file in shard_files(header, shard))
    ]


def _begun_shards(path: Path, header: DatasetHeader) -> set[int]:
    """Shards of which the images are there: a header may claim a million of them."""
    try:
        names = [entry.name for entry in (path / IMAGES / "c").iterdir()]
    except OSError:
        return set()
    return {int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 12}


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
