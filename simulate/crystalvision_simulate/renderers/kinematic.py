"""Kinematic diffraction: every atom scatters the incident beam once (first Born approximation)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Complex, Float

from crystalvision.contracts import Beam, Cost, Pattern, Renderer, Specimen, SpecimenSize
from crystalvision.errors import InputError
from crystalvision_simulate.renderers._aperture import padded
from crystalvision_simulate.renderers._direct_beam import amplitude_at_atoms, direct_beam
from crystalvision_simulate.renderers._ewald import EwaldGrid
from crystalvision_simulate.renderers._ewald_sum import half_grid, structure_factors
from crystalvision_simulate.renderers._ranges import check_range
from crystalvision_simulate.scattering import (
    CLASSICAL_ELECTRON_RADIUS_ANGSTROM,
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
    x_ray_scattering_factor,
    x_ray_wavelength_angstrom,
)

_LAYERS_AN_ANGSTROM = 0.05  # at 200 kV and 1 1/Å: how fast g_z turns the phase
_SECONDS_A_POINT = 4e-9  # and layer and element
_SECONDS_AN_ATOM = 4e-6
_BYTES_A_POINT = 30
_BYTES_AN_ATOM = 1500

Radiation = Literal["electrons", "x-rays"]


class Kinematic(Renderer):
    """Kinematic diffraction of electrons or X-rays, with the exact position of every atom.

    The fraction of the beam that is scattered into a point q of the grid is
    I(q) = (s/A)² |F(q)|² P / (cos α cos β), with F(q) = Σⱼ f(g) exp(−2πi g·rⱼ), g on the Ewald
    sphere, and A the area of the box. α and β are the angles of the incident and the scattered wave
    to the normal of the box (they turn the area of a grid point into a solid angle). For electrons
    s = γλ, f is that of Lobato and Van Dyck, and P = 1. For X-rays s = r_e λ, f is that of
    Waasmaier and Kirfel, and P = (1 + cos² 2θ)/2 (Kirkland, Advanced Computing in Electron
    Microscopy, 2010; Warren, X-ray Diffraction, 1969).

    The incident beam is not weakened: q = 0 holds 1, or behind an aperture the beam's share of the
    aperture's own transform, and the whole pattern sums to 1 plus what is scattered. Where that is
    not far below 1 the specimen is too thick for kinematic theory. What is scattered straight ahead
    is left out, because to first order it only shifts the phase of the beam.
    """

    def __init__(
        self,
        radiation: Radiation = "electrons",
        band_limit_inv_angstrom: float = 2.5,
        polarisation_factor: bool = True,
    ) -> None:
        """Make the renderer.

        Args:
            radiation: What `Beam.energy_kev` is the energy of.
            band_limit_inv_angstrom: The pattern reaches this |q| [1/Å]. It changes nothing below.
            polarisation_factor: Whether X-rays are unpolarised, and weakened by (1 + cos² 2θ)/2;
                without it P = 1.

        Raises:
            InputError: The radiation is unknown, or the band limit out of its range.
        """
        if radiation not in ("electrons", "x-rays"):
            raise InputError(f"radiation is '{radiation}'; expected electrons or x-rays")
        check_range("band_limit_inv_angstrom", band_limit_inv_angstrom, 0.01, 50)
        self.radiation = radiation
        self.band_limit_inv_angstrom = band_limit_inv_angstrom
        self.polarisation_factor = polarisation_factor

    def render(
        self,
        specimens: Sequence[Sequence[Specimen]],
        beams: Sequence[Beam],
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> list[Pattern]:
        """See `crystalvision.contracts.Renderer.render`.

        Raises:
            InputError: The configurations of one pattern differ in their box or aperture, an
                element has no scattering factor, or the wave cannot reach the band limit.
        """
        patterns = []
        for configurations, beam in zip(specimens, beams, strict=True):
            boxes = {(*one.box_angstrom.tolist(), one.aperture) for one in configurations}
            if len(boxes) != 1:
                raise InputError(
                    "the configurations of a pattern must share one box and aperture; found "
                    f"{sorted(map(str, boxes))}"
                )
            spaced = [one if one.aperture is None else padded(one) for one in configurations]
            grid = self.grid(spaced[0], beam)
            intensity = torch.zeros(grid.inside.shape, dtype=dtype, device=device)
            for one in spaced:
                intensity += self.wave(one, beam, device=device, dtype=dtype).abs().square()
            patterns.append(
                Pattern.diffraction(
                    intensity=(intensity / len(spaced))[None],
                    sampling_inv_angstrom=(1 / grid.height_angstrom, 1 / grid.width_angstrom),
                    direct_beam=grid.reach,
                    band_limit_inv_angstrom=self.band_limit_inv_angstrom,
                )
            )
        return patterns

    def cost(self, size: SpecimenSize) -> Cost:
        """See `crystalvision.contracts.Renderer.cost`: an FFT of every layer of the grid."""
        width, height, thickness = size.box_angstrom
        points = max(1.0, 36 * width * height * self.band_limit_inv_angstrom**2)
        layers = 4 + thickness * _LAYERS_AN_ANGSTROM * self.band_limit_inv_angstrom**2
        each = points * size.elements
        return Cost(
            each * _BYTES_A_POINT + size.atoms * _BYTES_AN_ATOM,
            each * layers * _SECONDS_A_POINT + size.atoms * _SECONDS_AN_ATOM,
        )

    def grid(self, specimen: Specimen, beam: Beam) -> EwaldGrid:
        """The points of the Ewald sphere that a pattern has."""
        width, height, _ = (float(length) for length in specimen.box_angstrom)
        band = self.band_limit_inv_angstrom
        return EwaldGrid(
            height_angstrom=height,
            width_angstrom=width,
            reach=(int(band * height) + 1, int(band * width) + 1),
            radius_inv_angstrom=band,
            wavelength_angstrom=self.wavelength_angstrom(beam),
            mistilt_x_mrad=beam.mistilt_x_mrad,
            mistilt_y_mrad=beam.mistilt_y_mrad,
        )

    def wavelength_angstrom(self, beam: Beam) -> float:
        """Wavelength of the beam [Å]."""
        if self.radiation == "electrons":
            return electron_wavelength_angstrom(beam.energy_kev)
        return x_ray_wavelength_angstrom(beam.energy_kev)

    def structure_factors(
        self, specimen: Specimen, beam: Beam, *, device: torch.device, dtype: torch.dtype
    ) -> Complex[torch.Tensor, "h w"]:
        """F(q) of all atoms, centred on q = 0, which is included, and 0 beyond the band, (h, w).

        In Å for electrons (f for the rest mass), in electrons for X-rays. Phases refer to the
        origin of the box. An atom behind an aperture counts by the aperture's amplitude there.
        """
        grid = self.grid(specimen, beam)
        elements, species = np.unique(specimen.numbers, return_inverse=True)
        factors = _factors(grid, self.radiation, tuple(elements.tolist()), device, dtype)
        weights = amplitude_at_atoms(specimen)
        return structure_factors(grid, specimen.positions, species, factors, weights)

    def wave(
        self, specimen: Specimen, beam: Beam, *, device: torch.device, dtype: torch.dtype
    ) -> Complex[torch.Tensor, "h w"]:
        """The direct beam and the scattered wave, centred on q = 0, (h, w).

        Its square is the fraction of the beam that `Pattern.intensity` holds.
        """
        grid = self.grid(specimen, beam)
        scattered = self.structure_factors(specimen, beam, device=device, dtype=dtype)
        direct, power = direct_beam(grid, specimen, device=device, dtype=dtype)
        scattered -= direct * (scattered[grid.reach] / direct[grid.reach])
        scattered *= 1j * _strength(grid, self.radiation, beam.energy_kev, device, dtype)
        if self.polarisation_factor and self.radiation == "x-rays":
            scattered *= _polarisation(grid, device, dtype)
        wave: Complex[torch.Tensor, "h w"] = (direct + scattered) / power**0.5
        return wave


@lru_cache(maxsize=8)
def _factors(
    grid: EwaldGrid,
    radiation: Radiation,
    elements: tuple[int, ...],
    device: torch.device,
    dtype: torch.dtype,
) -> Float[torch.Tensor, "e 2 h w2"]:
    """Scattering factor of every element at |g|, 0 beyond the band."""
    factor = electron_scattering_factor if radiation == "electrons" else x_ray_scattering_factor
    length, inside = grid.length(), grid.inside
    whole = np.stack([factor(number, length) * inside for number in elements])
    return torch.from_numpy(half_grid(whole)).to(device, dtype)


@lru_cache(maxsize=8)
def _strength(
    grid: EwaldGrid,
    radiation: Radiation,
    energy_kev: float,
    device: torch.device,
    dtype: torch.dtype,
) -> Float[torch.Tensor, "h w"]:
    """Amplitude at each point over the structure factor there, polarisation left out."""
    per_atom = CLASSICAL_ELECTRON_RADIUS_ANGSTROM
    if radiation == "electrons":
        per_atom = relativistic_mass_ratio(energy_kev)
    area = grid.width_angstrom * grid.height_angstrom
    incident, scattered = grid.cosines()
    strength = per_atom * grid.wavelength_angstrom / area / np.sqrt(incident * scattered)
    return torch.from_numpy(strength).to(device, dtype)


@lru_cache(maxsize=8)
def _polarisation(
    grid: EwaldGrid, device: torch.device, dtype: torch.dtype
) -> Float[torch.Tensor, "h w"]:
    """√((1 + cos² 2θ)/2), with cos 2θ = 1 − λ²g²/2."""
    cosine = 1 - (grid.wavelength_angstrom * grid.length()) ** 2 / 2
    return torch.from_numpy(np.sqrt((1 + cosine**2) / 2)).to(device, dtype)
