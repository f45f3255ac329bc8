"""Missing atoms."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure
from crystalvision.errors import InputError
from crystalvision_simulate.defects._arrays import (
    Order,
    array_sites,
    atoms_at,
    of_element,
)
from crystalvision_simulate.defects._checks import (
    atomic_number,
    check_fraction,
    parent_of,
    rounded_by_chance,
)
from crystalvision_simulate.defects._degree import of_those_left
from crystalvision_simulate.defects._parents import ideal_cell
from crystalvision_simulate.defects._relaxation import check_moves, relaxed


class Vacancy(Defect):
    """Missing atoms: an exact number of them at random, or an ordered array.

    At random, the number is the fraction times the atoms that may go, rounded by chance so that its
    mean is exact. `vacancy_fraction` is what was removed, over all atoms of the crystal.
    """

    measures = (
        Measure(
            "vacancy_fraction",
            "1",
            "measured: atoms removed, over those that were there",
            of_those_left,
        ),
    )

    def __init__(
        self,
        fraction: float,
        element: str | None = None,
        order: Order = "random",
        relaxation_angstrom: Sequence[float] = (),
    ) -> None:
        """Make the defect.

        Args:
            fraction: Part of the atoms to remove, 0 to 1.
            element: Symbol of the only element to remove; by default any atom may go.
            order: Whether sites are drawn at `random`, or one and the same in each supercell of
                n × n × n unit cells (`periodic`); then the fraction is 1 over its atoms.
            relaxation_angstrom: How far the first, second, ... shell of neighbours of each moves
                [Å], positive away from it; by default none does.

        Raises:
            InputError: The fraction is outside [0, 1], there is no such element, or a
                neighbour would leave its site.
        """
        self.fraction = check_fraction("fraction", fraction)
        self.order = order
        self.relaxation_angstrom = check_moves(relaxation_angstrom, "vacancy")
        self.number = None if element is None else atomic_number("element", element)
        self.element = element

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Remove the atoms, and relax their neighbours.

        Raises:
            InputError: The crystal has none of the element, no atom would be left, or the array
                asked for does not fit.
        """
        candidates = np.arange(len(crystal))
        if self.number is not None:
            candidates = np.flatnonzero(crystal.numbers == self.number)
            if not len(candidates):
                raise InputError(f"vacancy: the crystal has no {self.element} atoms to remove")
        gone = self._gone(crystal, candidates, rng)
        keep = np.ones(len(crystal), dtype=bool)
        keep[gone] = False
        left = crystal.with_atoms(crystal.positions[keep], crystal.numbers[keep])
        return DefectiveCrystal(
            relaxed(left, crystal.positions[gone], self.relaxation_angstrom),
            {"vacancy_fraction": len(gone) / len(crystal)},
        )

    def _gone(
        self, crystal: Crystal, candidates: Int[np.ndarray, "m"], rng: np.random.Generator
    ) -> Int[np.ndarray, "k"]:
        """Which atoms are removed."""
        if self.order == "periodic":
            cell = ideal_cell(parent_of(crystal, "vacancy"))
            sites = of_element(cell, self.number)
            places = array_sites(crystal, sites, len(sites), self.fraction, rng, "vacancy")
            return atoms_at(crystal, places, candidates)
        count = rounded_by_chance(self.fraction * len(candidates), rng)
        if count >= len(crystal):
            raise InputError(f"vacancy: fraction {self.fraction} leaves no atom in the crystal")
        gone: Int[np.ndarray, "k"] = rng.choice(candidates, size=count, replace=False)
        return gone
