"""Text in tables that spreadsheets open: no cell of text is taken for a formula."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

# OWASP, "CSV injection"; full-width signs are taken for the plain ones by some spreadsheets.
_FORMULA = re.compile(r"[ ']*[=+\-@＝＋－＠\t\r\n]")
_MARK = "'"


class _Writable(Protocol):
    def write(self, text: str, /) -> object: ...


class _Rows(Protocol):
    def writerow(self, row: Iterable[Any], /) -> object: ...

    def writerows(self, rows: Iterable[Iterable[Any]], /) -> object: ...


def protect(text: str) -> str:
    """A cell of text with an apostrophe before it, if a spreadsheet would take it for a formula.

    `restore` takes just that apostrophe away again, so that every text has one form in a table.
    """
    return f"{_MARK}{text}" if _FORMULA.match(text) else text


def restore(cell: str) -> str:
    """The text that `protect` made this cell of."""
    bare = cell.removeprefix(_MARK)
    return bare if bare != cell and _FORMULA.match(bare) else cell


def csv_writer(file: _Writable) -> "_CsvWriter":
    """A writer of CSV whose cells of type str are protected; numbers stay as they are.

    Text that is a number stays, too: a caller that rounds gives it as text.
    """
    return _CsvWriter(file)


class _CsvWriter:
    """Writes rows of a CSV file; a line ends in a line feed."""

    def __init__(self, file: _Writable) -> None:
        # A cell with any end of line in it is quoted only if the lines' own end has both.
        self._rows: _Rows = csv.writer(_LineFeeds(file), lineterminator="\r\n")

    def writerow(self, row: Iterable[Any]) -> None:
        """Write one row."""
        self._rows.writerow([_cell(value) for value in row])

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write several rows."""
        for row in rows:
            self.writerow(row)


class _LineFeeds:
    """A file whose lines end in a line feed alone."""

    def __init__(self, file: _Writable) -> None:
        self._file = file

    def write(self, line: str) -> object:
        return self._file.write(line.removesuffix("\r\n") + "\n")


def csv_reader(lines: Iterable[str], *, strict: bool = False) -> "_CsvReader":
    """The rows of a CSV file, as `csv_writer` was given them.

    Args:
        lines: The file, opened with `newline=""`.
        strict: Raise `csv.Error` on wrong quotes.
    """
    return _CsvReader(lines, strict)


class _CsvReader:
    """Iterates over rows.

    Attributes:
        line_num: The line that was read last, from 1.
    """

    def __init__(self, lines: Iterable[str], strict: bool) -> None:
        self._rows = csv.reader(lines, strict=strict)

    def __iter__(self) -> Iterator[list[str]]:
        for row in self._rows:
            yield [restore(cell) for cell in row]

    @property
    def line_num(self) -> int:
        return self._rows.line_num

    def mappings(self) -> list[dict[str, str]]:
        """The rows below the first by the names in it; a row that is short lacks the last."""
        rows = [row for row in self if row]
        names = rows[0] if rows else []
        return [dict(zip(names, row, strict=False)) for row in rows[1:]]


def _cell(value: object) -> object:
    return protect(value) if isinstance(value, str) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip() and text.isascii()
