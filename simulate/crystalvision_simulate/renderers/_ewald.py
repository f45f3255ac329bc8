"""The Ewald sphere, sampled where a periodic grid across the beam meets it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float

from crystalvision.errors import InputError


@dataclass(frozen=True, slots=True)
class EwaldGrid:
    """Points of the Ewald sphere over a grid of q_y and q_x that is centred on q = 0.

    The grid is fixed to the crystal: a mistilt θ leaves it where it is and turns the incident beam
    by −θ, so that the Laue circle is centred on q = θ/λ.

    Attributes:
        height_angstrom: Period along y, the inverse of the step in q_y [Å].
        width_angstrom: Period along x [Å].
        reach: Points on either side of q = 0, along q_y and along q_x.
        radius_inv_angstrom: Points farther from q = 0 are no part of it [1/Å].
        wavelength_angstrom: Wavelength λ [Å].
        mistilt_x_mrad: Mistilt along x [mrad].
        mistilt_y_mrad: Mistilt along y [mrad].
    """

    height_angstrom: float
    width_angstrom: float
    reach: tuple[int, int]
    radius_inv_angstrom: float
    wavelength_angstrom: float
    mistilt_x_mrad: float = 0.0
    mistilt_y_mrad: float = 0.0

    @property
    def q(self) -> tuple[Float[np.ndarray, "h 1"], Float[np.ndarray, "1 w"]]:
        """q_y (h, 1) and q_x (1, w) [1/Å]."""
        rows, columns = self.reach
        q_y = np.arange(-rows, rows + 1)[:, None] / self.height_angstrom
        q_x = np.arange(-columns, columns + 1)[None, :] / self.width_angstrom
        return q_y, q_x

    @property
    def inside(self) -> Bool[np.ndarray, "h w"]:
        """Which points are within the radius, (h, w)."""
        q_y, q_x = self.q
        mask: Bool[np.ndarray, "h w"] = np.hypot(q_y, q_x) <= self.radius_inv_angstrom
        return mask

    @property
    def incident(self) -> Float[np.ndarray, "3"]:
        """Wave vector of the incident beam: x, y, z [1/Å], (3,)."""
        slopes = np.tan(np.array([self.mistilt_x_mrad, self.mistilt_y_mrad]) * 1e-3)
        direction = np.array([*-slopes, 1.0])
        vector: Float[np.ndarray, "3"] = direction / np.linalg.norm(direction)
        return vector / self.wavelength_angstrom

    def along_beam(self) -> Float[np.ndarray, "h w"]:
        """Component g_z of the scattering vectors [1/Å], (h, w); 0 beyond the radius.

        g = k' − k with |k'| = |k| = 1/λ, without the paraxial approximation.

        Raises:
            InputError: A point is farther out than the sphere reaches.
        """
        return _along_beam(self)

    def length(self) -> Float[np.ndarray, "h w"]:
        """Length |g| of the scattering vectors [1/Å], (h, w); 0 beyond the radius."""
        q_y, q_x = self.q
        length: Float[np.ndarray, "h w"] = np.sqrt(q_y**2 + q_x**2 + self.along_beam() ** 2)
        return np.where(self.inside, length, 0.0)

    def cosines(self) -> tuple[float, Float[np.ndarray, "h w"]]:
        """Cosine of the angle between the z axis and the incident, and each scattered wave."""
        k_z = float(self.incident[2])
        return (
            k_z * self.wavelength_angstrom,
            (k_z + self.along_beam()) * self.wavelength_angstrom,
        )


@lru_cache(maxsize=4)
def _along_beam(grid: EwaldGrid) -> Float[np.ndarray, "h w"]:
    q_y, q_x = grid.q
    k_x, k_y, k_z = grid.incident
    inside = grid.inside
    lost = (q_y**2 + q_x**2 + 2 * (q_y * k_y + q_x * k_x)) * inside  # |k + q|² − |k|²
    squared = k_z**2 - lost
    if squared.min() <= 0:
        farthest = np.hypot(q_y, q_x)[inside].max()
        raise InputError(
            f"the pattern reaches {farthest:.4g} 1/Å, which a wavelength of "
            f"{grid.wavelength_angstrom:.4g} Å scatters nowhere; lower the band limit (or pixels) "
            "below 1/wavelength, or raise the energy"
        )
    along: Float[np.ndarray, "h w"] = -lost / (np.sqrt(squared) + k_z)  # free of cancellation
    return along
