"""Kinematic patterns of a defect supercell: ours, diffsims' two ways, pymatgen's."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch

from _simulation.engines import Engine
from _simulation.peers import diffsims_atomic, diffsims_reflections, missing
from _simulation.settings import Result, Run
from _simulation.specimens import CELL_ANGSTROM, ENERGY_KEV, defective_slab
from _simulation.timing import interleaved, power_law, ratios, seconds, spread
from crystalvision.contracts import Beam, Crystal
from crystalvision_simulate.renderers.kinematic import Kinematic
from crystalvision_simulate.specimens import specimen_of
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

_REACH_INV_ANGSTROM = 1.6
_VACANCIES = 0.07


def measure(run: Run) -> Result:
    """Time a pattern up to 1.6 1/Å; peers on the largest supercell they finish in their time."""
    sizes = run.sizes
    crystal = _supercell(run, sizes.kinematic_cells)
    with Engine(run, partial(_ours, crystal, run.device)) as ours:
        times = interleaved({"ours": ours.seconds}, max(7, sizes.rounds))["ours"]
    median = float(np.median(times))
    cost = 1e6 * median / len(crystal)
    run.say(f"  ours, {len(crystal)} atoms: {median:.3g} s, {cost:.3g} µs an atom")
    result: Result = {
        "atoms": len(crystal),
        "reach_inv_angstrom": _REACH_INV_ANGSTROM,
        "box_angstrom": np.diag(crystal.cell).tolist(),
        "ours_seconds": spread(times),
        "ours_microseconds_an_atom": cost,
        "pymatgen": _pymatgen(run),
        "peer_missing": missing("diffsims"),
    }
    if result["peer_missing"] is None:
        result["diffsims_atomic"] = {
            name: _atomic(run, crystal, fastest=fastest)
            for name, fastest in (("defaults", False), ("fastest", True))
        }
        result["diffsims_reflections"] = _reflections(run, len(crystal), median)
    return result


def _ours(crystal: Crystal, device: torch.device) -> Callable[[], object]:
    renderer = Kinematic(band_limit_inv_angstrom=_REACH_INV_ANGSTROM)
    return partial(renderer.render, [[specimen_of(crystal)]], [Beam(ENERGY_KEV)], device=device)


def _atomic(run: Run, crystal: Crystal, *, fastest: bool) -> Result:
    """The FFT of diffsims on the same atoms, in pairs with ours, and the patterns' correlation."""
    prepare = partial(diffsims_atomic, crystal, ENERGY_KEV, _REACH_INV_ANGSTROM, fastest=fastest)
    with (
        Engine(run, partial(_ours, crystal, run.device)) as ours,
        Engine(run, prepare) as theirs,
    ):
        timers = {"ours": ours.seconds, "theirs": theirs.seconds}
        times = interleaved(timers, min(run.sizes.rounds, 7))
        pattern = theirs.result()
    ratio = ratios(times["theirs"], times["ours"])
    run.say(f"  diffsims, atomic, {'fastest' if fastest else 'defaults'}: {ratio['median']:.3g} ×")
    return {
        "seconds": spread(times["theirs"]),
        "microseconds_an_atom": 1e6 * float(np.median(times["theirs"])) / len(crystal),
        "theirs_over_ours": ratio,
        "correlation": _correlation(crystal, pattern),
    }


def _correlation(crystal: Crystal, theirs: np.ndarray) -> float:
    """Correlation of diffsims' intensities with ours in float64, the direct beam left out."""
    renderer = Kinematic(band_limit_inv_angstrom=_REACH_INV_ANGSTROM)
    specimen, beam = specimen_of(crystal), Beam(ENERGY_KEV)
    (pattern,) = renderer.render(
        [[specimen]], [beam], device=torch.device("cpu"), dtype=torch.float64
    )
    row, column = pattern.direct_beam
    middle_row, middle_column = (size // 2 for size in theirs.shape)
    reach_y, reach_x = min(row, middle_row) - 2, min(column, middle_column) - 2
    y, x = np.mgrid[-reach_y : reach_y + 1, -reach_x : reach_x + 1]
    step_y, step_x = pattern.sampling_inv_angstrom
    length = np.hypot(y * step_y, x * step_x)
    used = (length > 0.08) & (length < 0.9 * _REACH_INV_ANGSTROM)
    mine = pattern.intensity[0].numpy()[row + y, column + x]
    other = theirs[middle_row + y, middle_column + x]
    return float(np.corrcoef(mine[used], other[used])[0, 1])


def _reflections(run: Run, target_atoms: int, ours_seconds: float) -> Result:
    """The sum of diffsims over reflections, on thicker and thicker slabs of the section's width.

    Equal width keeps the number of reflections, so that its time should grow with the atoms.
    `theirs_over_ours_an_atom` compares the cost of an atom in the largest supercell that it
    finished with ours in the section's; `theirs_over_ours_extrapolated` takes the power law that
    fits all of them to the section's supercell.
    """
    atoms: list[int] = []
    times: list[float] = []
    reflections = 0
    for cells in _doubling(run.sizes.kinematic_cells):
        crystal = _supercell(run, cells)
        work = diffsims_reflections(crystal, ENERGY_KEV, _REACH_INV_ANGSTROM)
        if not times:
            reflections = work()  # compiles as well
        atoms.append(len(crystal))
        times.append(seconds(work, run.device))
        run.say(f"  diffsims, reflections: {len(crystal)} atoms {times[-1]:.3g} s")
        if times[-1] * 2.5 > run.sizes.peer_seconds:  # the next has twice the atoms
            break
    cost = times[-1] / atoms[-1]
    result: Result = {
        "fit": power_law(atoms, times),
        "reflections": reflections,
        "largest_atoms": atoms[-1],
        "largest_seconds": times[-1],
        "microseconds_an_atom": 1e6 * cost,
        "theirs_over_ours_an_atom": cost / (ours_seconds / target_atoms),
    }
    if "exponent" in result["fit"]:
        fit = result["fit"]
        extrapolated = fit["factor"] * target_atoms ** fit["exponent"]
        result["extrapolated_seconds"] = extrapolated
        result["theirs_over_ours_extrapolated"] = extrapolated / ours_seconds
    return result


def _doubling(largest: int) -> Iterator[int]:
    cells = 1
    while cells <= largest:
        yield cells
        cells *= 2


def _supercell(run: Run, cells: int) -> Crystal:
    width = run.sizes.kinematic_width_angstrom
    return defective_slab(width, cells, vacancies=_VACANCIES, seed=run.seed)


def _pymatgen(run: Run) -> Result:
    """Times of pymatgen on ideal cells, which is what it is for.

    `TEMCalculator` gives the reflections of one zone, `XRDCalculator` (Cu Kα) those of a powder.
    """
    from pymatgen.analysis.diffraction.tem import TEMCalculator
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    structure = beta_silicon_nitride().to_pymatgen()
    result: Result = {}
    for name, calculator in (
        ("TEMCalculator", TEMCalculator(voltage=ENERGY_KEV)),
        ("XRDCalculator", XRDCalculator(symprec=0)),
    ):
        atoms: list[int] = []
        times: list[float] = []
        for repeats in (1, 2, 3, 4, 6):
            cell = structure.make_supercell([repeats, repeats, 1], in_place=False)
            atoms.append(len(cell))
            times.append(seconds(partial(calculator.get_pattern, cell), run.device))
            if times[-1] * 4 > run.sizes.peer_seconds / 3:
                break
        result[name] = {
            "fit": power_law(atoms, times),
            "largest_atoms": atoms[-1],
            "microseconds_an_atom": 1e6 * times[-1] / atoms[-1],
        }
        run.say(f"  pymatgen {name}: {atoms[-1]} atoms {times[-1]:.3g} s")
    result["ours"] = _ours_small(run)
    return result


def _ours_small(run: Run) -> Result:
    """Ours on a small slab, for the scale of pymatgen's."""
    crystal = defective_slab(15, 1, vacancies=0, seed=run.seed)
    timer = partial(seconds, _ours(crystal, run.device), run.device)
    times = interleaved({"ours": timer}, 5)["ours"]
    return {
        "atoms": len(crystal),
        "thickness_angstrom": CELL_ANGSTROM,
        "seconds": spread(times),
    }
