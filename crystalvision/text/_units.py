"""Units and axes as people write them."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the contracts read text, too
    from crystalvision.contracts import Axis

_WHOLE = {
    "1": "",
    "electron/angstrom^2": "electrons/Å²",
    "count/electron": "counts/electron",
    "count": "counts",
    "electron": "electrons",
    "pixel": "px",
}
_WORDS = {"angstrom": "Å", "degree": "°", "micrometre": "µm", "nanometre": "nm"}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SYMBOLS = {
    "two_theta": "2θ",
    "theta": "θ",
    "omega": "ω",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "lambda": "λ",
}


def unit_text(units: str) -> str:
    """Units as they are written in text, `1/Å` of `1/angstrom`; "" for a pure number."""
    if units in _WHOLE:
        return _WHOLE[units]
    written = re.sub(r"[A-Za-z]+", lambda word: _WORDS.get(word[0], word[0]), units)
    return re.sub(r"\^(-?\d+)", lambda power: power[1].translate(_SUPERSCRIPTS), written)


def quantity_text(value: float, units: str, digits: int = 6) -> str:
    """A value with its units, `0.05 1/Å` or `0.02°`."""
    unit = unit_text(units)
    return f"{value:.{digits}g}{'' if unit == '°' else ' '}{unit}".strip()


def axis_symbol(name: str) -> str:
    """The name of an axis as it is written in text, `2θ` of `two_theta`."""
    return _SYMBOLS.get(name, name)


def axis_label(axis: "Axis") -> str:
    """What stands at an axis of a figure, `2θ [°]`."""
    unit = unit_text(axis.units)
    return f"{axis_symbol(axis.name)} [{unit}]" if unit else axis_symbol(axis.name)
