"""Lines of X-ray tubes."""

from collections.abc import Mapping

from crystalvision.errors import InputError

K_ALPHA_ANGSTROM: Mapping[str, tuple[float, float]] = {
    "Cr": (2.289726, 2.293651),
    "Fe": (1.936041, 1.939973),
    "Co": (1.788996, 1.792835),
    "Cu": (1.5405929, 1.5444274),
    "Mo": (0.709317, 0.713607),
    "Ag": (0.559422, 0.563813),
}
"""Kα₁ and Kα₂ of an anode [Å]: Deslattes et al. 2003, Rev. Mod. Phys. 75, 35."""

_LEAST_ANGSTROM, _MOST_ANGSTROM = 0.05, 10.0
_ALIKE = 5e-4  # relative: tables of one line differ by less, lines of neighbours by more


def same_wavelength(one_angstrom: float, other_angstrom: float) -> bool:
    """Whether two numbers are one line, of which tables give slightly different values."""
    return abs(one_angstrom / other_angstrom - 1) < _ALIKE


def stated_wavelength(wavelength_angstrom: float | None, anode: str | None) -> float | None:
    """The wavelength that a user states, by a number or by an anode, whose Kα₁ it then is [Å].

    Raises:
        InputError: Both, a number that is none, or an anode whose lines are not known.
    """
    if anode is None:
        wave = wavelength_angstrom
        if wave is not None and not _LEAST_ANGSTROM <= wave <= _MOST_ANGSTROM:
            raise InputError(
                f"--wavelength-angstrom {wave:g}: expected one of X-rays, {_LEAST_ANGSTROM:g} to "
                f"{_MOST_ANGSTROM:g} Å, such as 1.5406"
            )
        return wave
    if wavelength_angstrom is not None:
        raise InputError(
            f"--wavelength-angstrom {wavelength_angstrom:g} and --anode {anode}: give one of them"
        )
    symbol = anode.strip().capitalize()
    if symbol not in K_ALPHA_ANGSTROM:
        raise InputError(
            f"--anode {anode}: expected one of {', '.join(K_ALPHA_ANGSTROM)}, or give "
            "--wavelength-angstrom"
        )
    return K_ALPHA_ANGSTROM[symbol][0]
