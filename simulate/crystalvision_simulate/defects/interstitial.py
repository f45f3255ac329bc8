"""Atoms between the sites of the lattice."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure
from crystalvision.errors import InputError
from crystalvision_simulate.defects._arrays import Order, array_sites
from crystalvision_simulate.defects._checks import (
    atomic_number,
    check_fraction,
    parent_of,
    rounded_by_chance,
)
from crystalvision_simulate.defects._degree import of_those_there
from crystalvision_simulate.defects._holes import equivalent_sites, largest_holes
from crystalvision_simulate.defects._neighbours import choose_apart
from crystalvision_simulate.defects._parents import (
    ideal_cell,
    nearest_neighbour_angstrom,
    sites_of,
)
from crystalvision_simulate.defects._relaxation import check_moves, relaxed


class Interstitial(Defect):
    """Atoms added to sites that the lattice leaves empty: at random, or in an ordered array.

    Where a twin, strain or dislocations have turned or moved the lattice, its empty sites went with
    it.

    `interstitial_fraction` is what was added, over the atoms that were there.
    """

    measures = (
        Measure(
            "interstitial_fraction",
            "1",
            "measured: atoms added, over those that were there",
            of_those_there,
        ),
    )

    def __init__(
        self,
        fraction: float,
        element: str,
        site: tuple[float, float, float] | None = None,
        smallest_distance_fraction: float = 0.5,
        order: Order = "random",
        relaxation_angstrom: Sequence[float] = (),
    ) -> None:
        """Make the defect.

        Args:
            fraction: Atoms to add, as a part of those that are there, 0 to 1.
            element: Symbol of their element.
            site: Fractional coordinates of the site in the unit cell; it stands for all that the
                symmetry of the crystal makes of it. By default the largest holes of the lattice:
                those of a face-centred cubic metal are the octahedral ones, (½, ½, ½).
            smallest_distance_fraction: No atom is added nearer to another than this fraction of the
                shortest distance between atoms of the ideal crystal, before neighbours relax.
            order: Whether sites are drawn at `random`, or one and the same in each supercell of
                n × n × n unit cells (`periodic`); then the fraction is 1 over its atoms.
            relaxation_angstrom: How far the first, second, ... shell of neighbours of each moves
                [Å], positive away from it; by default none does.

        Raises:
            InputError: A fraction is outside [0, 1], there is no such element, or a
                neighbour would leave its site.
        """
        self.fraction = check_fraction("fraction", fraction)
        self.order = order
        self.relaxation_angstrom = check_moves(relaxation_angstrom, "interstitial")
        self.element = element
        self._number = atomic_number("element", element)
        self.site = site
        self.smallest_distance_fraction = check_fraction(
            "smallest_distance_fraction", smallest_distance_fraction
        )

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Add the atoms, and relax their neighbours.

        Raises:
            InputError: The crystal does not know what it was cut from, it has fewer free sites than
                there are atoms to add, or the array asked for does not fit.
        """
        places = self._places(crystal, rng)
        if not len(places):
            return DefectiveCrystal(crystal, {"interstitial_fraction": 0.0})
        numbers = np.full(len(places), self._number, dtype=crystal.numbers.dtype)
        filled = crystal.with_atoms(
            np.concatenate([crystal.positions, places]),
            np.concatenate([crystal.numbers, numbers]),
        )
        return DefectiveCrystal(
            relaxed(filled, places, self.relaxation_angstrom),
            {"interstitial_fraction": len(places) / len(crystal)},
        )

    def _places(self, crystal: Crystal, rng: np.random.Generator) -> Float[np.ndarray, "k 3"]:
        """Where atoms are added [Å]."""
        if self.order == "periodic":
            cell = ideal_cell(parent_of(crystal, "interstitial"))
            found = array_sites(
                crystal, self._holes(cell), len(cell), self.fraction, rng, "interstitial"
            )
            return self._apart(crystal, found, len(found))
        count = rounded_by_chance(self.fraction * len(crystal), rng)
        if count == 0:
            return np.empty((0, 3))
        parent = parent_of(crystal, "interstitial")
        holes = self._holes(ideal_cell(parent))
        sites, _ = sites_of(parent, holes, np.zeros(3), np.diag(crystal.cell))
        return self._apart(crystal, sites[rng.permutation(len(sites))], count)

    def _holes(self, unit_cell: Crystal) -> Crystal:
        if self.site is None:
            return largest_holes(unit_cell)
        return equivalent_sites(unit_cell, self.site)

    def _apart(
        self, crystal: Crystal, sites: Float[np.ndarray, "m 3"], count: int
    ) -> Float[np.ndarray, "k 3"]:
        """The first sites that are far enough from every atom and each other."""
        allowed = self.smallest_distance_fraction * nearest_neighbour_angstrom(crystal)
        chosen = choose_apart(crystal, sites, count, allowed) if count else sites
        if len(chosen) < count:
            raise InputError(
                f"interstitial: {count} atoms to add, but only {len(chosen)} of {len(sites)} sites "
                f"lie {allowed:.2f} Å or more from every atom and each other; lower fraction or "
                "smallest_distance_fraction, or choose another site"
            )
        return chosen
