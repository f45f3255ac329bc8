"""A crystal that is stretched or sheared, alike everywhere."""

from dataclasses import dataclass
from operator import add
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure, Parent
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import check_poisson_ratio, parent_of
from crystalvision_simulate.defects._parents import moved

Vector: TypeAlias = tuple[float, float, float]

_GREATEST = 0.2  # beyond it a crystal is another crystal
_SKEW = 1e-3  # Å by which a box that repeats may be skewed
_COMPONENTS = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "yz": (1, 2), "xz": (0, 2), "xy": (0, 1)}


class Strain(Defect):
    """Uniform strain: a stretch along a direction, a simple shear, or any displacement gradient.

    Every position r becomes r + E·(r − r₀), with r₀ the middle of the box. A stretch by ε along the
    unit vector d has E = ε d dᵀ − ν ε (1 − d dᵀ) with Poisson's ratio ν; a simple shear by the
    angle γ along d of the planes with the unit normal n has E = tan γ d nᵀ (Nye, Physical
    Properties of Crystals, 1985, chapter 6). Both together add.

    `strain_xx` and so on are the components of the strain tensor (E + Eᵀ) / 2, in the frame of the
    specimen: x and y across the beam, z along it. An antisymmetric part of E turns the crystal.

    A crystal that repeats across the beam keeps an orthogonal box that follows the strain, or the
    strain is refused. One that was cut keeps its width, and is filled to it; in both the thickness
    follows the strain.
    """

    measures = tuple(
        Measure(f"strain_{name}", "1", f"measured: component {name} of the strain tensor", add)
        for name in _COMPONENTS
    )

    def __init__(
        self,
        axial: float = 0.0,
        direction: Vector = (1, 0, 0),
        poisson_ratio: float = 0.0,
        shear_rad: float = 0.0,
        plane: Vector | None = None,
        gradient: tuple[Vector, Vector, Vector] | None = None,
    ) -> None:
        """Make the defect.

        Args:
            axial: Stretch ε along `direction`, negative for compression.
            direction: Lattice direction [uvw] of the stretch, and of the shear.
            poisson_ratio: Contraction across it over the stretch, ν.
            shear_rad: Angle γ of a simple shear [rad], in which planes move along `direction`.
            plane: Indices (hkl) of those planes; `direction` must lie in them.
            gradient: Displacement gradient E in the Cartesian frame of the unit cell (a along x, b
                in the xy plane), as rows, in addition.

        Raises:
            InputError: A component exceeds 0.2, Poisson's ratio is impossible, or a shear has no
                plane or a direction outside of it.
        """
        for name, value in (("axial", axial), ("shear_rad", shear_rad)):
            if not abs(value) <= _GREATEST:
                raise InputError(f"{name} is {value}; expected -{_GREATEST} to {_GREATEST}")
        if not np.any(direction):
            raise InputError("direction is [0, 0, 0]; expected a direction such as [1, 0, 0]")
        if shear_rad and plane is None:
            raise InputError(
                f"shear_rad is {shear_rad} without a plane; expected (hkl) such as [0, 1, 0]"
            )
        if plane is not None and not np.any(plane):
            raise InputError("plane is [0, 0, 0]; expected indices (hkl) such as [0, 1, 0]")
        if plane is not None and abs(float(np.dot(plane, direction))) > 1e-9:
            raise InputError(
                f"direction {list(direction)} does not lie in plane {list(plane)}; expected "
                "h·u + k·v + l·w = 0"
            )
        self.axial, self.direction = axial, direction
        self.poisson_ratio = check_poisson_ratio(poisson_ratio)
        self.shear_rad, self.plane = shear_rad, plane
        self._gradient = np.zeros((3, 3)) if gradient is None else np.array(gradient, dtype=float)
        if not abs(self._gradient).max() <= _GREATEST:
            raise InputError(
                f"gradient has a component {abs(self._gradient).max():g}; expected at most "
                f"{_GREATEST}"
            )

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Strain the crystal.

        Raises:
            InputError: The crystal does not know what it was cut from, or it repeats across the
                beam and could not after the strain.
        """
        parent = parent_of(crystal, "strain")
        gradient = self.gradient_in(parent)
        small = (gradient + gradient.T) / 2
        degree = {f"strain_{name}": float(small[at]) for name, at in _COMPONENTS.items()}
        if not gradient.any():
            return DefectiveCrystal(crystal, degree)
        strained = np.eye(3) + gradient
        box = _strained_box(crystal, strained)
        move = _Stretch(strained, np.diag(crystal.cell) / 2, box / 2)
        after = _strained_parent(parent, strained, move)
        return DefectiveCrystal(moved(crystal, after, move, box), degree)

    def gradient_in(self, parent: Parent) -> Float[np.ndarray, "3 3"]:
        """The displacement gradient E in the frame of the specimen, (3, 3)."""
        along = parent.direction(self.direction)
        along = along / np.linalg.norm(along)
        outer = np.outer(along, along)
        gradient = self.axial * (outer - self.poisson_ratio * (np.eye(3) - outer))
        if self.plane is not None:
            normal = parent.reciprocal(self.plane)
            normal = normal / np.linalg.norm(normal)
            gradient = gradient + np.tan(self.shear_rad) * np.outer(along, normal)
        result: Float[np.ndarray, "3 3"] = (
            gradient + parent.rotation @ self._gradient @ parent.rotation.T
        )
        return result


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Takes the middle of a box to that of another, and the rest by a matrix."""

    matrix: Float[np.ndarray, "3 3"]
    middle_before: Float[np.ndarray, "3"]
    middle_after: Float[np.ndarray, "3"]

    def __call__(self, positions: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        stretched: Float[np.ndarray, "*n 3"] = (
            positions - self.middle_before
        ) @ self.matrix.T + self.middle_after
        return stretched


def _strained_parent(parent: Parent, strained: Float[np.ndarray, "3 3"], move: _Stretch) -> Parent:
    """The ideal crystal after the strain, whose unit cell takes it."""
    in_cell = parent.rotation.T @ strained @ parent.rotation
    cell = parent.unit_cell
    unit_cell = Crystal(
        cell.positions @ in_cell.T, cell.numbers, cell.cell @ in_cell.T, cell.periodic
    )
    return Parent(unit_cell, parent.rotation, move(parent.origin_angstrom))


def _strained_box(crystal: Crystal, strained: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3"]:
    """Lengths of the orthogonal box of the strained crystal [Å], (3,)."""
    lengths = np.diag(crystal.cell).copy()
    lengths[2] *= strained[2, 2]
    repeats = np.flatnonzero(crystal.periodic)
    vectors = crystal.cell[repeats] @ strained.T
    lengths[repeats] = vectors[np.arange(len(repeats)), repeats]
    skew = abs(vectors - np.diag(lengths)[repeats]).max(initial=0.0)
    if skew > _SKEW:
        raise InputError(
            f"strain: the box that repeats across the beam would be skewed by {skew:.3f} Å; "
            "cut the crystal for an aperture instead (set specimen.aperture_diameter_angstrom)"
        )
    return lengths
