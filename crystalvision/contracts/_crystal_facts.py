"""What a crystal is, in a few words and numbers: said to the user, and stored with a dataset."""

import warnings
from dataclasses import dataclass
from typing import Self

import numpy as np
from pydantic import Field

from crystalvision.config import Config
from crystalvision.contracts._crystal import Crystal

_GRAMS = 1.66053907  # g/cm³ of one dalton in an Å³
_TOLERANCE = 0.01  # Å
_MOST_ATOMS = 2_000  # takes spglib seconds, and time grows as their square


@dataclass(frozen=True, slots=True)
class SpaceGroup:
    """A space group.

    Attributes:
        symbol: Its short Hermann–Mauguin symbol, such as `Fd-3m`.
        number: Its number in the International Tables.
    """

    symbol: str
    number: int

    def __str__(self) -> str:
        """Symbol and number, such as `Fd-3m (227)`."""
        return f"{self.symbol} ({self.number})"


def space_group(crystal: Crystal, *, tolerance_angstrom: float = _TOLERANCE) -> SpaceGroup | None:
    """The space group of a crystal, as spglib finds it on the atoms.

    Args:
        crystal: The crystal, of at most a few thousand atoms.
        tolerance_angstrom: How far atoms may be from where symmetry puts them [Å].

    Returns:
        The space group; `None` where spglib finds none, or for more atoms.
    """
    import spglib

    if len(crystal) > _MOST_ATOMS or not crystal.periodic.all():
        return None
    fractional = crystal.positions @ np.linalg.inv(crystal.cell)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how it reports errors
        try:
            found = spglib.get_symmetry_dataset(
                (crystal.cell.tolist(), fractional.tolist(), crystal.numbers.tolist()),
                symprec=tolerance_angstrom,
            )
        except Exception:  # its errors are of another type in each version
            return None
    return None if found is None else SpaceGroup(str(found.international), int(found.number))


class CrystalFacts(Config):
    """What a crystal is.

    Attributes:
        formula: Its reduced formula, such as `Si3N4`.
        atoms: Number of atoms in the cell.
        space_group: Symbol and number that spglib finds on the atoms, such as `Fd-3m (227)`; empty
            where it finds none, or does not look, as for more than 2,000 atoms.
        density_g_cm3: Density of the cell [g/cm³].
        assumed: What was assumed when it was read, a sentence each.
        varies: How it differs from sample to sample, if numbers of it are drawn: the rest is that
            of one of them.
    """

    formula: str
    atoms: int = Field(gt=0)
    space_group: str = ""
    density_g_cm3: float = Field(gt=0, allow_inf_nan=False)
    assumed: tuple[str, ...] = ()
    varies: str = ""

    @classmethod
    def of(cls, crystal: Crystal) -> Self:
        """What is to be said of a crystal."""
        from ase.data import atomic_masses, chemical_symbols
        from pymatgen.core.composition import Composition

        numbers, counts = np.unique(crystal.numbers, return_counts=True)
        amounts = {
            chemical_symbols[number]: int(count)
            for number, count in zip(numbers, counts, strict=True)
        }
        mass = float(atomic_masses[crystal.numbers].sum())
        return cls(
            formula=Composition(amounts).reduced_formula,
            atoms=len(crystal),
            space_group=str(space_group(crystal) or ""),
            density_g_cm3=round(_GRAMS * mass / crystal.volume_angstrom3, 4),
            assumed=crystal.assumed,
        )

    def __str__(self) -> str:
        """One line, such as `Si3N4, 14 atoms in the cell, P6_3/m (176), 3.2 g/cm³`."""
        many = self.atoms > _MOST_ATOMS
        none = "too many atoms to find a space group" if many else "no space group found"
        group = self.space_group or none
        plural = "s" if self.atoms > 1 else ""
        return (
            f"{self.formula}, {self.atoms} atom{plural} in the cell, {group}, "
            f"{self.density_g_cm3:.3g} g/cm³{'; ' if self.varies else ''}{self.varies}"
        )
