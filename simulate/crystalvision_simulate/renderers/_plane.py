"""The grid across the beam: its points, its band, and what depends on nothing else."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float

from crystalvision.contracts import Beam, Pattern, Specimen
from crystalvision_simulate.renderers._gridding import kernel_transform
from crystalvision_simulate.scattering import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
)


@dataclass(frozen=True, slots=True)
class Plane:
    """A periodic grid across the beam.

    Attributes:
        width_angstrom: Length of the box along x [Å].
        height_angstrom: Length of the box along y [Å].
        band_limit_inv_angstrom: Waves and potentials are kept up to this |q| [1/Å].
    """

    width_angstrom: float
    height_angstrom: float
    band_limit_inv_angstrom: float

    @classmethod
    def of(cls, specimen: Specimen, band_limit_inv_angstrom: float) -> "Plane":
        """The plane of a specimen."""
        width, height, _ = (float(length) for length in specimen.box_angstrom)
        return cls(width, height, band_limit_inv_angstrom)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns: as few as keep the band within 2/3 of the Nyquist frequency."""
        rows, columns = (
            _even_fast_length(3 * length * self.band_limit_inv_angstrom)
            for length in (self.height_angstrom, self.width_angstrom)
        )
        return rows, columns

    def frequencies(self) -> tuple[Float[np.ndarray, "h 1"], Float[np.ndarray, "1 w"]]:
        """q_y (h, 1) and q_x (1, w) of every point, in FFT order [1/Å]."""
        rows, columns = self.shape
        q_y = np.fft.fftfreq(rows, self.height_angstrom / rows)[:, None]
        q_x = np.fft.fftfreq(columns, self.width_angstrom / columns)[None, :]
        return q_y, q_x

    def pattern(self, intensity: Float[torch.Tensor, "h w"]) -> Pattern:
        """The band of an intensity in FFT order, (h, w), as a pattern with q = 0 in the middle."""
        sampling = (1 / self.height_angstrom, 1 / self.width_angstrom)
        reach = [int(self.band_limit_inv_angstrom / step) + 1 for step in sampling]
        rows, columns = (
            torch.arange(-n, n + 1, device=intensity.device) % size
            for n, size in zip(reach, self.shape, strict=True)
        )
        return Pattern(
            intensity=intensity[rows[:, None], columns][None],
            sampling_inv_angstrom=sampling,
            direct_beam=(reach[0], reach[1]),
            band_limit_inv_angstrom=self.band_limit_inv_angstrom,
        )


def propagator(
    plane: Plane, beam: Beam, distance_angstrom: float, *, device: torch.device, dtype: torch.dtype
) -> Complex[torch.Tensor, "h w"]:
    """Free propagation over a distance [Å], with the band limit: (h, w), in FFT order.

    A mistilt θ of the crystal shifts each slice against the next: the Laue circle is then centred
    on q = θ/λ (Kirkland 2010, section 6.10).
    """
    wavelength = electron_wavelength_angstrom(beam.energy_kev)
    q_y, q_x = plane.frequencies()
    mistilt = q_x * np.tan(beam.mistilt_x_mrad * 1e-3) + q_y * np.tan(beam.mistilt_y_mrad * 1e-3)
    angle = 2 * np.pi * distance_angstrom * (mistilt - wavelength * (q_x**2 + q_y**2) / 2)
    phases = torch.from_numpy(np.exp(1j * angle) * _band(plane))
    return phases.to(device, dtype.to_complex())


def phase_factors(
    plane: Plane,
    numbers: tuple[int, ...],
    energy_kev: float,
    *,
    device: torch.device,
    dtype: torch.dtype,
) -> Float[torch.Tensor, "e h w2"]:
    """From gridded structure factors to phases: one real factor an element, (e, h, w // 2 + 1).

    The phase that a slice gives the wave has the Fourier coefficients γ λ f(q) S(q) / area, for the
    relativistic mass ratio γ, the wavelength λ, the scattering factor f and the structure factor S.
    """
    wavelength = electron_wavelength_angstrom(energy_kev)
    area = plane.width_angstrom * plane.height_angstrom
    strength = relativistic_mass_ratio(energy_kev) * wavelength / area
    return _gridded_scattering(plane, numbers, device, dtype) * strength


@lru_cache(maxsize=8)
def _gridded_scattering(
    plane: Plane, numbers: tuple[int, ...], device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "e h w2"]:
    """Scattering factors over the transform of the gridding kernel, within the band."""
    rows, columns = plane.shape
    q_y, q_x = plane.frequencies()
    length = np.hypot(q_y, q_x)
    kernel = kernel_transform(rows)[:, None] * kernel_transform(columns)[None, :]
    stack = np.stack([electron_scattering_factor(number, length) for number in numbers])
    factors = stack * _band(plane) / kernel
    half = np.ascontiguousarray(factors[:, :, : columns // 2 + 1])
    return torch.from_numpy(half).to(device, dtype)


@lru_cache(maxsize=8)
def _band(plane: Plane) -> Bool[np.ndarray, "h w"]:
    q_y, q_x = plane.frequencies()
    band: Bool[np.ndarray, "h w"] = np.hypot(q_y, q_x) <= plane.band_limit_inv_angstrom
    return band


def _even_fast_length(least: float) -> int:
    """The least even length not below `least` whose prime factors are 2, 3, 5 and 7."""
    length = 2 * int(np.ceil(least / 2))
    while _has_other_factors(length):
        length += 2
    return length


def _has_other_factors(length: int) -> bool:
    for prime in (2, 3, 5, 7):
        while length % prime == 0:
            length //= prime
    return length > 1
