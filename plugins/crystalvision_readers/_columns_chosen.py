"""Which columns of a text are meant, by what it calls them in the languages of instruments."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crystalvision.contracts import Scale

_POSITIONS = {
    "two_theta": re.compile(
        r"(2|two)[\s_·*-]*(theta|θ|th)\b.*|tth\b.*|2t\b.*|angle.*|x|pos.*"
        r"|winkel.*|[aá]ngulo.*|angolo.*|угол.*|.*角.*"
    ),
    "theta": re.compile(r"theta.*|θ.*"),
    "q": re.compile(r"q\b.*"),
    "d": re.compile(r"d([\s_-]?spacing)?\b.*"),
}
_VALUES = re.compile(
    r"(raw |obs\w* |observed )?(counts?|intensi[td]\w*|int|cps|signal|i|y|yobs|zählrate|impulse"
    r"|coups|cuentas|conteggi|интенсивность|强度|強度|计数)\b.*"
)
_ERRORS = re.compile(
    r"(e|err\w*|esd|sigma\w*|unc\w*|σ|fehler|ошибка|误差|誤差)\b.*"
    r"|.*\b(error|esd|sigma|uncertainty)\b.*"
)
_OTHERS = re.compile(
    r"(energ\w*|énergie|time|zeit|temps|tiempo|время|时间|temperatur\w*|température|omega|ω|chi|χ"
    r"|phi|φ|psi|ψ|raman|wave\s?n\w*|wavelength|wellenl\w*|frequen\w*|channel|kanal|pixel|depth"
    r"|distance|r)\b.*|.*[\[(/]\s*(k?ev|cm-?1|cm\^-1|1/cm|s|sec|min|k|°c|mm|[µu]m|k?hz|rad\w*)\W*"
)
_PER_SECOND = ("cps", "counts per s", "counts/s", "cts/s", "imp/s", "impulse/s")
_EITHER = (
    "its column '{}' may hold θ or 2θ, and nothing tells which: say so by --reader "
    "'{{name: columns, positions: two_theta}}', or positions: theta"
)
_NO_POSITION = (
    "its first column is '{}', where 2θ in degrees, q or d is expected; if it is 2θ all the same, "
    "say so by --reader '{{name: columns, positions: two_theta}}'"
)


@dataclass(frozen=True, slots=True)
class Chosen:
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


def chosen(names: Sequence[str], count: int, stated: str | None) -> Chosen:
    """Which columns are meant: by their names, or the first two of two or three.

    Args:
        names: Of the columns, in lower case, as far as the file has them.
        count: How many columns there are.
        stated: What the user says that angles are.

    Raises:
        ValueError: Nothing tells, or positions are of something else.
    """
    found = _named(names) or _first(names, count, stated)
    if found.units != "degree":
        if stated is not None:
            raise ValueError(f"its positions are {found.name}, not {stated}: leave `positions` out")
        return found
    if stated is not None:
        return replace(found, name=stated, named=True)
    if found.name == "theta":
        raise ValueError(_EITHER.format(found.heading))
    if found.named and re.search(r"\brad", found.heading):
        raise ValueError(_NO_POSITION.format(found.heading))
    return found


def _named(names: Sequence[str]) -> Chosen | None:
    """The one column of positions and the one of values, by their names."""
    kinds = [next((k for k, r in _POSITIONS.items() if r.fullmatch(one)), "") for one in names]
    positions = [place for place, kind in enumerate(kinds) if kind]
    values = [
        place
        for place, one in enumerate(names)
        if _VALUES.fullmatch(one) and not kinds[place] and not _ERRORS.fullmatch(one)
    ]
    if not len(positions) == len(values) == 1:
        return None
    place, kind = positions[0], kinds[positions[0]]
    units = {"q": "1/nm" if "nm" in names[place] else "1/angstrom", "d": "angstrom"}
    return Chosen(
        place,
        values[0],
        kind,
        units.get(kind, "degree"),
        _scale(names[values[0]]),
        named=True,
        heading=names[place],
    )


def _scale(heading: str) -> Scale:
    if any(one in heading for one in _PER_SECOND):
        return "counts per second"
    return "counts" if "count" in heading else "unknown"


def _first(names: Sequence[str], count: int, stated: str | None) -> Chosen:
    """The first two of two columns, or of three of which the last may be an error.

    Raises:
        ValueError: Nothing tells, or the first is called something else than positions.
    """
    errors = [one for one in names if _ERRORS.fullmatch(one)]
    if count == 2 or (count == 3 and (not names or len(errors) == 1)):
        if names and stated is None and _OTHERS.fullmatch(names[0]):
            raise ValueError(_NO_POSITION.format(names[0]))
        return Chosen(0, 1)
    names_text = f", {', '.join(names)}," if names else ""
    raise ValueError(
        f"it has {count} columns{names_text} and nothing tells which are meant: expected a "
        "position and a value, or columns named two_theta and counts"
    )


def names_of(header: Sequence[str], count: int, mark: str) -> list[str]:
    """The names of the columns, in lower case, if the last line before the points has them."""
    if not header:
        return []
    line = header[-1].lstrip("#;!%/* ").strip()
    splits = (cells_of(line, mark), re.split(r"\s{2,}|\t", line)) if line else ()
    cells = next((cells for cells in splits if len(cells) == count), [])
    names = [cell.strip().strip("\"'").lower() for cell in cells]
    return [] if any(_is_statement(one) for one in names) else names


def _is_statement(name: str) -> bool:
    """Whether a cell is of a line such as 'Time: 20s', which names no columns."""
    number = re.fullmatch(r"[-+.]?\d[\d.,]*\s*\w{0,3}", name)
    return name.endswith((":", "=")) or bool(number and not _POSITIONS["two_theta"].fullmatch(name))


def mark_of(line: str) -> str:
    """What separates the cells of a line of numbers; "" for blanks."""
    found = next((mark for mark in (";", "\t") if mark in line), "")
    words = line.split()
    blanks = len(words) > 1 and not any(one.startswith(",") or one.endswith(",") for one in words)
    return found or ("" if blanks else ",")


def cells_of(line: str, mark: str) -> list[str]:
    """The cells of a line."""
    if not mark:
        return line.split()
    return next(csv.reader([line])) if mark == "," else line.rstrip(mark).split(mark)
