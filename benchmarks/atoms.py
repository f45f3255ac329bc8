"""How cutting a crystal for an aperture grows with the atoms of its cell: `python atoms.py`.

Relaxed supercells of silicon, without any symmetry, and the same without relaxation, of which every
translation must be found. Prints a table of seconds on one core.
"""

import time

import ase.build
import numpy as np

from crystalvision.contracts import Crystal
from crystalvision_simulate.specimens import CrystalCutter

_REPEATS = (5, 11, 18)
_DISPLACED_ANGSTROM = 0.05


def supercell(repeats: int, displaced_angstrom: float) -> Crystal:
    """A cube of silicon cells, each atom off its site by a normal deviate along each axis."""
    atoms = ase.build.bulk("Si", cubic=True).repeat((repeats,) * 3)
    deviates = np.random.default_rng(0).normal(0, 1, atoms.positions.shape)
    atoms.positions += displaced_angstrom * deviates
    return Crystal.from_ase(atoms)


def main() -> None:
    """Measure, and print the table."""
    print("| atoms | relaxed [s] | as repeated [s] |\n|---|---|---|")
    for repeats in _REPEATS:
        times = []
        for displaced in (_DISPLACED_ANGSTROM, 0.0):
            crystal = supercell(repeats, displaced)
            start = time.perf_counter()
            CrystalCutter(crystal, zone_axis=(0, 0, 1), width_angstrom=80).cut(100)
            times.append(time.perf_counter() - start)
        print(f"| {len(crystal):,} | {times[0]:.2f} | {times[1]:.2f} |")


if __name__ == "__main__":
    main()
