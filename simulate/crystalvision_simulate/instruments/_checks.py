"""What the options of the area detector may be."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from crystalvision.errors import InputError

_MTF_REACH = 1.5  # Nyquist frequencies; the corner of the spectrum is at 1.41


def check_positive(name: str, value: float, greatest: float) -> None:
    """Check that a number is above 0, and at most `greatest`.

    Raises:
        InputError: It is not.
    """
    if not value > 0:
        raise InputError(f"{name} is {value:g}; expected more than 0")
    check_between(name, value, 0, greatest)


def check_between(name: str, value: float, least: float, greatest: float) -> None:
    """Check that a number is in a range.

    Raises:
        InputError: It is not.
    """
    if not least <= value <= greatest:
        raise InputError(f"{name} is {value:g}; expected {least:g} to {greatest:g}")


def check_mtf(mtf: Sequence[tuple[float, float]]) -> None:
    """Check that a table is an MTF that a detector of square pixels can have.

    Raises:
        InputError: It is none.
    """
    frequencies = [frequency for frequency, _ in mtf]
    rising = all(low < high for low, high in pairwise(frequencies))
    if tuple(mtf[0]) != (0.0, 1.0) or not rising or not 1 <= frequencies[-1] <= _MTF_REACH:
        listed = ", ".join(f"[{frequency:g}, {value:g}]" for frequency, value in mtf)
        raise InputError(
            f"mtf is [{listed}]; expected rising frequencies, from [0, 1] to between 1 and "
            f"{_MTF_REACH:g} Nyquist frequencies"
        )
    for frequency, value in mtf:
        perfect = float(np.sinc(frequency / 2))
        if not 0 <= value <= perfect + 1e-3:
            raise InputError(
                f"mtf is {value:g} at {frequency:g} of the Nyquist frequency; expected 0 to "
                f"{perfect:.3f}, that of a perfect pixel"
            )
