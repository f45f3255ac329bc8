"""Atoms of another element."""

from operator import add

import numpy as np

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import (
    atomic_number,
    check_fraction,
    rounded_by_chance,
)


class Substitution(Defect):
    """Atoms replaced at random by those of another element, an exact number of them.

    The number is the fraction times the atoms that may be replaced, rounded by chance so that its
    mean is exact. `substitution_fraction` is what was replaced, over all atoms of the crystal.
    """

    measures = (Measure("substitution_fraction", "1", "measured: atoms replaced, over all", add),)

    def __init__(self, fraction: float, replacement: str, element: str | None = None) -> None:
        """Make the defect.

        Args:
            fraction: Part of the atoms to replace, 0 to 1.
            replacement: Symbol of the element that takes their place.
            element: Symbol of the only element to replace; by default any atom that is not of the
                replacement's element.

        Raises:
            InputError: The fraction is outside [0, 1], there is no such element, or an element is
                to be replaced by itself.
        """
        self.fraction = check_fraction("fraction", fraction)
        self.replacement = replacement
        self._new = atomic_number("replacement", replacement)
        self.element = element
        self._old = None if element is None else atomic_number("element", element)
        if self._old == self._new:
            raise InputError(
                f"element and replacement are both {element}; expected two different elements"
            )

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Replace the atoms.

        Raises:
            InputError: The crystal has no atom that may be replaced.
        """
        if self._old is None:
            candidates = np.flatnonzero(crystal.numbers != self._new)
        else:
            candidates = np.flatnonzero(crystal.numbers == self._old)
        if not len(candidates):
            what = self.element or f"atoms but {self.replacement}"
            raise InputError(f"substitution: the crystal has no {what} to replace")
        count = rounded_by_chance(self.fraction * len(candidates), rng)
        numbers = crystal.numbers.copy()
        numbers[rng.choice(candidates, size=count, replace=False)] = self._new
        return DefectiveCrystal(
            crystal.with_atoms(crystal.positions, numbers),
            {"substitution_fraction": count / len(crystal)},
        )
