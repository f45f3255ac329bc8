"""Keeps a library in the folder of its run; nothing in it is unpickled."""

import hashlib
from io import StringIO
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from crystalvision.config import Config, load_yaml, validate
from crystalvision.errors import InputError
from crystalvision.json_text import parse_json
from crystalvision.library._library import Library
from crystalvision.ordinary_files import check_ordinary
from crystalvision.samples import CandidateInfo
from crystalvision.storage import disk_errors, read_text, whole_folder, write_tensors
from crystalvision.yaml_text import dump_yaml

FOLDER = "library"
RECORD, ENTRIES, PLACES = "library.yaml", "candidates.jsonl", "places.safetensors"
_WEIGHTS = "weights.safetensors"
_AGAIN = "delete the folder, and add the candidates again"


class LibraryRecord(Config):
    """What `library.yaml` holds.

    Attributes:
        format: Version of this layout.
        weights_sha256: Of the weights of the run that placed the candidates.
        draws: How many expected patterns each place is the mean of.
        candidates: How many there are.
        embedding_size: Numbers of a place.
    """

    format: Literal[1] = 1
    weights_sha256: str
    draws: int
    candidates: int
    embedding_size: int


def weights_of(run: Path) -> str:
    """SHA-256 (hex) of the weights of a run.

    Raises:
        InputError: It has none.
        StorageError: The disk refuses.
    """
    path = run / _WEIGHTS
    if not path.is_file():
        raise InputError(f"{run} has no {_WEIGHTS}: it holds no network; a library needs one")
    with disk_errors(path, "read"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_library(library: Library, run: Path) -> Path:
    """Write the folder `library` of a run, in place of the one that is there.

    Returns:
        The folder.

    Raises:
        StorageError: The disk refuses.
    """
    record = LibraryRecord(
        weights_sha256=library.weights,
        draws=library.draws,
        candidates=len(library),
        embedding_size=library.places.shape[1],
    )
    with whole_folder(run / FOLDER, overwrite=True) as partial:
        write_tensors(partial / PLACES, {"places": torch.from_numpy(library.places)})
        lines = StringIO()
        for entry in library.entries:
            lines.write(_ENTRY.dump_json(entry).decode() + "\n")
        with disk_errors(partial):
            (partial / ENTRIES).write_text(lines.getvalue(), encoding="utf-8")
            text = dump_yaml(record.model_dump(mode="json"))
            (partial / RECORD).write_text(text, encoding="utf-8")
    return run / FOLDER


def load_library(run: Path) -> Library | None:
    """The library of a run; `None` where it has none.

    Raises:
        InputError: It is damaged, or the run was trained again since.
        StorageError: The disk refuses.
    """
    folder = run / FOLDER
    if not (folder / RECORD).is_file():
        return None
    for name in (RECORD, ENTRIES, PLACES):
        check_ordinary(folder / name)
    record = validate(LibraryRecord, load_yaml(folder / RECORD), str(folder / RECORD))
    if record.weights_sha256 != weights_of(run):
        raise InputError(
            f"{folder} holds places by other weights than {run} has: it was trained again; {_AGAIN}"
        )
    entries, places = _entries(folder / ENTRIES), _places(folder / PLACES)
    if not len(entries) == len(places) == record.candidates:
        raise InputError(
            f"{folder} has {len(entries)} candidates and {len(places)} places, but its record says "
            f"{record.candidates}; {_AGAIN}"
        )
    return Library(record.weights_sha256, record.draws, entries, places)


_ENTRY = TypeAdapter(CandidateInfo)


def _entries(path: Path) -> tuple[CandidateInfo, ...]:
    try:
        lines = read_text(path).splitlines()
        return tuple(_ENTRY.validate_python(parse_json(line)) for line in lines)
    except (FileNotFoundError, ValueError, ValidationError) as error:
        raise InputError(
            f"{path} is missing or damaged ({type(error).__name__}); {_AGAIN}"
        ) from error


def _places(path: Path) -> np.ndarray:
    try:
        places = load_file(path)["places"].numpy()
    except (OSError, SafetensorError, KeyError) as error:
        raise InputError(
            f"{path} is missing or damaged ({type(error).__name__}); {_AGAIN}"
        ) from error
    if places.ndim != 2 or places.dtype != np.float32 or not np.isfinite(places).all():
        raise InputError(f"{path}: its places are no finite float32 (n, e); {_AGAIN}")
    return places
