"""Electrons: relativistic mass and atomic scattering factors."""

import csv
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float

from crystalvision.electrons import REST_ENERGY_KEV
from crystalvision.errors import InputError

_TABLE = "lobato_van_dyck_2014.csv"


def relativistic_mass_ratio(energy_kev: float) -> float:
    """Mass of an electron of this kinetic energy [keV] over its rest mass, γ."""
    return float(1 + energy_kev / REST_ENERGY_KEV)


def electron_scattering_factor(
    number: int, g_inv_angstrom: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """Scattering factor of a neutral atom for electrons, for the rest mass of the electron [Å].

    Lobato and Van Dyck, Acta Cryst. A70, 636 (2014): f(g) = Σ aᵢ (2 + bᵢg²) / (1 + bᵢg²)².

    Args:
        number: Atomic number, 1 to 103.
        g_inv_angstrom: Length of the scattering vector, g = 1/d [1/Å].

    Raises:
        InputError: The table has no such element.
    """
    table = _parameters()
    if number not in table:
        raise InputError(
            f"no electron scattering factor for atomic number {number}; expected 1 to 103"
        )
    a, b = table[number]
    squared = np.asarray(g_inv_angstrom, dtype=np.float64)[..., None] ** 2
    terms: Float[np.ndarray, "*shape 5"] = a * (2 + b * squared) / (1 + b * squared) ** 2
    return np.asarray(terms.sum(axis=-1))


@cache
def _parameters() -> dict[int, tuple[Float[np.ndarray, "5"], Float[np.ndarray, "5"]]]:
    text = (files("crystalvision_simulate.scattering") / _TABLE).read_text(encoding="utf-8")
    table = {}
    for row in csv.DictReader(text.splitlines()):
        a = np.array([float(row[f"a{i}_angstrom"]) for i in range(1, 6)])
        b = np.array([float(row[f"b{i}_angstrom2"]) for i in range(1, 6)])
        table[int(row["number"])] = (a, b)
    return table
