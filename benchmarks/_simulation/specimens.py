"""The crystals with defects that every engine is given."""

import numpy as np

from crystalvision.contracts import Crystal, Specimen
from crystalvision_simulate.defects.vacancy import Vacancy
from crystalvision_simulate.defects.vibration import ThermalVibration
from crystalvision_simulate.specimens import SlabCutter
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

CELL_ANGSTROM = 2.911
"""Height of a cell of β-Si₃N₄ along [001]: two atomic layers."""

ENERGY_KEV = 200.0


def defective_slab(
    width_angstrom: float, cells: float, *, vacancies: float = 0.14, seed: int = 0
) -> Crystal:
    """β-Si₃N₄ along [001] with vacancies and the thermal motion of 300 K.

    Args:
        width_angstrom: Width [Å], met as nearly as whole cells allow.
        cells: Cells along the beam.
        vacancies: Fraction of the atoms that is missing.
        seed: Seed of the defects.
    """
    rng = np.random.default_rng(seed)
    cutter = SlabCutter(beta_silicon_nitride(), width_angstrom=width_angstrom)
    ideal = cutter.cut(CELL_ANGSTROM * cells)
    damaged = Vacancy(vacancies).apply(ideal, rng).crystal
    return ThermalVibration().apply(damaged, rng).crystal


def random_crystal(atoms: int, box_angstrom: np.ndarray, *, seed: int) -> Crystal:
    """Silicon and nitrogen at random positions anywhere in a box [Å]."""
    rng = np.random.default_rng(seed)
    return Crystal(
        rng.random((atoms, 3)) * box_angstrom,
        rng.choice(np.array([7, 14]), size=atoms),
        np.diag(box_angstrom),
        np.array([True, True, True]),
    )


def random_specimen(atoms: int, box_angstrom: np.ndarray, *, seed: int) -> Specimen:
    """The same in the beam."""
    crystal = random_crystal(atoms, box_angstrom, seed=seed)
    return Specimen(crystal.positions, crystal.numbers, box_angstrom)
