"""What element an atom site is of, from its type symbol or its label."""

import re
from collections.abc import Collection
from functools import cache

from crystalvision.errors import InputError

_TYPE = re.compile(
    r"(?P<element>[A-Za-z]{1,2})(?:\s*(?:\d*\.?\d*[+-]|[+-]\d*\.?\d*|\d+|\(\w*[+-]?\w*\))?\.?)"
)
_WATER = re.compile(r"[HD][23]O", re.IGNORECASE)
_LETTERS = re.compile(r"[A-Za-z]+")
_HEAVY_HYDROGEN = {"D": "deuterium"}


@cache
def elements() -> dict[str, int]:
    """Atomic number of every element, by its symbol; D stands for hydrogen."""
    from ase.data import chemical_symbols

    known = {symbol: number for number, symbol in enumerate(chemical_symbols) if number > 0}
    return {**known, "D": 1}


def symbol_of(number: int) -> str:
    """The symbol of an element."""
    from ase.data import chemical_symbols

    return str(chemical_symbols[number])


def element_of(label: str, type_symbol: str | None, formula: Collection[int]) -> str:
    """The symbol of a site's element.

    Args:
        label: The site's label, such as `Si1`.
        type_symbol: Its type symbol, such as `Si4+`; `None` where the file has none.
        formula: Atomic numbers in the file's formula, where it states one; they decide between
            readings of a label in capitals.

    Raises:
        InputError: It names no element, or it may be one of two.
    """
    if type_symbol is not None:
        return _of_type(label, type_symbol)
    letters = _LETTERS.match(label.lstrip("'\" "))
    known = elements()
    text = letters.group() if letters and not _WATER.match(label) else ""
    if text in known:
        return text
    readings = [each for each in (text[:2].title(), text[:1].upper()) if each in known]
    if len(text) == 2 and text.isupper() and len(readings) == 1 and readings[0] == text.title():
        return readings[0]
    in_formula = [each for each in readings if known[each] in formula]
    if len(in_formula) == 1:
        return in_formula[0]
    raise InputError(
        f"the label '{label[:20]}' does not say which element the site is of; add "
        "_atom_site_type_symbol, such as Si or O"
    )


def _of_type(label: str, text: str) -> str:
    match = _TYPE.fullmatch(text.strip())
    symbol = match["element"].title() if match else ""
    if symbol in elements():
        return symbol
    raise InputError(
        f"site '{label[:20]}' has the type symbol '{text[:20]}', which is no element; write one "
        "such as Si or O (for a group such as OH, a site for each of its atoms; a dummy site must "
        "go)"
    )


def heavy_hydrogen(symbol: str) -> str | None:
    """The name of the isotope that a symbol stands for, if it does."""
    return _HEAVY_HYDROGEN.get(symbol)
