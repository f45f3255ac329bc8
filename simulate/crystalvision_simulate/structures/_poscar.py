"""Crystals from VASP's files, whose older kind does not name the elements."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from crystalvision.errors import InputError
from crystalvision_simulate.structures._elements import elements, heavy_hydrogen

_NAMES = ("*POSCAR*", "*CONTCAR*", "*CENTCAR*", "*.vasp", "*.poscar", "CHGCAR*", "LOCPOT*", "CHG",
          "AECCAR*", "ELFCAR*", "PARCHG*")  # fmt: skip
_WORD = re.compile(r"(?:[A-Z][a-z]?\d*)+")
_PART = re.compile(r"(?P<element>[A-Z][a-z]?)(?P<count>\d*)")
_WRITE = "write the elements, such as 'Si N', as a line of their own above the numbers of atoms"
_MOST_ATOMS = 1_000_000


@dataclass(frozen=True, slots=True)
class Poscar:
    """A POSCAR that names its elements.

    Attributes:
        text: What pymatgen reads.
        assumed: What was assumed.
    """

    text: str
    assumed: tuple[str, ...] = ()


def is_poscar(name: str) -> bool:
    """Whether VASP gives such names to its files."""
    return any(fnmatch(name, pattern) for pattern in _NAMES)


def with_elements(text: str) -> Poscar:
    """A POSCAR with its elements above the numbers of atoms, from where it names them.

    Where it does so neither there nor behind the coordinates, as with VASP 4, they are taken from
    the comment if that is a list of as many elements.

    Raises:
        InputError: It names no elements, or others than there are numbers of atoms, or it has more
            coordinates than atoms, or fewer.
    """
    lines = [line.split("!")[0].split("#")[0].rstrip() for line in text.splitlines()]
    lines[:1] = text.splitlines()[:1]
    if len(lines) < 8:
        raise InputError("not a POSCAR: it has fewer than 8 lines")
    place, symbols = _symbols(lines)
    counts, place = _counts(lines, place, len(symbols))
    start = place + (2 if _first(lines, place) in {"s", "S"} else 1)
    if start > len(lines):
        raise InputError("not a POSCAR: it ends before the coordinates of its atoms")
    behind = _behind(lines, start, sum(counts), selective=start == place + 2)
    assumed: tuple[str, ...] = ()
    if not symbols and behind:
        symbols, counts = behind, [1] * len(behind)
    elif not symbols:
        symbols = _from_comment(lines[0], counts)
        names = " ".join(symbols)
        assumed = (f"elements {names} are from the first line; line 6 names none, as in VASP 4",)
    elif behind and behind != [s for s, n in zip(symbols, counts, strict=True) for _ in range(n)]:
        raise InputError("the elements behind the coordinates contradict those above the numbers")
    heavy = {symbol: heavy_hydrogen(symbol) for symbol in symbols}
    assumptions = tuple(
        f"{name} ({symbol}) scatters as the element does" for symbol, name in heavy.items() if name
    )
    head = [*lines[:5], " ".join(symbols), " ".join(map(str, counts))]
    return Poscar(
        "\n".join([*head, *lines[place : start + sum(counts)]]) + "\n", (*assumed, *assumptions)
    )


def _symbols(lines: Sequence[str]) -> tuple[int, list[str]]:
    """Where the numbers of atoms begin, and the elements above them, if those are there."""
    place, symbols = 5, []
    while place < len(lines) and lines[place].strip() and not _numeric(lines[place]):
        for word in lines[place].split():
            symbol = word.split("/")[0].split("_")[0]
            if symbol not in elements():
                raise InputError(
                    f"line {place + 1} should name the elements or count the atoms, but "
                    f"'{word[:20]}' is no element"
                )
            symbols.append(symbol)
        place += 1
    return place, symbols


def _counts(lines: Sequence[str], place: int, expected: int) -> tuple[list[int], int]:
    """The numbers of atoms, and where the line below them is."""
    counts: list[int] = []
    while place < len(lines) and lines[place].strip() and _numeric(lines[place]):
        counts += [int(word) for word in lines[place].split()]
        place += 1
    if not counts or not 0 < sum(counts) <= _MOST_ATOMS or (expected and len(counts) != expected):
        raise InputError(
            f"it names {expected or 'no'} elements and gives {len(counts)} numbers of atoms"
            f"{f' ({sum(counts)} atoms)' if counts else ''}; expected one for each"
        )
    return counts, place


def _behind(lines: Sequence[str], start: int, count: int, *, selective: bool) -> list[str]:
    """The elements behind the coordinates, if every line has one."""
    rows = [line.split() for line in lines[start : start + count]]
    if len(rows) < count or not all(_coordinates(row) for row in rows):
        found = next((at for at, row in enumerate(rows) if not _coordinates(row)), len(rows))
        raise InputError(f"it counts {count} atoms, but has coordinates of {found}")
    if start + count < len(lines) and _coordinates(lines[start + count].split()):
        raise InputError(f"it counts {count} atoms, but has coordinates of more")
    at = 6 if selective else 3
    symbols = [row[at].split("/")[0].split("_")[0] if len(row) > at else "" for row in rows]
    return symbols if all(symbol in elements() for symbol in symbols) else []


def _from_comment(comment: str, counts: Sequence[int]) -> list[str]:
    words = comment.split()
    if words and all(_WORD.fullmatch(word) for word in words):
        parts = [part for word in words for part in _PART.finditer(word)]
        symbols = [part["element"] for part in parts]
        if len(symbols) == len(counts) and all(symbol in elements() for symbol in symbols):
            stated = [part["count"] for part in parts]
            if not any(stated) or _proportional([int(n or 1) for n in stated], counts):
                return symbols
    raise InputError(f"it names no elements, as files of VASP 4 do not; {_WRITE}")


def _proportional(one: Sequence[int], other: Sequence[int]) -> bool:
    return all(a * other[0] == b * one[0] for a, b in zip(one, other, strict=True))


def _numeric(line: str) -> bool:
    return all(word.isascii() and word.isdigit() and len(word) < 9 for word in line.split())


def _coordinates(words: Sequence[str]) -> bool:
    try:
        return len([float(word) for word in words[:3]]) == 3
    except ValueError:
        return False


def _first(lines: Sequence[str], place: int) -> str:
    return lines[place].strip()[:1] if place < len(lines) else ""
