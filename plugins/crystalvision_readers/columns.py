"""Columns of text: a position, what was measured there, and perhaps its error."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Facts, MeasuredFile, Reader
from crystalvision.measured_files import content_of
from crystalvision_readers._columns_chosen import Chosen, cells_of, chosen, mark_of, names_of
from crystalvision_readers._curves import Curve, CurveFile, beam_of, number, stated
from crystalvision_readers._text import decode

_MOST_BYTES = 2**25
_COMMENTS = ("#", ";", "!", "'", "/*", "*/", "//", "%")
_WAVELENGTH = re.compile(
    r"(?:wave\s*length|lambda)[^0-9\n]{0,24}?([0-9]*\.[0-9]+)\s*(nm)?", re.IGNORECASE
)
_ANODE = re.compile(r"anode\W{0,6}(Ag|Co|Cr|Cu|Fe|Mo)\b", re.IGNORECASE)
_TIME = re.compile(r"time\s*per\s*step[^0-9\n]{0,16}?([0-9]+\.?[0-9]*)", re.IGNORECASE)
_LEAST_ANGSTROM, _MOST_ANGSTROM = 0.05, 10.0
_LEAST_POINTS = 8  # of a scan
_ASSUMED_2THETA = "positions are 2θ in degrees"


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
        header, comments, table, mark = _table(decode(content_of(path, _MOST_BYTES)))
        count = table.shape[1]
        columns = chosen(names_of(header, count, mark), count, self._positions)
        facts, notes = _facts([*header, *comments], columns)
        positions, values = table[:, columns.position], table[:, columns.value]
        if columns.name == "theta":
            positions = 2 * positions
            notes.append("its positions are θ: 2θ is twice as much")
        name = "two_theta" if columns.name == "theta" else columns.name
        scans = scans_of(positions)
        if len(scans) > 1:
            notes.append(f"holds {len(scans)} scans, one below the other: each is a pattern")
        curves = [
            Curve(
                positions[scan],
                values[scan],
                facts,
                title=f"scan {number}" if len(scans) > 1 else "",
                name=name,
                units=columns.units,
            )
            for number, scan in enumerate(scans, 1)
        ]
        return CurveFile(curves, notes)


def scans_of(positions: Float[np.ndarray, "n"]) -> list[slice]:
    """Where each of several scans lies that are written one below the other.

    Each begins anew, and has more than half of its range in common with the first; whatever else is
    out of order is one scan.
    """
    whole = [slice(None)]
    steps = np.diff(positions)
    along = np.sign(np.median(steps))
    ends = [0, *(np.flatnonzero(steps * along < 0) + 1).tolist(), len(positions)]
    if not along or min(np.diff(ends)) < _LEAST_POINTS:
        return whole
    scans = [slice(first, last) for first, last in itertools.pairwise(ends)]
    lows, highs = (np.array([end(positions[scan]) for scan in scans]) for end in (np.min, np.max))
    shared = np.minimum(highs, highs[0]) - np.maximum(lows, lows[0])
    is_alike = shared > 0.5 * np.minimum(highs - lows, highs[0] - lows[0])
    return scans if is_alike.all() else whole


def _table(text: str) -> tuple[list[str], list[str], Float[np.ndarray, "n columns"], str]:
    """The lines before the points, comments among them, the points, and what separates columns.

    Raises:
        ValueError: A line among the points is none of them, or there are none.
    """
    header: list[str] = []
    comments: list[str] = []
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
            mark = mark if len(rows) > 1 else mark_of(bare)
        elif not rows:
            header.append(bare)
        elif bare.startswith(_COMMENTS):
            comments.append(bare)
        else:
            raise ValueError(
                f"line {place}, '{bare:.40}', is no point: expected {len(rows[0])} numbers, as in "
                "the lines before it"
            )
    if len(rows) < 2:
        raise ValueError("it holds no two lines of numbers: a position and what was measured there")
    return header, comments, np.array(rows, dtype=np.float64), mark


def _numbers(line: str) -> list[float] | None:
    """The numbers of a line, if all of it is numbers, two or more."""
    mark = mark_of(line)
    cells = cells_of(line, mark)
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


def _facts(header: Sequence[str], columns: Chosen) -> tuple[Facts, list[str]]:
    """What the lines before the points state."""
    text = "\n".join(header)
    wave, anode, time = _WAVELENGTH.search(text), _ANODE.search(text), _TIME.search(text)
    first = None
    if wave:
        first = float(wave[1]) * (10 if wave[2] else 1)
        first = first if _LEAST_ANGSTROM < first < _MOST_ANGSTROM else None
    beam = beam_of(anode[1] if anode else None, first)
    assumed = beam.pop("assumed", ())
    if not columns.named:
        assumed = (*assumed, _ASSUMED_2THETA)
    facts = Facts(
        scale=columns.scale,
        time_s=number(time[1]) if time else None,
        others=stated({"header": " / ".join(line[:60] for line in header[:3])}),
        assumed=assumed,
        **beam,
    )
    return facts, []
