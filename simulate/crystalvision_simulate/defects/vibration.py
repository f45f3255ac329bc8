"""Atoms in thermal motion, frozen at an instant."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int
from scipy import constants
from scipy.integrate import quad

from crystalvision.contracts import Crystal, Defect, DefectiveCrystal, Measure
from crystalvision.errors import InputError
from crystalvision_simulate.defects._checks import check_not_negative
from crystalvision_simulate.defects._degree import in_quadrature


class ThermalVibration(Defect):
    """Independent Gaussian displacements of the size that temperature gives (Einstein model).

    The mean square comes from the Debye model of each element's mass, zero-point motion included,
    or from given B factors. For no thermal motion at all, leave this defect out.
    `thermal_displacement_rms_angstrom` is the root mean square drawn, along one axis [Å].
    """

    stage = "motion"
    measures = (
        Measure(
            "thermal_displacement_rms_angstrom",
            "angstrom",
            "measured: thermal motion along one axis, root mean square",
            in_quadrature,
        ),
    )

    def __init__(
        self,
        temperature_kelvin: float = 300.0,
        debye_temperature_kelvin: float = 950.0,
        b_iso_angstrom2: dict[str, float] | None = None,
    ) -> None:
        """Make the defect.

        Args:
            temperature_kelvin: Temperature [K].
            debye_temperature_kelvin: Debye temperature [K]; 950 K is that of silicon nitride.
            b_iso_angstrom2: Debye–Waller factors B = 8π²⟨u²⟩ by element [Å²], instead of the Debye
                model; then the temperature does not matter.

        Raises:
            InputError: A temperature or a factor is negative, or the Debye temperature is zero.
        """
        self.temperature_kelvin = check_not_negative("temperature_kelvin", temperature_kelvin)
        if not debye_temperature_kelvin > 0:
            raise InputError(
                f"debye_temperature_kelvin is {debye_temperature_kelvin}; expected more than 0"
            )
        self.debye_temperature_kelvin = debye_temperature_kelvin
        self.b_iso_angstrom2 = b_iso_angstrom2
        for element, factor in (b_iso_angstrom2 or {}).items():
            check_not_negative(f"b_iso_angstrom2 of {element}", factor)

    def apply(self, crystal: Crystal, rng: np.random.Generator) -> DefectiveCrystal:
        """Displace the atoms.

        Raises:
            InputError: An element of the crystal has no B factor.
        """
        sigma = self.rms_angstrom(crystal.numbers)
        shifts = rng.normal(size=crystal.positions.shape) * sigma[:, None]
        return DefectiveCrystal(
            crystal.with_atoms(crystal.positions + shifts, crystal.numbers),
            {"thermal_displacement_rms_angstrom": float(np.sqrt(np.mean(shifts**2)))},
        )

    def rms_angstrom(self, numbers: Int[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
        """Root mean square displacement of each atom along one axis [Å], (n,) → (n,)."""
        from ase.data import atomic_masses, chemical_symbols

        found, inverse = np.unique(numbers, return_inverse=True)
        if self.b_iso_angstrom2 is None:
            per_element = [
                debye_rms_angstrom(
                    atomic_masses[number], self.temperature_kelvin, self.debye_temperature_kelvin
                )
                for number in found
            ]
        else:
            per_element = [
                np.sqrt(_factor(self.b_iso_angstrom2, chemical_symbols[number]) / (8 * np.pi**2))
                for number in found
            ]
        return np.asarray(per_element)[inverse]


def debye_rms_angstrom(
    mass_dalton: float, temperature_kelvin: float, debye_temperature_kelvin: float
) -> float:
    """Root mean square displacement along one axis in the Debye model [Å].

    ⟨u²⟩ = 3ħ²/(mkΘ) · [1/4 + (T/Θ)² ∫₀^{Θ/T} x/(eˣ−1) dx] (Willis and Pryor, Thermal Vibrations in
    Crystallography, 1975).

    Args:
        mass_dalton: Mass of the atom [Da].
        temperature_kelvin: Temperature [K]; at 0 the zero-point motion is left.
        debye_temperature_kelvin: Debye temperature [K].
    """
    mass = mass_dalton * constants.atomic_mass
    scale = 3 * constants.hbar**2 / (mass * constants.k * debye_temperature_kelvin)
    thermal = 0.0
    if temperature_kelvin > 0:
        ratio = debye_temperature_kelvin / temperature_kelvin
        integral, _ = quad(lambda x: x / np.expm1(x) if x > 0 else 1.0, 0, min(ratio, 200.0))
        thermal = integral / ratio**2
    return float(np.sqrt(scale * (0.25 + thermal)) / constants.angstrom)


def _factor(factors: Mapping[str, float], symbol: str) -> float:
    if symbol not in factors:
        raise InputError(
            f"thermal-vibration: b_iso_angstrom2 has no value for {symbol}; "
            f"it has {', '.join(factors) or 'none'}"
        )
    return factors[symbol]
