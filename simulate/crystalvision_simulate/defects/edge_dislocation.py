"""Edge dislocations, by the elastic field of an isotropic crystal."""

from dataclasses import dataclass
from operator import add
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure, Parent
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import (
    check_fraction,
    check_poisson_ratio,
    parent_of,
    refuse_periodic,
)
from crystalvision_simulate.defects._layers import nearest_gap
from crystalvision_simulate.defects._neighbours import closest_pair_angstrom
from crystalvision_simulate.defects._parents import (
    ideal_parent,
    moved,
    nearest_neighbour_angstrom,
)

Vector: TypeAlias = tuple[float, float, float]

_CORE = 4.0  # Burgers vectors from a line within which atoms may come too near to each other
_OBLIQUE = 1e-3  # cosine of an angle that is no right angle any more
_DRAWS = 10


class EdgeDislocation(Defect):
    """Straight edge dislocations, one or an array of four.

    Atoms are displaced by the field of a dislocation in an isotropic elastic body (Hirth and Lothe,
    Theory of Dislocations, 1982, eq. 3-45), with x along the Burgers vector b, y along the normal
    of the glide plane, and Poisson's ratio ν::

        u_x = b/2π · [atan2(y, x) + xy / (2(1 − ν)(x² + y²))]
        u_y = −b/2π · [(1 − 2ν)/(4(1 − ν)) · ln((x² + y²)/b²) + (x² − y²)/(4(1 − ν)(x² + y²))]

    The cut of the arc tangent is the glide plane behind the dislocation, over which the two halves
    are off by b: a lattice vector, so they fit, and half a plane more ends at the line. The glide
    plane lies between atomic planes. Within half a Burgers vector of the line, the core, elasticity
    does not hold, and x² + y² is that of its edge. What the field moves out of the box is lost, and
    ideal crystal from outside fills what it leaves.

    `dislocation_density_inv_angstrom2` is the length of line over the volume [1/Å²].
    """

    measures = (
        Measure(
            "dislocation_density_inv_angstrom2",
            "1/angstrom^2",
            "measured: length of dislocation lines over the volume",
            add,
        ),
    )

    def __init__(
        self,
        burgers_vector: Vector = (0.5, 0.5, 0.0),
        line: Vector = (1, -1, 2),
        count: Literal[1, 4] = 1,
        spacing_angstrom: float = 20.0,
        signs: Literal["same", "alternating"] = "same",
        poisson_ratio: float = 0.3,
        smallest_distance_fraction: float = 0.5,
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
            smallest_distance_fraction: No atoms at a line come nearer than this fraction of the
                shortest distance in the ideal crystal. Places where some would are drawn anew.

        Raises:
            InputError: A vector is zero, the spacing is not positive, no fraction, or Poisson's
                ratio is impossible.
        """
        for name, vector in (("burgers_vector", burgers_vector), ("line", line)):
            if not np.any(vector):
                raise InputError(f"{name} is [0, 0, 0]; expected a direction such as [1, 1, 0]")
        if not spacing_angstrom > 0:
            raise InputError(f"spacing_angstrom is {spacing_angstrom}; expected more than 0")
        self.burgers_vector, self.line = burgers_vector, line
        self.count, self.spacing_angstrom, self.signs = count, spacing_angstrom, signs
        self.poisson_ratio = check_poisson_ratio(poisson_ratio)
        self.smallest_distance_fraction = check_fraction(
            "smallest_distance_fraction", smallest_distance_fraction
        )

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Put the dislocations in, each at a random place along its glide plane, within b.

        Raises:
            InputError: The crystal repeats across the beam, does not know what it was cut from, the
                Burgers vector is not at right angles to the line, or two atoms come too near to
                each other in every one of several draws.
        """
        refuse_periodic(crystal, "edge-dislocation")
        parent = parent_of(crystal, "edge-dislocation")
        along, normal, burgers = self._axes(parent)
        box = np.diag(crystal.cell)
        shortest = nearest_neighbour_angstrom(crystal)
        allowed = self.smallest_distance_fraction * shortest
        for _ in range(_DRAWS):
            lines = [
                (_on_glide_plane(parent, normal, place + along * (rng.random() * burgers)), sign)
                for place, sign in self._places(along, normal, box / 2)
            ]
            field = Field(tuple(lines), along, normal, burgers, self.poisson_ratio)
            result = moved(crystal, parent, field, box)
            nearest = closest_pair_angstrom(field.cores_of(result), np.zeros(3), allowed)
            if nearest >= allowed:
                length = sum(_length_in(box, core, np.cross(along, normal)) for core, _ in lines)
                density = length / float(np.prod(box))
                return DefectiveCrystal(result, {"dislocation_density_inv_angstrom2": density})
        raise InputError(
            f"edge-dislocation: two atoms come within {nearest:.2f} Å of each other, less than "
            f"{self.smallest_distance_fraction:g} of the shortest distance {shortest:.2f} Å, in "
            f"each of {_DRAWS} draws; choose another line or Burgers vector, or lower "
            "smallest_distance_fraction if you mean it"
        )

    def _axes(self, parent: Parent) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"], float]:
        """Unit vectors along b and the normal of the glide plane, and the length of b [Å]."""
        ideal = ideal_parent(parent)  # strain may have changed the angle between the two
        burgers, line = ideal.direction(self.burgers_vector), ideal.direction(self.line)
        cosine = float(burgers @ line / np.linalg.norm(burgers) / np.linalg.norm(line))
        if abs(cosine) > _OBLIQUE:
            angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
            raise InputError(
                f"edge-dislocation: burgers_vector {list(self.burgers_vector)} and line "
                f"{list(self.line)} are {angle:.1f}° apart; an edge dislocation needs 90°"
            )
        burgers = parent.direction(self.burgers_vector)
        length = float(np.linalg.norm(burgers))
        normal = np.cross(parent.direction(self.line), burgers)
        return burgers / length, normal / np.linalg.norm(normal), length

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


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The displacement field of parallel edge dislocations.

    Attributes:
        lines: A point on each line [Å], (3,), and the sign of its Burgers vector.
        along: Unit vector along the Burgers vector, (3,).
        normal: Unit normal of the glide planes, (3,).
        burgers_angstrom: Length of the Burgers vector [Å].
        poisson_ratio: Poisson's ratio.
    """

    lines: tuple[tuple[Float[np.ndarray, "3"], int], ...]
    along: Float[np.ndarray, "3"]
    normal: Float[np.ndarray, "3"]
    burgers_angstrom: float
    poisson_ratio: float

    def __call__(self, positions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Positions after the displacement [Å], (n, 3) → (n, 3)."""
        x, y = positions @ self.along, positions @ self.normal
        u_x, u_y = np.zeros_like(x), np.zeros_like(y)
        for core, sign in self.lines:
            one_x, one_y = self.displacement(x - core @ self.along, y - core @ self.normal)
            u_x += sign * one_x
            u_y += sign * one_y
        displaced: Float[np.ndarray, "n 3"] = (
            positions + u_x[:, None] * self.along + u_y[:, None] * self.normal
        )
        return displaced

    def displacement(
        self, x: Float[np.ndarray, "n"], y: Float[np.ndarray, "n"]
    ) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]]:
        """Displacement along x and y [Å] at places x and y from one line [Å], each (n,)."""
        burgers, poisson = self.burgers_angstrom, self.poisson_ratio
        squared = np.maximum(x**2 + y**2, (burgers / 2) ** 2)
        u_x = np.arctan2(y, x) + x * y / (2 * (1 - poisson) * squared)
        u_y = (1 - 2 * poisson) * np.log(squared / burgers**2) + (x**2 - y**2) / squared
        scale = burgers / (2 * np.pi)
        return scale * u_x, -scale * u_y / (4 * (1 - poisson))

    def cores_of(self, crystal: Crystal) -> Float[np.ndarray, "m 3"]:
        """Positions of the atoms near any of the lines [Å], (m, 3)."""
        x, y = crystal.positions @ self.along, crystal.positions @ self.normal
        near = np.zeros(len(crystal), dtype=bool)
        for core, _ in self.lines:
            squared = (x - core @ self.along) ** 2 + (y - core @ self.normal) ** 2
            near |= squared < (_CORE * self.burgers_angstrom) ** 2
        return crystal.positions[near]


def _on_glide_plane(
    parent: Parent, normal: Float[np.ndarray, "3"], place: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3"]:
    """The place, moved along the normal to the middle of the nearest wide gap between layers."""
    on_plane: Float[np.ndarray, "3"] = place + normal * (
        nearest_gap(parent, normal, place) - place @ normal
    )
    return on_plane


def _length_in(
    box: Float[np.ndarray, "3"], point: Float[np.ndarray, "3"], line: Float[np.ndarray, "3"]
) -> float:
    """How much of a line lies within a box [Å]."""
    line = np.where(np.abs(line) < 1e-9, 1e-9, line)  # a face that it never meets is far away
    ends = np.sort([-point / line, (box - point) / line], axis=0)
    return float(max(ends[1].min() - ends[0].max(), 0.0))
