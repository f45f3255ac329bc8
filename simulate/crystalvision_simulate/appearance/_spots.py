"""The spots of an ideal crystal at a zone axis, from the structure factors of its unit cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Complex, Float, Int

from crystalvision.contracts import Crystal
from crystalvision_simulate.scattering import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
)
from crystalvision_simulate.specimens import along_beam, zone_reflections

Scattering: TypeAlias = Literal["kinematic", "dynamical"]


@dataclass(frozen=True, slots=True, eq=False)
class ZoneSpots:
    """The spots of a zone-axis pattern, the direct beam left out.

    Attributes:
        places_inv_angstrom: Where they lie across the beam, x then y [1/Å], (n, 2).
        least: Least fraction of the beam that goes there, of all conditions, (n,).
        greatest: Greatest one, (n,).
    """

    places_inv_angstrom: Float[np.ndarray, "n 2"]
    least: Float[np.ndarray, "n"]
    greatest: Float[np.ndarray, "n"]


def zone_spots(
    unit_cell: Crystal,
    zone_axis: tuple[int, int, int],
    *,
    reach_inv_angstrom: float,
    thicknesses_angstrom: Sequence[float],
    energies_kev: Sequence[float],
    scattering: Scattering,
) -> ZoneSpots:
    """The spots of the zero-order Laue zone, for the beam along the axis.

    In crystal of volume V, beams follow dψ_g/dz = 2πi s_g ψ_g + i Σ_h U_(g−h) ψ_h with
    U_g = γλ F_g / V and the excitation error s_g = −λg²/2 (Hirsch et al., Electron Microscopy of
    Thin Crystals, 1965, chapter 9; without absorption and higher zones). `dynamical` solves that;
    `kinematic` keeps what comes from the direct beam, I_g = (t U_g)² sinc²(s_g t).

    Args:
        unit_cell: The ideal crystal, at rest.
        zone_axis: Direction [uvw] along the beam.
        reach_inv_angstrom: Greatest |g| of a spot [1/Å].
        thicknesses_angstrom: Thicknesses [Å], and
        energies_kev: energies [keV], of all of which the least and the greatest are taken.
        scattering: Whether electrons are scattered once, or as often as they are.
    """
    hkl = zone_reflections(unit_cell, zone_axis, reach_inv_angstrom)
    reciprocal = np.linalg.inv(unit_cell.cell).T
    places = (hkl @ reciprocal @ along_beam(unit_cell, zone_axis).T)[:, :2]
    found = []
    for energy in energies_kev:
        wavelength = electron_wavelength_angstrom(energy)
        strength = relativistic_mass_ratio(energy) * wavelength / unit_cell.volume_angstrom3
        errors = -wavelength * (places**2).sum(axis=1) / 2
        if scattering == "kinematic":
            factors = strength * np.abs(_structure_factors(unit_cell, hkl))
            found += [(factors * t * np.sinc(errors * t)) ** 2 for t in thicknesses_angstrom]
        else:
            matrix = strength * _couplings(unit_cell, hkl)
            matrix[np.diag_indices(len(hkl))] = 2 * np.pi * errors
            found += _through(matrix, thicknesses_angstrom)
    fractions = np.stack(found)[:, 1:]  # the first is the direct beam
    return ZoneSpots(places[1:], fractions.min(axis=0), fractions.max(axis=0))


def _through(
    matrix: Complex[np.ndarray, "n n"], thicknesses_angstrom: Sequence[float]
) -> list[Float[np.ndarray, "n"]]:
    """Intensity of each beam, (n,), behind each thickness; the first beam came in."""
    values, vectors = np.linalg.eigh(matrix)
    entering = vectors[0].conj()
    return [
        np.abs(vectors @ (np.exp(1j * values * thickness) * entering)) ** 2
        for thickness in thicknesses_angstrom
    ]


def _couplings(unit_cell: Crystal, hkl: Int[np.ndarray, "n 3"]) -> Complex[np.ndarray, "n n"]:
    """Structure factor of the difference of every two reflections, (n, n)."""
    steps = (hkl[:, None] - hkl).reshape(-1, 3)
    distinct, places = np.unique(steps, axis=0, return_inverse=True)
    found: Complex[np.ndarray, "n n"] = _structure_factors(unit_cell, distinct)[
        places.reshape(len(hkl), len(hkl))
    ]
    return found


def _structure_factors(unit_cell: Crystal, hkl: Int[np.ndarray, "n 3"]) -> Complex[np.ndarray, "n"]:
    """F = Σ f(g) exp(−2πi h·x) of reflections [Å], for the electron's rest mass, (n,)."""
    inverse = np.linalg.inv(unit_cell.cell)
    length = np.linalg.norm(hkl @ inverse.T, axis=1)
    phases = np.exp(-2j * np.pi * (hkl @ (unit_cell.positions @ inverse).T))
    total = np.zeros(len(hkl), dtype=np.complex128)
    for number in np.unique(unit_cell.numbers):
        factor = electron_scattering_factor(int(number), length)
        total += factor * phases[:, unit_cell.numbers == number].sum(axis=1)
    return total
