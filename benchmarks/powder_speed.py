"""Measures how fast powder patterns are made, beside pymatgen, Pysimxrd and Debye's equation.

    python benchmarks/powder_speed.py                              # without the measured library
    python benchmarks/powder_speed.py --data MEASURED --work WORK  # as published: ten minutes
    python benchmarks/powder_speed.py --quick                      # two minutes

MEASURED is the folder that `powder_measured.py` takes; some of its candidates are a third library.
Run it on a machine that does nothing else. In each round, ours and the peers make patterns of the
same phases on the same axis, in turn; a rate is the median of the rounds. pymatgen's XRDCalculator
gives a list of peaks, to which a pseudo-Voigt each is added, as people do; ours draws lattice,
texture, widths, zero, background and counts anew for each pattern as well.
"""

import argparse
import json
import platform
import statistics
import warnings
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ase.build
import numpy as np

from _powder.library import read_library
from _powder.speed import (
    CORES,
    ROUNDS,
    WITH_REFLECTIONS,
    Phases,
    least_time,
    one_thread,
    powder_source,
    rates,
    timed,
    version_of,
    with_reflections,
)
from crystalvision.contracts import Crystal
from crystalvision.plugins import Catalogue
from crystalvision.sources import find_recipe, read_recipe
from crystalvision_simulate.powder import (
    debye_intensity,
    reflections,
    ring_axis,
    rings_of_supercell,
)

RESULTS = Path(__file__).parent / "results" / "powder_speed"
BAND_INV_ANGSTROM = 0.98
LIBRARIES = (
    Phases("27 shipped phases"),
    Phases(
        "100 prototypes of AFLOW",
        {"candidates": {"prototypes": {"originals": False, "substitutions": 100, "seed": 1}}},
    ),
)


def main() -> None:
    """Measure, print tables, and keep the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and patterns")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each library")
    parser.add_argument("--data", type=Path, help="measured patterns, for their candidates")
    parser.add_argument("--work", type=Path, help="a folder for what --data lacks")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if (options.data is None) != (options.work is None):
        parser.error("--data and --work go together")
    libraries = list(LIBRARIES)
    if options.data is not None:
        found = read_library(options.data, options.work)
        libraries.append(
            Phases(f"24 of {found.size} for measured patterns", {"candidates": found.recipe}, 24)
        )
    warnings.simplefilter("ignore")
    one_thread()
    rounds = 2 if options.quick else options.rounds
    measured = {
        "machine": machine(),
        "rounds": rounds,
        "rates": [rates(phases, rounds, quick=options.quick) for phases in libraries],
        "reflections": growth_with_reflections(),
        "points": growth_with_points(),
        "supercell": supercell(quick=options.quick),
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "cpu.json").write_text(json.dumps(measured, indent=2) + "\n")
    text = described(measured)
    (options.output / "cpu.md").write_text(text)
    print(text)


def machine() -> dict[str, object]:
    """What it was measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": CORES,
        "python": platform.python_version(),
        **{name: version(name) for name in ("crystalvision", "numpy", "scipy", "pymatgen")},
        "pysimxrd": version_of("pysimxrd"),
    }


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
        source = powder_source(Phases("step", _with_step(step)))
        source.sample(0)
        seconds = [timed(partial(source.sample, number)) for number in range(1, 101)]
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
        debye = timed(lambda crystal=crystal, some=some: debye_intensity(crystal, some))
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


def _spread_text(spread: dict[str, float]) -> str:
    return f"{spread['median']:.3g} ({spread['least']:.3g}–{spread['greatest']:.3g})"


def described(measured: dict[str, Any]) -> str:
    """The results as Markdown."""
    return "\n".join(_lines(measured)) + "\n"


def _lines(measured: dict[str, Any]) -> Iterator[str]:
    told = measured["machine"]
    yield (
        f"{told['processor']}, {told['cores']} cores, pymatgen {told['pymatgen']}; all are "
        "CPU times; rates are of two processes at once, with what reflections cost once left out.\n"
    )
    for row in measured["rates"]:
        once = 1e3 * row["seconds_of_reflections_once_a_phase"]
        clock = row["by_the_clock"]
        one, two = clock["one process"]["median"], clock["two processes"]["median"]
        yield (
            f"- {row['library']}: {once:.3g} ms a phase, {with_reflections(row):.3g} × pymatgen at "
            f"{WITH_REFLECTIONS} patterns each; by the clock {one:.0f} patterns/s in one process, "
            f"{two:.0f} in two ({two / one:.2f} ×); counting alone takes "
            f"{1e3 * row['seconds_of_counting']:.3g} ms a pattern."
        )
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
