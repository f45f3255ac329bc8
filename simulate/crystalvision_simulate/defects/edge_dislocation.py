"""Edge dislocations, by the elastic field of an isotropic crystal."""

from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Parent
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import parent_of, refuse_periodic
from crystalvision_simulate.defects._layers import nearest_gap

Vector: TypeAlias = tuple[float, float, float]


class EdgeDislocation(Defect):
    """Straight edge dislocations, one or an array of four.

    Atoms are displaced by the field of a dislocation in an isotropic elastic body (Hirth and Lothe,
    Theory of Dislocations, 1982, eq. 3-45), with x along the Burgers vector b, y along the normal
    of the glide plane, and Poisson's ratio ν::

        u_x = b/2π · [atan2(y, x) + xy / (2(1 − ν)(x² + y²))]
        u_y = −b/2π · [(1 − 2ν)/(4(1 − ν)) · ln((x² + y²)/b²) + (x² − y²)/(4(1 − ν)(x² + y²))]

    The cut of the arc tangent is the glide plane behind the dislocation, over which the two halves
    are off by b: a lattice vector, so they fit, no atom is lost, and half a plane more ends at the
    line. The glide plane lies between atomic planes. Within half a Burgers vector of the line, the
    core, the field stays as it is there: elasticity does not hold.

    `dislocation_density_inv_angstrom2` is the length of line over the volume [1/Å²].
    """

    measures = ("dislocation_density_inv_angstrom2",)

    def __init__(
        self,
        burgers_vector: Vector = (0.5, 0.5, 0.0),
        line: Vector = (1, -1, 2),
        count: Literal[1, 4] = 1,
        spacing_angstrom: float = 20.0,
        signs: Literal["same", "alternating"] = "same",
        poisson_ratio: float = 0.3,
    ) -> None:
        """Make the defect.

        Args:
            burgers_vector: Burgers vector in units of the cell vectors; by default ½[110], that of
                a face-centred cubic metal.
            line: Direction [uvw] of the line, at right angles to it.
            count: One through the middle of the crystal, or four at the corners of a square.
            spacing_angstrom: Side of that square [Å].
            signs: Whether the four have the same Burgers vector, or every second the opposite.
            poisson_ratio: Poisson's ratio ν.

        Raises:
            InputError: A vector is zero, the spacing is not positive, or Poisson's ratio is
                impossible.
        """
        for name, vector in (("burgers_vector", burgers_vector), ("line", line)):
            if not np.any(vector):
                raise InputError(f"{name} is [0, 0, 0]; expected a direction such as [1, 1, 0]")
        if not spacing_angstrom > 0:
            raise InputError(f"spacing_angstrom is {spacing_angstrom}; expected more than 0")
        if not -1 < poisson_ratio <= 0.5:
            raise InputError(f"poisson_ratio is {poisson_ratio}; expected -1 to 0.5")
        self.burgers_vector, self.line = burgers_vector, line
        self.count, self.spacing_angstrom, self.signs = count, spacing_angstrom, signs
        self.poisson_ratio = poisson_ratio

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Put the dislocations in, each at a random place along its glide plane, within b.

        Raises:
            InputError: The crystal repeats across the beam, does not know what it was cut from, or
                the Burgers vector is not at right angles to the line.
        """
        refuse_periodic(crystal, "edge-dislocation")
        parent = parent_of(crystal, "edge-dislocation")
        along, normal, burgers = self._axes(parent)
        box = np.diag(crystal.cell)
        positions = crystal.positions.copy()
        for place, sign in self._places(along, normal, box / 2):
            core = place + along * (rng.random() * burgers)
            core = core + normal * (nearest_gap(parent, normal, core) - core @ normal)
            apart = crystal.positions - core
            u_x, u_y = self._field(apart @ along, apart @ normal, burgers)
            positions += sign * (u_x[:, None] * along + u_y[:, None] * normal)
        line = np.cross(along, normal)
        # As far as a line through the middle runs within the box.
        length = float((box / np.maximum(abs(line), 1e-9)).min())
        return DefectiveCrystal(
            crystal.with_atoms(positions, crystal.numbers),
            {"dislocation_density_inv_angstrom2": self.count * length / float(np.prod(box))},
        )

    def _axes(self, parent: Parent) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"], float]:
        """Unit vectors along b and the normal of the glide plane, and the length of b [Å]."""
        burgers, line = parent.direction(self.burgers_vector), parent.direction(self.line)
        length = float(np.linalg.norm(burgers))
        along, line = burgers / length, line / np.linalg.norm(line)
        if abs(along @ line) > 1e-3:
            raise InputError(
                f"edge-dislocation: burgers_vector {list(self.burgers_vector)} and line "
                f"{list(self.line)} are {np.degrees(np.arccos(along @ line)):.1f}° apart; an edge "
                "dislocation needs 90°"
            )
        return along, np.cross(line, along), length

    def _places(
        self,
        along: Float[np.ndarray, "3"],
        normal: Float[np.ndarray, "3"],
        middle: Float[np.ndarray, "3"],
    ) -> list[tuple[Float[np.ndarray, "3"], int]]:
        """A point on each line, and the sign of its Burgers vector."""
        if self.count == 1:
            return [(middle, 1)]
        half = self.spacing_angstrom / 2
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        signs = [1, 1, 1, 1] if self.signs == "same" else [1, -1, 1, -1]
        return [
            (middle + half * (x * along + y * normal), sign)
            for (x, y), sign in zip(corners, signs, strict=True)
        ]

    def _field(
        self, x: Float[np.ndarray, "n"], y: Float[np.ndarray, "n"], burgers: float
    ) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]]:
        """Displacement along b and along the normal [Å], at these places about the line [Å]."""
        squared = np.maximum(x**2 + y**2, (burgers / 2) ** 2)
        poisson = self.poisson_ratio
        u_x = np.arctan2(y, x) + x * y / (2 * (1 - poisson) * squared)
        u_y = (1 - 2 * poisson) * np.log(squared / burgers**2) + (x**2 - y**2) / squared
        scale = burgers / (2 * np.pi)
        return scale * u_x, -scale * u_y / (4 * (1 - poisson))
