"""The grid across the beam: its points, its band, and what depends on nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float

from crystalvision.contracts import Beam, Pattern, Specimen
from crystalvision_simulate.gridding import kernel_transform
from crystalvision_simulate.scattering import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
)

ALIAS_FREE = 2 / 3
"""Share of the Nyquist frequency up to which no product of two functions aliases into the band."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A periodic grid across the beam.

    Attributes:
        width_angstrom: Length of the box along x [Å].
        height_angstrom: Length of the box along y [Å].
        band_limit_inv_angstrom: Waves and potentials are kept up to this |q| [1/Å].
        band_of_nyquist: Share of the Nyquist frequency that the band takes at most.
    """

    width_angstrom: float
    height_angstrom: float
    band_limit_inv_angstrom: float
    band_of_nyquist: float = ALIAS_FREE

    @classmethod
    def of(
        cls,
        specimen: Specimen,
        band_limit_inv_angstrom: float,
        band_of_nyquist: float = ALIAS_FREE,
    ) -> "Plane":
        """The plane of a specimen."""
        width, height, _ = (float(length) for length in specimen.box_angstrom)
        return cls(width, height, band_limit_inv_angstrom, band_of_nyquist)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns: as few as keep the band within its share of the Nyquist frequency."""
        rows, columns = (
            _fast_length(2 / self.band_of_nyquist * length * self.band_limit_inv_angstrom)
            for length in (self.height_angstrom, self.width_angstrom)
        )
        return rows, columns

    @property
    def columns_in_band(self) -> int:
        """Columns of q_x ≥ 0 that the band reaches."""
        return int(self.band_limit_inv_angstrom * self.width_angstrom) + 1

    def frequencies(self) -> tuple[Float[np.ndarray, "h 1"], Float[np.ndarray, "1 w"]]:
        """q_y (h, 1) and q_x (1, w) of every point, in FFT order [1/Å]."""
        rows, columns = self.shape
        q_y = np.fft.fftfreq(rows, self.height_angstrom / rows)[:, None]
        q_x = np.fft.fftfreq(columns, self.width_angstrom / columns)[None, :]
        return q_y, q_x

    def pattern(self, intensity: Float[torch.Tensor, "h w"]) -> Pattern:
        """The band of an intensity in FFT order, (h, w), as a pattern with q = 0 in the middle.

        The intensity may be that of a space a whole number of times as wide as the box.
        """
        size = intensity.shape
        wider = size[0] // self.shape[0]
        sampling = (1 / (wider * self.height_angstrom), 1 / (wider * self.width_angstrom))
        reach = [int(self.band_limit_inv_angstrom / step) + 1 for step in sampling]
        rows, columns = (
            torch.arange(-n, n + 1, device=intensity.device) % length
            for n, length in zip(reach, size, strict=True)
        )
        return Pattern.diffraction(
            intensity=intensity[rows[:, None], columns][None],
            sampling_inv_angstrom=sampling,
            direct_beam=(reach[0], reach[1]),
            band_limit_inv_angstrom=self.band_limit_inv_angstrom,
        )


def propagators(
    plane: Plane,
    beams: Sequence[Beam],
    distances_angstrom: Sequence[float],
    *,
    device: torch.device,
    dtype: torch.dtype,
) -> Complex[torch.Tensor, "b h w"]:
    """Free propagation of each beam over its distance [Å], with the band limit, in FFT order.

    A mistilt θ of the crystal shifts each slice against the next: the Laue circle is then centred
    on q = θ/λ (Kirkland 2010, section 6.10). The phase is a sum over the axes, so the exponentials
    of the axes are enough.
    """
    parts = []
    for q, axis in zip(plane.frequencies(), ("y", "x"), strict=True):
        angle = np.stack(
            [
                distance * (q * _tangent(beam, axis) - _wavelength(beam) * q**2 / 2)
                for beam, distance in zip(beams, distances_angstrom, strict=True)
            ]
        )
        parts.append(torch.from_numpy(np.exp(2j * np.pi * angle)).to(device, dtype.to_complex()))
    along_y, along_x = parts
    result: Complex[torch.Tensor, "b h w"] = along_y * _band_weights(plane, device, dtype)
    result *= along_x
    return result


def scattering_of_gridded(
    plane: Plane, numbers: tuple[int, ...], device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "e h w2 2"]:
    """Scattering factors over the gridding kernel's transform, within the band: (e, h, w', 2).

    The columns are those of the band's q_x ≥ 0, and each value stands twice, for the real and the
    imaginary part of what it multiplies.
    """
    return _scattering_of_gridded(plane, numbers, device, dtype)


@lru_cache(maxsize=8)
def _scattering_of_gridded(
    plane: Plane, numbers: tuple[int, ...], device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "e h w2 2"]:
    rows, columns = plane.shape
    kept = plane.columns_in_band
    q_y, q_x = plane.frequencies()
    length = np.hypot(q_y, q_x)[:, :kept]
    kernel = kernel_transform(rows)[:, None] * kernel_transform(columns)[None, :kept]
    stack = np.stack([electron_scattering_factor(number, length) for number in numbers])
    factors = stack * (length <= plane.band_limit_inv_angstrom) / kernel
    twice = torch.from_numpy(np.repeat(factors[..., None], 2, axis=-1)).to(device, dtype)
    # A transform along y leaves its result column by column; so must lie what multiplies it.
    return twice.transpose(1, 2).contiguous().transpose(1, 2)


def _wavelength(beam: Beam) -> float:
    return electron_wavelength_angstrom(beam.energy_kev)


def _tangent(beam: Beam, axis: str) -> float:
    mistilt_mrad = beam.mistilt_x_mrad if axis == "x" else beam.mistilt_y_mrad
    return float(np.tan(mistilt_mrad * 1e-3))


@lru_cache(maxsize=8)
def _band_weights(
    plane: Plane, device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "h w"]:
    return torch.from_numpy(_band(plane)).to(device, dtype)


@lru_cache(maxsize=8)
def _band(plane: Plane) -> Bool[np.ndarray, "h w"]:
    q_y, q_x = plane.frequencies()
    band: Bool[np.ndarray, "h w"] = np.hypot(q_y, q_x) <= plane.band_limit_inv_angstrom
    return band


def _fast_length(least: float) -> int:
    """The least multiple of 4 not below `least` whose prime factors are 2, 3, 5 and 7.

    FFTs of other even lengths, such as 450 or 486, take a fifth longer than the next multiple of 4.
    """
    length = max(2 * 4, 4 * int(np.ceil(least / 4)))  # a gridding kernel is 7 points wide
    while _has_other_factors(length):
        length += 4
    return length


def _has_other_factors(length: int) -> bool:
    for prime in (2, 3, 5, 7):
        while length % prime == 0:
            length //= prime
    return length > 1
