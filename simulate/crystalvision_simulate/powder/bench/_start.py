"""What a bench of powders begins with, and how far its sliders go."""

from collections.abc import Mapping
from typing import Any

from crystalvision.plugins import Catalogue
from crystalvision.samples import Control
from crystalvision_simulate.bench.parts import ready_structures


def anew(catalogue: Catalogue) -> dict[str, Any]:
    """A recipe of every structure that is there, as one diffractometer with copper records it."""
    first = "si3n4-beta"
    names = sorted(ready_structures(catalogue), key=lambda name: (name != first, name))
    return {
        "name": "bench",
        "samples": 1,
        "candidates": {"structures": names},
        "crystal": {"thermal_rms_angstrom": 0.08},
        "instrument": INSTRUMENT,
    }


INSTRUMENT: Mapping[str, Any] = {
    "name": "powder-diffractometer",
    "anode": "Cu",
    "two_theta_min_deg": 10.0,
    "two_theta_max_deg": 89.96,
    "step_deg": 0.04,
    "w_deg2": 0.01,
    "size_angstrom": 600.0,
    "microstrain": 0.0,
    "zero_shift_deg": 0.0,
    "displacement_mm": 0.0,
    "peak_counts": 1.0e4,
    "background_counts": 50.0,
}
"""What records a powder where the recipe does not say."""

CRYSTAL = tuple(
    Control(f"crystal.{name}", label, "number", units, low, high, logarithmic=factors, help=meaning)
    for name, label, units, low, high, factors, meaning in (
        (
            "thermal_rms_angstrom", "thermal motion", "Å", 0, 0.3, False,
            "Of every atom along one axis, root mean square.",
        ),
        (
            "cell_error", "strain of the cell", "", -0.02, 0.02, False,
            "Relative error of the lattice parameters, of all alike.",
        ),
        (
            "cell_spread", "strain of each axis", "", 0, 0.02, False,
            "Standard deviation of a further error of each axis, which the seed draws.",
        ),
        (
            "march_dollase", "texture r", "", 0.1, 5, True,
            "Of March and Dollase: 1 for none, less for flat plates; the seed draws its axis.",
        ),
        (
            "intensity_spread", "few grains", "", 0, 1, False,
            "By how much reflections are off, as the standard deviation of a logarithm.",
        ),
        (
            "foreign_share", "lines of the other phase", "", 0, 1, False,
            "What it scatters, relative to the first.",
        ),
    )
)  # fmt: skip
"""What varies in the crystals."""
