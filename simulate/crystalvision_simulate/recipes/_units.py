"""Columns for numbers that a recipe draws."""

import re

from crystalvision.contracts import Measure

# The longest suffix that fits says the units.
_UNITS = {
    "_inv_angstrom2": "1/angstrom^2",
    "_inv_angstrom": "1/angstrom",
    "_electrons_per_angstrom2": "electron/angstrom^2",
    "_counts_per_electron": "count/electron",
    "_angstrom2": "angstrom^2",
    "_angstrom": "angstrom",
    "_electrons": "electron",
    "_counts": "count",
    "_kelvin": "K",
    "_kev": "keV",
    "_mrad": "mrad",
    "_rad": "rad",
    "_deg": "degree",
    "_px": "pixel",
}


def column_of_option(part: str, option: str) -> Measure:
    """The column `PART_OPTION` of an option of which its part does not say more.

    Its units are those that the option's name ends with.
    """
    name = re.sub(r"\W+", "_", f"{part}_{option}")
    if not name[0].isalpha():
        name = f"of_{name}"
    fitting = [suffix for suffix in _UNITS if f"_{option}".endswith(suffix)]
    units = _UNITS[max(fitting, key=len)] if fitting else "1"
    return Measure(name, units, f"drawn: {option} of {part}")
