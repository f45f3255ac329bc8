"""Columns of text: a position, what was measured there, and perhaps its error."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Facts, MeasuredFile, Reader, Scale
from crystalvision.measured_files import content_of
from crystalvision_readers._curves import Curve, CurveFile, beam_of, number, stated
from crystalvision_readers._text import decode

_MOST_BYTES = 2**25
_COMMENTS = ("#", ";", "!", "'", "/*", "*/", "//", "%")
_POSITIONS = {
    "two_theta": re.compile(r"(2|two)[\s_·*-]*(theta|θ|th)\b.*|tth\b.*|2t\b.*|angle.*|x|pos.*"),
    "theta": re.compile(r"theta.*|θ.*"),
    "q": re.compile(r"q\b.*"),
    "d": re.compile(r"d([\s_-]?spacing)?\b.*"),
}
_VALUES = re.compile(r"(raw |obs\w* |observed )?(counts?|intensity|int|cps|signal|i|y|yobs)\b.*")
_ERRORS = re.compile(r"(e|err\w*|esd|sigma\w*|unc\w*|σ)\b.*|.*\b(error|esd|sigma|uncertainty)\b.*")
_WAVELENGTH = re.compile(
    r"(?:wave\s*length|lambda)[^0-9\n]{0,24}?([0-9]*\.[0-9]+)\s*(nm)?", re.IGNORECASE
)
_ANODE = re.compile(r"anode\W{0,6}(Ag|Co|Cr|Cu|Fe|Mo)\b", re.IGNORECASE)
_TIME = re.compile(r"time\s*per\s*step[^0-9\n]{0,16}?([0-9]+\.?[0-9]*)", re.IGNORECASE)
_LEAST_ANGSTROM, _MOST_ANGSTROM = 0.05, 10.0
_ASSUMED_2THETA = "positions are 2θ in degrees"
_EITHER = (
    "its column '{}' may hold θ or 2θ, and nothing tells which: say so by --reader "
    "'{{name: columns, positions: two_theta}}', or positions: theta"
)


class Columns(Reader):
    """Text of two or three columns, such as XY, XYE, CSV and DAT files."""

    format = "columns"
    suffixes = (".xy", ".xye", ".csv", ".dat", ".txt", ".asc", ".tsv")

    def __init__(self, positions: Literal["two_theta", "theta"] | None = None) -> None:
        """Take what the user says of positions.

        Args:
            positions: What angles are, where a file does not say it or calls them theta, as
                programs do that mean 2θ.
        """
        self._positions = positions

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`.

        Raises:
            ValueError: A line is damaged, or nothing tells which columns are meant.
        """
        header, table, mark = _table(decode(content_of(path, _MOST_BYTES)))
        chosen = _chosen(_names(header, table.shape[1], mark), table.shape[1])
        if chosen.units == "degree":
            chosen = self._told(chosen)
        elif self._positions is not None:
            raise ValueError(
                f"its positions are {chosen.name}, not {self._positions}: leave `positions` out"
            )
        facts, notes = _facts(header, chosen)
        positions, values = table[:, chosen.position], table[:, chosen.value]
        if chosen.name == "theta":
            positions = 2 * positions
            notes.append("its positions are θ: 2θ is twice as much")
        name = "two_theta" if chosen.name == "theta" else chosen.name
        return CurveFile([Curve(positions, values, facts, name=name, units=chosen.units)], notes)

    def _told(self, chosen: "_Chosen") -> "_Chosen":
        """Angles as the user says they are.

        Raises:
            ValueError: Nothing says whether they are θ or 2θ.
        """
        if self._positions is not None:
            return replace(chosen, name=self._positions, named=True)
        if chosen.name == "theta":
            raise ValueError(_EITHER.format(chosen.heading))
        return chosen


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Which columns are meant.

    Attributes:
        position: Column of positions.
        value: Column of values.
        name: What positions are.
        units: Their units.
        scale: What values are.
        named: Whether the file says what positions are.
        heading: What the file calls them.
    """

    position: int
    value: int
    name: str = "two_theta"
    units: str = "degree"
    scale: Scale = "unknown"
    named: bool = False
    heading: str = ""


def _table(text: str) -> tuple[list[str], Float[np.ndarray, "n columns"], str]:
    """The lines before the points, the points, and what separates their columns.

    Raises:
        ValueError: A line among the points is none of them, or there are none.
    """
    header: list[str] = []
    rows: list[list[float]] = []
    mark = ""
    for place, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare:
            continue
        cells = None if bare.startswith(_COMMENTS) else _numbers(bare)
        if cells is not None and len(rows) == 1 and len(cells) != len(rows[0]):
            header.append(" ".join(map(str, rows.pop())))  # a line of numbers before the points
        if cells is not None and (not rows or len(cells) == len(rows[0])):
            rows.append(cells)
            mark = mark if len(rows) > 1 else _mark(bare)
        elif not rows or bare.startswith(_COMMENTS):
            header.append(bare)
        else:
            raise ValueError(
                f"line {place}, '{bare:.40}', is no point: expected {len(rows[0])} numbers, as in "
                "the lines before it"
            )
    if len(rows) < 2:
        raise ValueError("it holds no two lines of numbers: a position and what was measured there")
    return header, np.array(rows, dtype=np.float64), mark


def _numbers(line: str) -> list[float] | None:
    """The numbers of a line, if all of it is numbers, two or more."""
    mark = _mark(line)
    cells = _cells(line, mark)
    if len(cells) < 2:
        return None
    found = []
    for place, cell in enumerate(cells):
        text = cell.strip()
        if mark != "," and text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        if not text and place:
            found.append(np.nan)
            continue
        try:
            found.append(float(text))
        except ValueError:
            return None
    return found


def _mark(line: str) -> str:
    """What separates the cells of a line of numbers; "" for blanks."""
    found = next((mark for mark in (";", "\t") if mark in line), "")
    words = line.split()
    blanks = len(words) > 1 and not any(one.startswith(",") or one.endswith(",") for one in words)
    return found or ("" if blanks else ",")


def _cells(line: str, mark: str) -> list[str]:
    if not mark:
        return line.split()
    return next(csv.reader([line])) if mark == "," else line.rstrip(mark).split(mark)


def _chosen(names: Sequence[str], count: int) -> _Chosen:
    """Which columns are meant: by their names, or the first two of two or three.

    Raises:
        ValueError: Nothing tells.
    """
    kinds = [next((k for k, r in _POSITIONS.items() if r.fullmatch(one)), "") for one in names]
    positions = [place for place, kind in enumerate(kinds) if kind]
    values = [
        place for place, one in enumerate(names) if _VALUES.fullmatch(one) and not kinds[place]
    ]
    errors = [place for place, one in enumerate(names) if _ERRORS.fullmatch(one)]
    values = [place for place in values if place not in errors]
    if len(positions) == len(values) == 1:
        place, kind = positions[0], kinds[positions[0]]
        units = {"q": "1/nm" if "nm" in names[place] else "1/angstrom", "d": "angstrom"}
        counted = names[values[0]]
        scale: Scale = "counts" if "count" in counted else "unknown"
        if "cps" in counted or "counts per s" in counted or "counts/s" in counted:
            scale = "counts per second"
        return _Chosen(
            place,
            values[0],
            kind,
            units.get(kind, "degree"),
            scale,
            named=True,
            heading=names[place],
        )
    if count == 2 or (count == 3 and (not names or len(errors) == 1)):
        return _Chosen(0, 1)
    names_text = f", {', '.join(names)}," if names else ""
    raise ValueError(
        f"it has {count} columns{names_text} and nothing tells which are meant: expected a "
        "position and a value, or columns named two_theta and counts"
    )


def _names(header: Sequence[str], count: int, mark: str) -> list[str]:
    """The names of the columns, in lower case, if the last line before the points has them."""
    if not header:
        return []
    line = header[-1].lstrip("#;!%/* ").strip()
    splits = (_cells(line, mark), re.split(r"\s{2,}|\t", line)) if line else ()
    cells = next((cells for cells in splits if len(cells) == count), [])
    return [cell.strip().strip("\"'").lower() for cell in cells]


def _facts(header: Sequence[str], chosen: _Chosen) -> tuple[Facts, list[str]]:
    """What the lines before the points state."""
    text = "\n".join(header)
    wave, anode, time = _WAVELENGTH.search(text), _ANODE.search(text), _TIME.search(text)
    first = None
    if wave:
        first = float(wave[1]) * (10 if wave[2] else 1)
        first = first if _LEAST_ANGSTROM < first < _MOST_ANGSTROM else None
    beam = beam_of(anode[1] if anode else None, first)
    assumed = beam.pop("assumed", ())
    if not chosen.named:
        assumed = (*assumed, _ASSUMED_2THETA)
    facts = Facts(
        scale=chosen.scale,
        time_s=number(time[1]) if time else None,
        others=stated({"header": " / ".join(line[:60] for line in header[:3])}),
        assumed=assumed,
        **beam,
    )
    return facts, []
