"""Measures how fast powder patterns are made, beside pymatgen, Pysimxrd and Debye's equation.

    python benchmarks/powder_speed.py                # as published: about ten minutes
    python benchmarks/powder_speed.py --quick        # two minutes

Run it on a machine that does nothing else. In each round, ours and the peers make patterns of the
same phases on the same axis, in turn; a rate is the median of the rounds. pymatgen's XRDCalculator
gives a list of peaks, to which a pseudo-Voigt each is added, as people do; ours draws lattice,
texture, widths, zero, background and counts anew for each pattern as well.
"""

import argparse
import atexit
import json
import platform
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import ase.build
import ase.db
import numpy as np
import torch
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Structure
from threadpoolctl import threadpool_limits

from crystalvision.contracts import Crystal
from crystalvision.plugins import Catalogue
from crystalvision.sources import SourceSpec, find_recipe, read_recipe, source_of
from crystalvision_simulate.powder import (
    debye_intensity,
    reflections,
    ring_axis,
    rings_of_supercell,
)
from crystalvision_simulate.powder.source import PowderSource

CORES, ROUNDS = 2, 5
RESULTS = Path(__file__).parent / "results" / "powder_speed"
BAND_INV_ANGSTROM = 0.98
_WORK: dict[str, Any] = {}  # of a process: what it makes patterns with


def main() -> None:
    """Measure, print tables, and keep the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and patterns")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    one_thread()
    measured = {
        "machine": machine(),
        "rounds": 2 if options.quick else ROUNDS,
        "rates": [rates(name, changes, quick=options.quick) for name, changes in LIBRARIES],
        "reflections": growth_with_reflections(),
        "points": growth_with_points(),
        "supercell": supercell(quick=options.quick),
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "cpu.json").write_text(json.dumps(measured, indent=2) + "\n")
    text = described(measured)
    (options.output / "cpu.md").write_text(text)
    print(text)


LIBRARIES = (
    ("27 shipped phases", {}),
    (
        "100 prototypes of AFLOW",
        {"candidates": {"prototypes": {"originals": False, "substitutions": 100, "seed": 1}}},
    ),
)
"""What a library is called → what is changed in the recipe `powder-library`."""


def one_thread() -> None:
    """One thread in this process: processes share the cores."""
    threadpool_limits(1)
    torch.set_num_threads(1)


def machine() -> dict[str, object]:
    """What it was measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": CORES,
        "python": platform.python_version(),
        **{name: version(name) for name in ("crystalvision", "numpy", "scipy", "pymatgen")},
        "pysimxrd": _version("pysimxrd"),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def powder_source(changes: dict[str, Any]) -> PowderSource:
    """The source of `powder-library`, changed."""
    catalogue = Catalogue.load()
    recipe = read_recipe(find_recipe("powder-library", catalogue), catalogue)
    recipe |= {**changes, "samples": 10_000_000}
    name = source_of(recipe, "powder-library", catalogue)
    source = SourceSpec(name, recipe, threads=1).open(catalogue)
    assert isinstance(source, PowderSource)
    return source


def rates(name: str, changes: dict[str, Any], *, quick: bool) -> dict[str, object]:
    """Patterns a second of CPU time of two processes at once, ours and the peers', in turn."""
    source = powder_source(changes)
    rounds = 2 if quick else ROUNDS
    phases = len(source.candidates)
    makers: dict[str, tuple[Callable[[int, int], float], int]] = {
        "crystalvision": (_ours, (4 if quick else 20) * phases),
        "pymatgen": (_pymatgen, phases),
    }
    if _version("pysimxrd"):
        makers["pysimxrd"] = (_pysimxrd, max(CORES, phases // 10))
    found: dict[str, list[float]] = {maker: [] for maker in makers}
    with ProcessPoolExecutor(CORES, initializer=_begin, initargs=(changes,)) as pool:
        for _ in range(rounds):
            for maker, (make, count) in makers.items():
                seconds = sum(pool.map(make, *_shares(count))) / CORES
                found[maker].append(count / seconds)
    began = time.process_time()
    sizes = [len(source.maker.families(number).length_inv_angstrom) for number in range(phases)]
    once = (time.process_time() - began) / phases
    return {
        "library": name,
        "phases": phases,
        "points": source.header.axes[0].size,
        "reflections": {"median": float(np.median(sizes)), "most": max(sizes)},
        "seconds_of_reflections_once_a_phase": once,
        "patterns_per_second": {maker: _spread(values) for maker, values in found.items()},
        "ratio": {
            maker: _spread([a / b for a, b in zip(found["crystalvision"], each, strict=True)])
            for maker, each in found.items()
            if maker != "crystalvision"
        },
    }


def _shares(count: int) -> tuple[list[int], list[int]]:
    """First and last number of the patterns of each process."""
    ends = np.linspace(0, count, CORES + 1).astype(int).tolist()
    return ends[:-1], ends[1:]


def _begin(changes: dict[str, Any]) -> None:
    warnings.simplefilter("ignore")
    one_thread()
    source = powder_source(changes)
    for number in range(len(source.candidates)):  # once a phase: no pattern's cost
        source.maker.families(number)
    _WORK["source"], _WORK["next"] = source, 0
    _WORK["structures"] = [_structure(one) for one in source.candidates]
    _WORK["axis"] = source.header.axes[0].values()
    if _version("pysimxrd"):
        _WORK["database"] = _database(_WORK["structures"])


def _structure(phase: Any) -> Structure:
    return phase.crystal.to_pymatgen()


def _ours(first: int, last: int) -> float:
    """CPU time of some patterns [s]; so for the peers."""
    began = time.process_time()
    for number in range(_WORK["next"] + first, _WORK["next"] + last):
        _WORK["source"].sample(number)
    _WORK["next"] += last
    return time.process_time() - began


def _pymatgen(first: int, last: int) -> float:
    began = time.process_time()
    structures, axis = _WORK["structures"], _WORK["axis"]
    calculator = XRDCalculator(wavelength=1.5405929)
    for number in range(first, last):
        structure = structures[number % len(structures)]
        peaks = calculator.get_pattern(structure, two_theta_range=(axis[0] - 1, axis[-1] + 1))
        with_profile(peaks.x, peaks.y, axis)
    return time.process_time() - began


def with_profile(places: np.ndarray, heights: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Pseudo-Voigts of 0.1° at peaks, on an axis [degree]."""
    apart = (axis[:, None] - places) / 0.1
    shape = 0.5 * np.exp(-4 * np.log(2) * apart**2) + 0.5 / (1 + 4 * apart**2)
    return np.asarray(shape @ heights)


def _pysimxrd(first: int, last: int) -> float:
    from Pysimxrd import generator

    began = time.process_time()
    for number in range(first, last):
        generator.parser(_WORK["database"], entry_id=1 + number % len(_WORK["structures"]))
    return time.process_time() - began


def _database(structures: list[Structure]) -> Any:
    """The phases as Pysimxrd takes them."""
    path = Path(tempfile.mkdtemp(prefix="powder-speed-")) / "phases.db"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    database = ase.db.connect(path)
    for structure in structures:
        database.write(structure.to_ase_atoms())
    return database


def growth_with_reflections() -> list[dict[str, float]]:
    """Time of reflections and of a pattern, in cells of silicon that are larger and larger."""
    rows = []
    for repeats in (1, 2, 3, 4):
        atoms = ase.build.bulk("Si", cubic=True).repeat((repeats,) * 3)
        atoms.rattle(0.01, seed=0)
        crystal = Crystal.from_ase(atoms)
        seconds = least_time(lambda crystal=crystal: reflections(crystal, BAND_INV_ANGSTROM))
        count = len(reflections(crystal, BAND_INV_ANGSTROM).length_inv_angstrom)
        rows.append({"atoms": len(crystal), "reflections": count, "seconds": seconds})
    return rows


def growth_with_points() -> list[dict[str, float]]:
    """Time of a pattern of the shipped library, with its reflections known, by its points."""
    rows = []
    for step in (0.08, 0.04, 0.02, 0.01):
        source = powder_source(_with_step(step))
        source.sample(0)
        seconds = [_timed(partial(source.sample, number)) for number in range(1, 101)]
        rows.append(
            {"points": source.header.axes[0].size, "seconds": float(statistics.median(seconds))}
        )
    return rows


def _with_step(step_deg: float) -> dict[str, Any]:
    catalogue = Catalogue.load()
    recipe = read_recipe(find_recipe("powder-library", catalogue), catalogue)
    return {"instrument": {**recipe["instrument"], "step_deg": step_deg}}


def supercell(*, quick: bool) -> list[dict[str, float]]:
    """Rings of a vibrating supercell, and Debye's equation for as many atoms, a point of |g|."""
    axis = ring_axis(BAND_INV_ANGSTROM)
    rows = []
    for repeats in (5, 8, 11):  # the last has 10,648 atoms
        atoms = ase.build.bulk("Si", cubic=True).repeat((repeats,) * 3)
        atoms.rattle(0.05, seed=0)
        crystal = Crystal.from_ase(atoms)
        seconds = least_time(lambda crystal=crystal: rings_of_supercell(
            crystal, BAND_INV_ANGSTROM, axis
        ))  # fmt: skip
        some = np.linspace(0.1, 0.9, 2 if quick else 5)
        debye = _timed(lambda crystal=crystal, some=some: debye_intensity(crystal, some))
        rows.append(
            {
                "atoms": len(crystal),
                "points": axis.size,
                "seconds": seconds,
                "debye_seconds_a_point": debye / len(some),
                "debye_seconds_of_2000_points": 2000 * debye / len(some),
            }
        )
    return rows


def least_time(work: Callable[[], object], rounds: int = 3) -> float:
    """The least of a few times [s]."""
    return min(_timed(work) for _ in range(rounds))


def _timed(work: Callable[[], object]) -> float:
    """CPU time [s]: what else the machine does is left out."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "greatest": max(values)}


def _spread_text(spread: dict[str, float]) -> str:
    return f"{spread['median']:.3g} ({spread['least']:.3g}–{spread['greatest']:.3g})"


def described(measured: dict[str, Any]) -> str:
    """The results as Markdown."""
    return "\n".join(_lines(measured)) + "\n"


def _lines(measured: dict[str, Any]) -> Iterator[str]:
    told = measured["machine"]
    yield (
        f"{told['processor']}, {told['cores']} cores, pymatgen {told['pymatgen']}; all are "
        "CPU times; rates are of two processes at once, with what reflections cost once left out:"
    )
    for row in measured["rates"]:
        once = 1e3 * row["seconds_of_reflections_once_a_phase"]
        yield f"{row['library']}: {once:.3g} ms a phase;"
    yield ""
    yield "| library | reflections | made by | patterns/s | ours / it |"
    yield "|---|---|---|---|---|"
    for row in measured["rates"]:
        for maker, rate in row["patterns_per_second"].items():
            ratio = row["ratio"].get(maker)
            against = (
                f"{ratio['median']:.3g} ({ratio['least']:.3g}–{ratio['greatest']:.3g})"
                if ratio
                else ""
            )
            yield (
                f"| {row['library']} | {row['reflections']['median']:.0f}, at most "
                f"{row['reflections']['most']} | {maker} | {_spread_text(rate)} | {against} |"
            )
    yield "\n| atoms of the cell | reflections | to find them [ms] |\n|---|---|---|"
    for row in measured["reflections"]:
        yield f"| {row['atoms']} | {row['reflections']} | {1e3 * row['seconds']:.3g} |"
    yield "\n| points | a pattern, one core [ms] |\n|---|---|"
    for row in measured["points"]:
        yield f"| {row['points']} | {1e3 * row['seconds']:.3g} |"
    yield "\n| atoms of the supercell | all rings [s] | Debye, 2,000 points [s] |\n|---|---|---|"
    for row in measured["supercell"]:
        yield (
            f"| {row['atoms']:,} | {row['seconds']:.3g} | "
            f"{row['debye_seconds_of_2000_points']:.4g} |"
        )


if __name__ == "__main__":
    main()
