"""Single checks of a dataset's files; each gives what is wrong and never raises on damage."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from crystalvision.datasets._checksums import part_checksums, row_checksums
from crystalvision.datasets._codec import Codec
from crystalvision.datasets._columns import (
    IMAGES,
    ROW_CHECKSUM,
    Column,
    checksum_name,
    wrong_values,
)
from crystalvision.datasets._direct import Rows
from crystalvision.datasets._files import is_filled, is_unfinished
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._layout import (
    CARD_FIGURE,
    CARD_METADATA,
    CARD_TEXT,
    ROOT_DOCUMENT,
    SPLIT_FILES,
    images_file,
    parse_document,
    sample_arrays,
    shard_files,
    stored_columns,
)
from crystalvision.datasets._open import RESUME_HINT
from crystalvision.errors import InputError
from crystalvision.ordinary_files import is_litter
from crystalvision.small_files import read_small

REWRITE = "`crystalvision dataset repair` writes it again"
MEND = "`crystalvision dataset repair` makes the shard again"
# What a version of zarr may not write in another way.
_STABLE_KEYS = ("zarr_format", "node_type", "shape", "data_type", "dimension_names", "attributes")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a dataset.

    Attributes:
        shard: The shard it is in, or None for the dataset as a whole.
        message: What is wrong, with the file and how to mend it.
    """

    shard: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.shard is None else f"shard {self.shard}: {self.message}"


def stray_problems(path: Path, header: DatasetHeader, codec: Codec) -> Iterator[Problem]:
    """Files that do not belong to the dataset; what systems and editors leave is left alone."""
    known = {*dataset_files(header, codec), CARD_TEXT, CARD_FIGURE, CARD_METADATA}
    folders = {parent.as_posix() for file in known for parent in PurePosixPath(file).parents}
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path).as_posix()
        folder = found.is_dir() and (name in folders or not found.is_symlink())
        if folder or name in known or any(map(is_litter, PurePosixPath(name).parts)):
            continue
        if is_unfinished(found):
            yield Problem(
                None, f"{name}: left half-written by a killed writer; repair or --resume removes it"
            )
        elif not found.name.startswith("."):
            yield Problem(None, f"{name}: no file of this dataset; move it elsewhere")


def dataset_files(header: DatasetHeader, codec: Codec) -> Iterator[str]:
    """Every file that a finished dataset has."""
    yield from codec.documents()
    yield from SPLIT_FILES
    for shard in range(header.shards):
        yield from shard_files(header, shard)


def metadata_problems(path: Path, codec: Codec) -> Iterator[Problem]:
    """Metadata and coordinates against what the header asks for and against each other."""
    expected = codec.documents()
    try:
        root = parse_document(read_small(path / ROOT_DOCUMENT))
        copies = dict(root["consolidated_metadata"].pop("metadata"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield Problem(None, f"{ROOT_DOCUMENT}: damaged: {error!r}; {REWRITE}")
        return
    intended = parse_document(expected[ROOT_DOCUMENT])
    names = intended["consolidated_metadata"].pop("metadata").keys()
    keys = (*_STABLE_KEYS, "consolidated_metadata")
    if _different(root, intended, keys) or copies.keys() != names:
        yield Problem(None, f"{ROOT_DOCUMENT}: differs from its header; {REWRITE}")
    for file, content in expected.items():
        if file != ROOT_DOCUMENT:
            yield from _document_problems(path, file, content, copies)


def _different(
    found: dict[str, Any], expected: dict[str, Any], keys: tuple[str, ...] = _STABLE_KEYS
) -> list[str]:
    return [key for key in keys if found.get(key) != expected.get(key)]


def _document_problems(
    path: Path, file: str, expected: bytes, copies: dict[str, Any]
) -> Iterator[Problem]:
    try:
        content = read_small(path / file)
    except (OSError, InputError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        yield Problem(None, f"{file}: cannot be read: {reason}; {REWRITE}")
        return
    if not file.endswith(ROOT_DOCUMENT):
        if content != expected:
            yield Problem(None, f"{file}: differs from what the header says; {REWRITE}")
        return
    try:
        document = parse_document(content)
    except ValueError as error:
        yield Problem(None, f"{file}: damaged: {error}; {REWRITE}")
        return
    intended = parse_document(expected)
    wrong = _different(document, intended)
    if wrong:
        found = {key: document.get(key) for key in wrong}
        wanted = {key: intended.get(key) for key in wrong}
        yield Problem(
            None,
            f"{file}: {found} differs from {wanted} of the header; {REWRITE}",
        )
    elif document != copies.get(file.removesuffix(f"/{ROOT_DOCUMENT}")):
        yield Problem(None, f"{file}: differs from its copy in {ROOT_DOCUMENT}; {REWRITE}")


class ShardCheck:
    """Reads the files of one shard, every byte.

    Attributes:
        problems: What is wrong.
        rows: Its columns, name → (n,), without those that cannot be read.
    """

    def __init__(self, path: Path, header: DatasetHeader, codec: Codec, shard: int) -> None:
        self._path = path
        self._header = header
        self._codec = codec
        self._shard = shard
        self._indices = header.shard_indices(shard)
        self.problems: list[Problem] = []
        self.rows: Rows = {}
        self._run()

    def _run(self) -> None:
        files = shard_files(self._header, self._shard)
        absent = [file for file in files if not is_filled(self._path / file)]
        if images_file(self._header, self._shard) in absent:
            self._add(f"not written; {RESUME_HINT}")
        elif absent:
            self._add(
                f"{len(absent)} of {len(files)} files missing or empty, the first is {absent[0]}; "
                f"{MEND}"
            )
        rows, columns = self.rows, stored_columns(self._header)
        for name, column in columns.items():
            file = f"{name}/c/{self._shard}"
            values = self._read(name, file)
            if values is not None:
                rows[name] = values
                self._check_values(name, column, values, file)
        if len(rows) == len(columns):
            computed = row_checksums(self._header.identity, self._indices.start, rows)
            self._compare(ROW_CHECKSUM, computed, "columns")
        for name, array in sample_arrays(self._header).items():
            file = array.file(name, self._shard)
            values = self._read(name, file)
            if values is None:
                continue
            if name in self._header.columns:
                self._check_values(name, self._header.columns[name], values, file)
            if checksum_name(name) in rows:
                what = "image" if name == IMAGES else name
                self._compare(checksum_name(name), part_checksums(values), what)

    def _read(self, name: str, file: str) -> np.ndarray[Any, Any] | None:
        if not is_filled(self._path / file):
            return None
        try:
            content = (self._path / file).read_bytes()
        except OSError as error:
            self._add(f"{file}: cannot be read: {error.strerror}")
            return None
        try:
            return self._codec.decode(name, self._indices, file, content)
        except Exception as error:  # damaged bytes make zarr and its codecs raise anything
            reason = str(error).splitlines()[0] if str(error) else repr(error)
            self._add(f"{file}: damaged or cut short ({reason:.120}); {MEND}")
            return None

    def _check_values(
        self, name: str, column: Column, values: np.ndarray[Any, Any], file: str
    ) -> None:
        found = wrong_values(name, column, values)
        if found is not None:
            sample = self._indices.start + found[0]
            self._add(f"{file}: sample {sample}: {found[1]}; {MEND}")

    def _compare(self, checksum: str, computed: np.ndarray[Any, Any], what: str) -> None:
        wrong = self._indices.start + np.flatnonzero(self.rows[checksum] != computed)
        if wrong.size:
            self._add(
                f"the {what} of {wrong.size} samples, the first is {wrong[0]}, do not match "
                f"{checksum}: a file was swapped or changed; {MEND}"
            )

    def _add(self, message: str) -> None:
        self.problems.append(Problem(self._shard, message))
