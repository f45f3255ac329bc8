"""Lines of X-ray tubes."""

from collections.abc import Mapping

K_ALPHA_ANGSTROM: Mapping[str, tuple[float, float]] = {
    "Cr": (2.289726, 2.293651),
    "Fe": (1.936041, 1.939973),
    "Co": (1.788996, 1.792835),
    "Cu": (1.5405929, 1.5444274),
    "Mo": (0.709317, 0.713607),
    "Ag": (0.559422, 0.563813),
}
"""Kα₁ and Kα₂ of an anode [Å]: Deslattes et al. 2003, Rev. Mod. Phys. 75, 35."""

_ALIKE = 5e-4  # relative: tables of one line differ by less, lines of neighbours by more


def same_wavelength(one_angstrom: float, other_angstrom: float) -> bool:
    """Whether two numbers are one line, of which tables give slightly different values."""
    return abs(one_angstrom / other_angstrom - 1) < _ALIKE


def anode_of(wavelength_angstrom: float) -> str | None:
    """The anode whose Kα₁ has a wavelength, if there is one."""
    return next(
        (
            anode
            for anode, (first, _) in K_ALPHA_ANGSTROM.items()
            if same_wavelength(wavelength_angstrom, first)
        ),
        None,
    )
