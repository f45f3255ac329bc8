"""Atoms of another element."""

from collections.abc import Sequence
from operator import add

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
from crystalvision_simulate.defects._parents import ideal_cell
from crystalvision_simulate.defects._relaxation import check_moves, relaxed


class Substitution(Defect):
    """Atoms replaced by those of another element: an exact number at random, or an ordered array.

    At random, the number is the fraction times the atoms that may be replaced, rounded by chance so
    that its mean is exact. `substitution_fraction` is what was replaced, over all atoms.
    """

    measures = (Measure("substitution_fraction", "1", "measured: atoms replaced, over all", add),)

    def __init__(
        self,
        fraction: float,
        replacement: str,
        element: str | None = None,
        order: Order = "random",
        relaxation_angstrom: Sequence[float] = (),
    ) -> None:
        """Make the defect.

        Args:
            fraction: Part of the atoms to replace, 0 to 1.
            replacement: Symbol of the element that takes their place.
            element: Symbol of the only element to replace; by default any atom that is not of the
                replacement's element.
            order: Whether sites are drawn at `random`, or one and the same in each supercell of
                n × n × n unit cells (`periodic`); then the fraction is 1 over its atoms.
            relaxation_angstrom: How far the first, second, ... shell of neighbours of each moves
                [Å], positive away from it; by default none does.

        Raises:
            InputError: The fraction is outside [0, 1], there is no such element, an
                element is to be replaced by itself, or a neighbour would leave its site.
        """
        self.fraction = check_fraction("fraction", fraction)
        self.order = order
        self.relaxation_angstrom = check_moves(relaxation_angstrom, "substitution")
        self.replacement = replacement
        self._new = atomic_number("replacement", replacement)
        self.element = element
        self._old = None if element is None else atomic_number("element", element)
        if self._old == self._new:
            raise InputError(
                f"element and replacement are both {element}; expected two different elements"
            )

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Replace the atoms, and relax their neighbours.

        Raises:
            InputError: The crystal has no atom that may be replaced, or the array asked for does
                not fit.
        """
        if self._old is None:
            candidates = np.flatnonzero(crystal.numbers != self._new)
        else:
            candidates = np.flatnonzero(crystal.numbers == self._old)
        if not len(candidates):
            what = self.element or f"atoms but {self.replacement}"
            raise InputError(f"substitution: the crystal has no {what} to replace")
        chosen = self._chosen(crystal, candidates, rng)
        numbers = crystal.numbers.copy()
        numbers[chosen] = self._new
        replaced = crystal.with_atoms(crystal.positions, numbers)
        return DefectiveCrystal(
            relaxed(replaced, crystal.positions[chosen], self.relaxation_angstrom),
            {"substitution_fraction": len(chosen) / len(crystal)},
        )

    def _chosen(
        self, crystal: Crystal, candidates: Int[np.ndarray, "m"], rng: np.random.Generator
    ) -> Int[np.ndarray, "k"]:
        """Which atoms are replaced."""
        if self.order == "periodic":
            cell = ideal_cell(parent_of(crystal, "substitution"))
            sites = of_element(cell, self._old)
            places = array_sites(crystal, sites, len(sites), self.fraction, rng, "substitution")
            return atoms_at(crystal, places, candidates)
        count = rounded_by_chance(self.fraction * len(candidates), rng)
        chosen: Int[np.ndarray, "k"] = rng.choice(candidates, size=count, replace=False)
        return chosen
