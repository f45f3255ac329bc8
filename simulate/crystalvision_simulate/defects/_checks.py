"""What every defect asks of its numbers and of the crystal that it is put into."""

import numpy as np

from crystalvision.contracts import Crystal, Parent
from crystalvision.errors import InputError


def check_fraction(name: str, value: float) -> float:
    """Return a fraction in [0, 1].

    Raises:
        InputError: It is outside.
    """
    if not 0 <= value <= 1:
        raise InputError(f"{name} is {value}; expected a fraction from 0 to 1")
    return value


def check_not_negative(name: str, value: float) -> float:
    """Return a finite number that is not negative.

    Raises:
        InputError: It is negative or not finite.
    """
    if not (np.isfinite(value) and value >= 0):
        raise InputError(f"{name} is {value}; expected a number that is not negative")
    return value


def check_poisson_ratio(value: float) -> float:
    """Return a Poisson's ratio that an isotropic body can have.

    Raises:
        InputError: It is none.
    """
    if not -1 < value <= 0.5:
        raise InputError(f"poisson_ratio is {value}; expected -1 to 0.5")
    return value


def atomic_number(name: str, symbol: str) -> int:
    """Atomic number of an element.

    Raises:
        InputError: There is no such element.
    """
    from ase.data import atomic_numbers

    if symbol not in atomic_numbers or atomic_numbers[symbol] == 0:
        raise InputError(f"{name} is '{symbol}'; expected a chemical symbol such as Si")
    return int(atomic_numbers[symbol])


def rounded_by_chance(expected: float, rng: np.random.Generator) -> int:
    """A whole number whose mean is exactly `expected`."""
    return int(expected) + int(rng.random() < expected - int(expected))


def parent_of(crystal: Crystal, defect: str) -> Parent:
    """The ideal crystal that a crystal was cut from.

    Raises:
        InputError: It was not cut from one.
    """
    if crystal.parent is None:
        raise InputError(
            f"{defect}: the crystal does not say what it was cut from, so [uvw] and (hkl) mean "
            "nothing; cut it with SlabCutter or CrystalCutter first"
        )
    return crystal.parent


def refuse_periodic(crystal: Crystal, defect: str) -> None:
    """Refuse a crystal that repeats across the beam.

    Raises:
        InputError: It does.
    """
    if crystal.periodic[:2].any():
        raise InputError(
            f"{defect}: the crystal repeats across the beam and this defect does not; cut it for "
            "an aperture instead (set specimen.aperture_diameter_angstrom)"
        )
