"""Finds out what a folder is: a dataset of ours, damaged, a stranger's, or nothing."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crystalvision.datasets._files import LOCK_NAME, disk_errors, is_filled
from crystalvision.datasets._header import DatasetHeader, digest
from crystalvision.datasets._layout import (
    FORMAT,
    OUR_KEY,
    ROOT_DOCUMENT,
    parse_document,
    shard_files,
)
from crystalvision.errors import InputError, StorageError


def read_header(path: Path) -> DatasetHeader:
    """The header of the dataset at `path`.

    Raises:
        InputError: There is nothing, or something that is no dataset of ours.
        StorageError: The header is damaged.
    """
    if not path.exists():
        raise InputError(f"{path}: no such dataset; `crystalvision simulate` makes one")
    if not path.is_dir():
        raise InputError(f"{path}: expected a dataset's folder, found a file")
    document = path / ROOT_DOCUMENT
    if not document.exists():
        raise InputError(f"{path}: not a dataset of crystalvision: it holds no {ROOT_DOCUMENT}")
    with disk_errors(document, "read"):
        content = document.read_bytes()
    try:
        ours = parse_document(content).get("attributes", {}).get(OUR_KEY)
    except (ValueError, AttributeError) as error:
        raise StorageError(f"{document}: damaged: {_one_line(error)}") from error
    if ours is None:
        raise InputError(f"{path}: a Zarr group, but not a dataset of crystalvision")
    return _checked_header(document, ours)


def _checked_header(document: Path, ours: Any) -> DatasetHeader:
    try:
        if ours["format"] != FORMAT:
            raise InputError(
                f"{document}: format {ours['format']!r}; this version of crystalvision reads "
                f"format {FORMAT}: install the version that made the dataset"
            )
        if digest(ours["header"]) != ours["sha256"]:
            raise StorageError(f"{document}: damaged: the header does not match its checksum")
        return DatasetHeader.model_validate_json(json.dumps(ours["header"]))
    except (KeyError, TypeError, ValidationError) as error:
        raise StorageError(f"{document}: damaged: {_one_line(error)}") from error


def is_dataset(path: Path) -> bool:
    """Whether a folder is a dataset of ours, be it damaged or hardly begun."""
    if (path / LOCK_NAME).is_file():
        return True
    try:
        return OUR_KEY in parse_document((path / ROOT_DOCUMENT).read_bytes())["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def find_missing_shards(path: Path, header: DatasetHeader) -> list[int]:
    """Shards of which a file is absent or empty, ascending."""
    return [
        shard
        for shard in range(header.shards)
        if not all(is_filled(path / file) for file in shard_files(header, shard))
    ]


RESUME_HINT = "finish it with the command that began it and --resume"


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
