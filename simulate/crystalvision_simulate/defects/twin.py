"""Twins: parts of a crystal of which one is the mirror image of the other."""

from math import gcd
from typing import Literal

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure, Parent
from crystalvision.errors import InputError
from crystalvision_simulate.defects._boundary import (
    TOO_NEAR,
    best_height,
    in_parts,
    is_symmetry,
    without_doubles,
)
from crystalvision_simulate.defects._checks import parent_of, refuse_periodic
from crystalvision_simulate.defects._degree import of_those_left
from crystalvision_simulate.defects._neighbours import shortest_distance_angstrom
from crystalvision_simulate.defects._parents import (
    TwinnedParent,
    ideal_cell,
    ideal_parent,
    sites_of,
)


class Twin(Defect):
    """A twin boundary: beyond a plane (hkl), the crystal is the mirror image of what lies before.

    The plane lies where it breaks the fewest bonds: in a face-centred cubic metal on a (111) plane
    of atoms, which both parts share; in silicon in the middle of the bonds across. Of two atoms of
    different parts that lie within 0.7 of the shortest distance, one is left out. The boundary is
    not relaxed. `twin_fraction` is the part of the atoms that lie in the twin.
    """

    stage = "lattice"
    measures = (
        Measure("twin_fraction", "1", "measured: atoms in the twin, over all", of_those_left),
    )

    def __init__(
        self,
        plane: tuple[int, int, int] = (1, 1, 1),
        offset_angstrom: float = 0.0,
        lamella_thickness_angstrom: float | None = None,
        kind: Literal["reflection", "rotation"] = "reflection",
    ) -> None:
        """Make the defect.

        Args:
            plane: Indices (hkl) of the twin plane.
            offset_angstrom: Distance of the boundary from the middle of the crystal along the
                plane's normal [Å], met as nearly as the layers allow.
            lamella_thickness_angstrom: Where the twin ends again, at a second boundary [Å]; by
                default it reaches to the edge of the crystal.
            kind: A `reflection` across the plane, or a `rotation` by 180° about its normal; they
                are the same where the crystal has a centre of symmetry.

        Raises:
            InputError: The plane is (000), or a lamella has no thickness.
        """
        if not any(plane):
            raise InputError("plane is [0, 0, 0]; expected indices (hkl) such as [1, 1, 1]")
        if lamella_thickness_angstrom is not None and not lamella_thickness_angstrom > 0:
            raise InputError(
                f"lamella_thickness_angstrom is {lamella_thickness_angstrom}; expected more than 0"
            )
        divisor = gcd(*plane)
        self.plane = plane
        self._reduced = (plane[0] // divisor, plane[1] // divisor, plane[2] // divisor)
        self.offset_angstrom = offset_angstrom
        self.lamella_thickness_angstrom = lamella_thickness_angstrom
        self.kind = kind

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Fill one side of the boundary, or the lamella, with the twin.

        Raises:
            InputError: The crystal repeats across the beam, does not know what it was cut from, is
                twinned already, or does not reach to the boundary; its mirror image is itself; or
                a lamella is thinner than one layer.
        """
        refuse_periodic(crystal, "twin")
        parent = parent_of(crystal, "twin")
        if isinstance(ideal_parent(parent), TwinnedParent):
            raise InputError(
                "twin: this crystal is twinned already, and a second twin would take the place of "
                "the first; give a class one twin, with lamella_thickness_angstrom for a lamella"
            )
        if is_symmetry(parent.unit_cell, self._reduced, self.kind):
            what = "a mirror plane" if self.kind == "reflection" else "normal to a twofold axis"
            raise InputError(
                f"twin: plane {list(self.plane)} is {what} of this crystal, so the twin would be "
                "the same crystal; choose another plane"
            )
        box = np.diag(crystal.cell)
        twin = self._parts(parent, box / 2)
        positions, numbers = sites_of(twin, ideal_cell(twin), np.zeros(3), box)
        shortest = shortest_distance_angstrom(ideal_cell(twin))
        stays = without_doubles(positions, twin, TOO_NEAR * shortest)
        positions, numbers = positions[stays], numbers[stays]
        fraction = float((twin.part_of(positions) == 1).mean())
        if fraction in {0.0, 1.0}:
            raise InputError(
                f"twin: the boundary, {self.offset_angstrom:g} Å from the middle, lies outside of "
                "the crystal; make offset_angstrom smaller"
            )
        twinned = Crystal(positions, numbers, crystal.cell, crystal.periodic, twin)
        return DefectiveCrystal(twinned, {"twin_fraction": fraction})

    def _parts(self, parent: Parent, middle: Float[np.ndarray, "3"]) -> TwinnedParent:
        """The crystal, its twin, and the crystal again beyond a lamella."""
        reciprocal = parent.reciprocal(self._reduced)
        spacing = 1 / float(np.linalg.norm(reciprocal))
        normal = reciprocal * spacing
        # Boundaries are alike at every 1/|g|, where the crystal repeats but for a shift along them.
        base = float(parent.origin_angstrom @ normal)
        base += best_height(parent.unit_cell, self._reduced, self.kind)
        wanted = float(middle @ normal) + self.offset_angstrom
        first = base + spacing * round((wanted - base) / spacing)
        if self.lamella_thickness_angstrom is None:
            return in_parts(parent, (first,), normal, self.kind)
        layers = round(self.lamella_thickness_angstrom / spacing)
        if layers == 0:
            raise InputError(
                f"lamella_thickness_angstrom is {self.lamella_thickness_angstrom:g}; expected at "
                f"least the distance of two planes {list(self.plane)}, {spacing:.3g} Å"
            )
        return in_parts(parent, (first, first + spacing * layers), normal, self.kind)
