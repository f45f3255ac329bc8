"""Reads `labels.csv`: which image is of which class, and what else is known of it."""

import csv
import posixpath
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int

from crystalvision.datasets import SPECIMEN, DatasetHeader
from crystalvision.errors import InputError
from crystalvision.exchange._csv_columns import number_columns, parse_number
from crystalvision.exchange._frames import frame_of
from crystalvision.exchange._listing import Listing, file_order, files_below
from crystalvision.exchange._selection import SAMPLE
from crystalvision.exchange._table import CLASS, FILE
from crystalvision.measured_files import Readers, is_list
from crystalvision.ordinary_files import check_ordinary
from crystalvision.text import restore

LABEL, SEVERITY, SPLIT, SUBSET_RANK = "label", "severity", "split", "subset_rank"
_KNOWN = (FILE, CLASS, LABEL, SEVERITY, SPECIMEN)
_OF_EXPORTS = (SAMPLE, SPLIT, SUBSET_RANK)

Table = dict[str, list[str]]


def list_labels_csv(
    folder: Path, path: Path, readers: Readers, header: DatasetHeader | None = None
) -> Listing:
    """The patterns of a folder that a CSV file lists.

    Args:
        folder: The folder.
        path: The CSV file, such as its `labels.csv`.
        readers: What reads files.
        header: Header of the dataset from which it was exported, if it was: classes keep their
            numbers, and columns their types.

    Raises:
        InputError: The file is wrong; the line and what is wrong there.
    """
    check_ordinary(path)
    table, lines = _read(path, frozenset(header.class_names if header else ()))
    table[FILE] = _check_files(folder, path, table[FILE], lines)
    order = file_order(table[FILE])
    table = {name: [texts[row] for row in order] for name, texts in table.items()}
    lines = [lines[row] for row in order]
    names, labels = _classes(path, table, lines, header)
    specimens, specimen_names = _specimens(path, table, lines, header)
    skip = {*_KNOWN, *(_OF_EXPORTS if header else ())}
    rest = {name: texts for name, texts in table.items() if name not in skip}
    columns, left_out = number_columns(path, rest, lines, header.columns if header else {})
    notes = [f"{path}: column '{name}' holds no numbers, so it is left out" for name in left_out]
    unlisted = _unlisted(folder, table[FILE], readers)
    if unlisted:
        notes.append(
            f"{len(unlisted)} images are not in {path}, so they are left out; the first is "
            f"{unlisted[0]}"
        )
    return Listing(
        files=tuple(table[FILE]),
        class_names=names,
        labels=labels,
        severity=_severity(path, table, lines),
        specimens=specimens,
        specimen_names=specimen_names,
        columns=columns,
        notes=tuple(notes),
    )


def _read(path: Path, exact: frozenset[str]) -> tuple[Table, list[int]]:
    """The file as columns of text, and the line of each row; empty lines do not count.

    Margins of a cell are left out, but those of the texts `exact`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader if row]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV: {error}") from error
    names = [name.strip() for name in rows[0][1]] if rows else []
    _check_header(path, names)
    for line, row in rows[1:]:
        if len(row) != len(names):
            raise InputError(
                f"{path}, line {line}: has {len(row)} values, but there are {len(names)} columns"
            )
    if len(rows) < 2:
        raise InputError(f"{path}: has no line for any image; add one for each")
    table = {
        name: [_text(row[place], name, exact) for _, row in rows[1:]]
        for place, name in enumerate(names)
    }
    return table, [line for line, _ in rows[1:]]


def _text(cell: str, column: str, exact: frozenset[str]) -> str:
    """The text of a cell; what an export protects from spreadsheets is restored.

    A file's name never needs that in an export, so it is taken as it is.
    """
    text = cell if column == FILE else restore(cell)
    return text if text in exact else text.strip()


def _check_header(path: Path, names: list[str]) -> None:
    if len(names) == 1 and ";" in names[0]:
        raise InputError(f"{path}: its columns are separated by ';'; save it with commas")
    for name in (FILE, CLASS if LABEL not in names else LABEL):
        if name not in names:
            raise InputError(
                f"{path}: has no column '{name}' (columns: {', '.join(names) or 'none'}); expected "
                "file, class or label, and optionally severity, specimen and further numbers"
            )
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise InputError(f"{path}: has two columns '{repeated[0]}'; rename or remove one")


def _check_files(folder: Path, path: Path, given: list[str], lines: list[int]) -> list[str]:
    """The files, each path written in one way."""
    seen: dict[str, int] = {}
    for text, line in zip(given, lines, strict=True):
        if not text:
            raise InputError(f"{path}, line {line}: names no file")
        name = posixpath.normpath(text.replace("\\", "/"))
        if name.startswith(("../", "/")) or Path(name).is_absolute() or name == "..":
            raise InputError(
                f"{path}, line {line}: file '{text}' lies outside {folder}; paths are relative to "
                "that folder"
            )
        if name in seen:
            raise InputError(
                f"{path}, line {line}: file '{text}' is in line {seen[name]} already; remove one"
            )
        if not (folder / frame_of(folder, name)[0]).is_file():
            raise InputError(f"{path}, line {line}: file '{text}' does not exist in {folder}")
        seen[name] = line
    return list(seen)


def _classes(
    path: Path, table: Table, lines: Sequence[int], header: DatasetHeader | None
) -> tuple[tuple[str, ...], Int[np.ndarray, "n"]]:
    """The classes, and the label of each image."""
    given = table[CLASS] if CLASS in table else table[LABEL]
    for text, line in zip(given, lines, strict=True):
        if not text:
            raise InputError(f"{path}, line {line}: names no class")
    if header is not None:
        names = header.class_names
    elif CLASS in table and LABEL in table:
        names = _numbered(path, table, lines)
    elif all(map(_is_number, given)):
        names = tuple(sorted(set(given), key=lambda text: (int(text), text)))
    else:
        names = tuple(sorted(set(given)))
    place = {name: label for label, name in enumerate(names)}
    for text, line in zip(given, lines, strict=True):
        if text not in place:
            raise InputError(
                f"{path}, line {line}: class '{text}' is none of {', '.join(names)}, which "
                "dataset.json lists; mend it, or remove dataset.json"
            )
    return names, np.array([place[text] for text in given], dtype=np.int64)


def _numbered(path: Path, table: Table, lines: Sequence[int]) -> tuple[str, ...]:
    """The classes in the order of their labels."""
    number: dict[str, str] = {}
    for name, label, line in zip(table[CLASS], table[LABEL], lines, strict=True):
        if not _is_number(label) or number.setdefault(name, label) != label:
            raise InputError(
                f"{path}, line {line}: label '{label}' of class '{name}'; expected a whole number, "
                "one for each class, or no column 'label'"
            )
    names = tuple(sorted(number, key=lambda name: int(number[name])))
    if [int(number[name]) for name in names] != list(range(len(names))):
        raise InputError(
            f"{path}: labels of {', '.join(f'{name} {number[name]}' for name in names)}; expected "
            f"0 to {len(names) - 1}, one for each class, or no column 'label'"
        )
    return names


def _is_number(text: str) -> bool:
    """Whether a text is a whole number that an index can be; ² is a digit, but no number."""
    return text.isdecimal() and len(text) <= 18


def _severity(path: Path, table: Table, lines: Sequence[int]) -> Float32[np.ndarray, "n"] | None:
    if SEVERITY not in table:
        return None
    values = []
    for text, line in zip(table[SEVERITY], lines, strict=True):
        value = parse_number(text)
        if value is None or not np.isfinite(value):
            raise InputError(
                f"{path}, line {line}: severity '{text}' is no number; give one for each image, or "
                "remove the column"
            )
        values.append(value)
    return np.array(values, dtype=np.float32)


def _specimens(
    path: Path, table: Table, lines: Sequence[int], header: DatasetHeader | None
) -> tuple[Int[np.ndarray, "n"] | None, tuple[str, ...]]:
    """The specimen of each image, and the name of each specimen in the order of appearance."""
    if SPECIMEN not in table:
        return None, ()
    given = table[SPECIMEN]
    for text, line in zip(given, lines, strict=True):
        if not text:
            raise InputError(
                f"{path}, line {line}: names no specimen; name one for each image, or remove the "
                "column"
            )
    if header is not None and all(map(_is_number, given)):
        return np.array([int(text) for text in given], dtype=np.int64), ()
    names = list(dict.fromkeys(given))
    place = {name: number for number, name in enumerate(names)}
    return np.array([place[text] for text in given], dtype=np.int64), tuple(names)


def _unlisted(folder: Path, files: Sequence[str], readers: Readers) -> list[str]:
    """Images of the folder that the file does not name."""
    known = {*(frame_of(folder, name)[0] for name in files)}
    found = (path.relative_to(folder).as_posix() for path in files_below(folder))
    return [
        name
        for name in found
        if readers.reads(name) and name not in known and not is_list(folder / name)
    ]
