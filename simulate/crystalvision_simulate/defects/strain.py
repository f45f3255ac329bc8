"""A crystal that is stretched or sheared, alike everywhere."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Parent
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import parent_of

Vector: TypeAlias = tuple[float, float, float]

_GREATEST = 0.2  # beyond it a crystal is another crystal
_COMPONENTS = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "yz": (1, 2), "xz": (0, 2), "xy": (0, 1)}


class Strain(Defect):
    """Uniform strain: a stretch along a direction, a simple shear, or any displacement gradient.

    Every position r becomes r + E·(r − r₀), with r₀ the middle of the box. A stretch by ε along the
    unit vector d has E = ε (d dᵀ − ν (1 − d dᵀ)) with Poisson's ratio ν; a shear by γ of the planes
    with the normal n has E = γ d nᵀ. Both together add.

    `strain_xx` and so on are the components of (E + Eᵀ) / 2, in the frame of the specimen: x and y
    across the beam, z along it.

    A crystal that repeats across the beam keeps an orthogonal box, or the strain is refused. Of one
    that was cut, the box stays across the beam: what is stretched out of it is hidden by the
    aperture, as is the seam that opens where it is compressed.
    """

    measures = tuple(f"strain_{name}" for name in _COMPONENTS)

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
        if not -1 <= poisson_ratio <= 0.5:
            raise InputError(f"poisson_ratio is {poisson_ratio}; expected -1 to 0.5")
        if not np.any(direction):
            raise InputError("direction is [0, 0, 0]; expected a direction such as [1, 0, 0]")
        if shear_rad and plane is None:
            raise InputError(
                f"shear_rad is {shear_rad} without a plane; expected (hkl) such as [0, 1, 0]"
            )
        if plane is not None and abs(float(np.dot(plane, direction))) > 1e-9:
            raise InputError(
                f"direction {list(direction)} does not lie in plane {list(plane)}; expected "
                "h·u + k·v + l·w = 0"
            )
        self.axial, self.direction, self.poisson_ratio = axial, direction, poisson_ratio
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
        gradient = self.gradient_in(parent_of(crystal, "strain"))
        small = (gradient + gradient.T) / 2
        degree = {f"strain_{name}": float(small[at]) for name, at in _COMPONENTS.items()}
        strained = np.eye(3) + gradient
        cell = _strained_cell(crystal, strained)
        middle = np.diag(crystal.cell) / 2
        positions = (crystal.positions - middle) @ strained.T + np.diag(cell) / 2
        return DefectiveCrystal(
            Crystal(positions, crystal.numbers, cell, crystal.periodic, crystal.parent), degree
        )

    def gradient_in(self, parent: Parent) -> Float[np.ndarray, "3 3"]:
        """The displacement gradient E in the frame of the specimen, (3, 3)."""
        along = parent.direction(self.direction)
        along = along / np.linalg.norm(along)
        outer = np.outer(along, along)
        gradient = self.axial * (outer - self.poisson_ratio * (np.eye(3) - outer))
        if self.plane is not None:
            normal = parent.reciprocal(self.plane)
            gradient = gradient + self.shear_rad * np.outer(along, normal / np.linalg.norm(normal))
        result: Float[np.ndarray, "3 3"] = (
            gradient + parent.rotation @ self._gradient @ parent.rotation.T
        )
        return result


def _strained_cell(
    crystal: Crystal, strained: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "3 3"]:
    """The orthogonal box of the strained crystal."""
    lengths = np.diag(crystal.cell).copy()
    lengths[2] *= strained[2, 2]
    if crystal.periodic[:2].any():
        vectors = crystal.cell[:2] @ strained.T
        lengths[:2] = np.diag(vectors[:, :2])
        skew = abs(vectors - np.diag(lengths)[:2]).max()
        if skew > 1e-3:
            raise InputError(
                f"strain: the box that repeats across the beam would be skewed by {skew:.3f} Å; "
                "cut the crystal for an aperture instead (set specimen.aperture_diameter_angstrom)"
            )
    return np.diag(lengths)
