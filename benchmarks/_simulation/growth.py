"""How the time grows with atoms, points of the grid, slices and batch."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from _simulation.settings import Result, Run
from _simulation.specimens import ENERGY_KEV, random_specimen
from _simulation.timing import power_law, seconds
from crystalvision.contracts import Beam, Specimen
from crystalvision_simulate.renderers.kinematic import Kinematic
from crystalvision_simulate.renderers.multislice import Multislice

_SIDE_ANGSTROM = 40.0
_SLICE_ANGSTROM = 1.5
_SLICES = 16
_ATOMS = 8000
_BAND_INV_ANGSTROM = 2.1  # 252 points a side

Work = Callable[[], object]


def measure(run: Run) -> Result:
    """Slopes of log time against log size, one size at a time made larger.

    Atoms lie anywhere in a box of 40 × 40 Å with 16 slices and 252 × 252 points, unless it is they
    that grow.
    """
    studies = {
        "multislice_atoms": _atoms,
        "multislice_points": _points,
        "multislice_slices": _slices,
        "multislice_batch": _batch,
        "kinematic_atoms": _kinematic_atoms,
    }
    result: Result = {}
    for name, study in studies.items():
        sizes, times = [], []
        for size, work in study(run):
            work()
            repeats = 1 if run.size == "tiny" else 5
            sizes.append(size)
            times.append(float(np.median([seconds(work, run.device) for _ in range(repeats)])))
        result[name] = power_law(sizes, times)
        fit = result[name]
        run.say(f"  {name}: slope {fit['exponent']:.2f}, at the end {fit['last_exponent']:.2f}")
    return result


def _factors(run: Run) -> list[int]:
    return [2**power for power in range(run.sizes.growth.bit_length())]


def _specimen(run: Run, atoms: int, slices: int) -> Specimen:
    # A hair below whole slices, so that rounding makes no further one.
    box = np.array([_SIDE_ANGSTROM, _SIDE_ANGSTROM, slices * _SLICE_ANGSTROM - 1e-6])
    return random_specimen(atoms, box, seed=run.seed)


def _multislice(run: Run, specimens: list[Specimen], band: float = _BAND_INV_ANGSTROM) -> Work:
    renderer = Multislice(_SLICE_ANGSTROM, band)
    beams = [Beam(ENERGY_KEV)] * len(specimens)
    return partial(renderer.render, [[one] for one in specimens], beams, device=run.device)


def _atoms(run: Run) -> Iterator[tuple[float, Work]]:
    for factor in _factors(run):
        atoms = _ATOMS // 2 * factor
        yield atoms, _multislice(run, [_specimen(run, atoms, _SLICES)])


def _points(run: Run) -> Iterator[tuple[float, Work]]:
    specimen = _specimen(run, _ATOMS, _SLICES)
    for factor in _factors(run):
        band = _BAND_INV_ANGSTROM / 2 * factor**0.5
        side = 3 * band * _SIDE_ANGSTROM
        yield side**2, _multislice(run, [specimen], band)


def _slices(run: Run) -> Iterator[tuple[float, Work]]:
    """More slices of one specimen's width with as many atoms in each."""
    for factor in _factors(run):
        slices = _SLICES // 4 * factor
        atoms = _ATOMS // _SLICES * slices
        yield slices, _multislice(run, [_specimen(run, atoms, slices)])


def _batch(run: Run) -> Iterator[tuple[float, Work]]:
    specimen = _specimen(run, _ATOMS, _SLICES)
    for factor in _factors(run):
        yield factor, _multislice(run, [specimen] * factor)


def _kinematic_atoms(run: Run) -> Iterator[tuple[float, Work]]:
    renderer = Kinematic(band_limit_inv_angstrom=1.6)
    for factor in _factors(run):
        specimen = _specimen(run, _ATOMS * factor, _SLICES)
        yield (
            _ATOMS * factor,
            partial(renderer.render, [[specimen]], [Beam(ENERGY_KEV)], device=run.device),
        )
