"""`dataset.json` in an exported folder: all that is known of the dataset but its samples."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from crystalvision.config import Config
from crystalvision.datasets import DatasetHeader, SplitSettings
from crystalvision.errors import InputError
from crystalvision.exchange._selection import Selection
from crystalvision.json_text import parse_json, validate_json
from crystalvision.small_files import read_small
from crystalvision.text import json_text

DOCUMENT = "dataset.json"


class ExportDocument(Config):
    """What `dataset.json` holds.

    Attributes:
        crystalvision_export: Version of this document.
        format: `png` or `webdataset`.
        identity: Identity of the dataset.
        split: The part that was exported.
        samples: Number of samples that were exported.
        splits: How the dataset is split.
        scale: How counts became grey values; `counts` where they are the same.
        header: The dataset's header: classes, columns, calibration, recipe.
    """

    crystalvision_export: Literal[1] = 1
    format: str
    identity: str
    split: str
    samples: int
    splits: SplitSettings
    scale: str = "counts"
    header: DatasetHeader


def document_of(selection: Selection, form: str, scale: str = "counts") -> str:
    """The document of an export, as JSON.

    Args:
        selection: What is exported.
        form: `png` or `webdataset`.
        scale: How counts became grey values.
    """
    dataset = selection.dataset
    document = ExportDocument(
        format=form,
        identity=dataset.identity,
        split=selection.split,
        samples=len(selection),
        splits=selection.splits,
        scale=scale,
        header=dataset.header,
    )
    return json_text(document.model_dump(mode="json"), indent=1) + "\n"


def is_document(path: Path) -> bool:
    """Whether a file is the document of an export, of whatever version."""
    try:
        content = parse_json(read_small(path))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "crystalvision_export" in content


def read_document(path: Path) -> ExportDocument | None:
    """The document of an exported folder, or None where there is none.

    Raises:
        InputError: It is damaged, or of another version.
    """
    if not is_document(path):
        return None
    try:
        return validate_json(ExportDocument, read_small(path))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise InputError(
            f"{path}: not what this version of crystalvision writes: {where}: {problem['msg']}; "
            "export again, or remove the file and give calibration and classes yourself"
        ) from error
