"""Missing atoms."""

import numpy as np

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import (
    atomic_number,
    check_fraction,
    rounded_by_chance,
)
from crystalvision_simulate.defects._degree import of_those_left


class Vacancy(Defect):
    """Atoms missing at random, an exact number of them.

    The number is the fraction times the atoms that may go, rounded by chance so that its mean is
    exact. `vacancy_fraction` is what was removed, over all atoms of the crystal.
    """

    measures = (
        Measure(
            "vacancy_fraction",
            "1",
            "measured: atoms removed, over those that were there",
            of_those_left,
        ),
    )

    def __init__(self, fraction: float, element: str | None = None) -> None:
        """Make the defect.

        Args:
            fraction: Part of the atoms to remove, 0 to 1.
            element: Symbol of the only element to remove; by default any atom may go.

        Raises:
            InputError: The fraction is outside [0, 1], or there is no such element.
        """
        self.fraction = check_fraction("fraction", fraction)
        self.number = None if element is None else atomic_number("element", element)
        self.element = element

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Remove the atoms.

        Raises:
            InputError: The crystal has none of the element, or no atom would be left.
        """
        candidates = np.arange(len(crystal))
        if self.number is not None:
            candidates = np.flatnonzero(crystal.numbers == self.number)
            if not len(candidates):
                raise InputError(f"vacancy: the crystal has no {self.element} atoms to remove")
        count = rounded_by_chance(self.fraction * len(candidates), rng)
        if count >= len(crystal):
            raise InputError(f"vacancy: fraction {self.fraction} leaves no atom in the crystal")
        keep = np.ones(len(crystal), dtype=bool)
        keep[rng.choice(candidates, size=count, replace=False)] = False
        return DefectiveCrystal(
            crystal.with_atoms(crystal.positions[keep], crystal.numbers[keep]),
            {"vacancy_fraction": count / len(crystal)},
        )
