"""X-rays: wavelength, and atomic scattering factors."""

import csv
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float
from scipy import constants

from crystalvision.errors import InputError

CLASSICAL_ELECTRON_RADIUS_ANGSTROM = float(
    constants.value("classical electron radius") / constants.angstrom
)
"""Length by which one electron scatters X-rays [Å]."""

_TABLE = "waasmaier_kirfel_1995.csv"
_FITTED_TO_INV_ANGSTROM = 12.0  # sin θ / λ up to 6 1/Å


def x_ray_wavelength_angstrom(energy_kev: float) -> float:
    """Wavelength [Å] of a photon of this energy [keV].

    Raises:
        InputError: The energy is not positive.
    """
    if not energy_kev > 0:
        raise InputError(f"energy_kev is {energy_kev}; expected a positive number, such as 8.048")
    joule = energy_kev * 1e3 * constants.e
    return float(constants.h * constants.c / joule / constants.angstrom)


def x_ray_scattering_factor(
    number: int, g_inv_angstrom: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """Scattering factor f₀ of a neutral atom for X-rays, far from its absorption edges [electrons].

    Waasmaier and Kirfel, Acta Cryst. A51, 416 (1995): f₀(s) = c + Σ aᵢ exp(−bᵢ s²), s = g/2.

    Args:
        number: Atomic number, 1 to 98.
        g_inv_angstrom: Length of the scattering vector, g = 1/d [1/Å], at most 12.

    Raises:
        InputError: The table has no such element, or g is beyond the range of the fit.
    """
    table = _parameters()
    if number not in table:
        raise InputError(f"no X-ray scattering factor for atomic number {number}; expected 1 to 98")
    a, b, constant = table[number]
    g = np.asarray(g_inv_angstrom, dtype=np.float64)
    if g.size and g.max() > _FITTED_TO_INV_ANGSTROM:
        raise InputError(
            f"X-ray scattering factors are known up to g = {_FITTED_TO_INV_ANGSTROM:g} 1/Å, not "
            f"{g.max():.4g} 1/Å; lower the band limit, or the pixels or their size"
        )
    squared = (g / 2) ** 2
    factor = np.full(g.shape, constant)
    for a_i, b_i in zip(a, b, strict=True):
        factor += a_i * np.exp(-b_i * squared)
    return factor


@cache
def _parameters() -> dict[int, tuple[Float[np.ndarray, "5"], Float[np.ndarray, "5"], float]]:
    text = (files("crystalvision_simulate.scattering") / _TABLE).read_text(encoding="utf-8")
    table = {}
    for row in csv.DictReader(text.splitlines()):
        a = np.array([float(row[f"a{i}"]) for i in range(1, 6)])
        b = np.array([float(row[f"b{i}_angstrom2"]) for i in range(1, 6)])
        table[int(row["number"])] = (a, b, float(row["c"]))
    return table
