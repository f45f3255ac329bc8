"""Patterns a second of `powder-library`, beside pymatgen's calculator and Pysimxrd, in turn."""

import atexit
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import ase.db
import numpy as np
import torch
from ase.data import chemical_symbols
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Lattice, Structure
from threadpoolctl import threadpool_limits

from crystalvision.plugins import Catalogue
from crystalvision.sources import SourceSpec, find_recipe, read_recipe, source_of
from crystalvision_simulate.powder.source import PowderSource

CORES, ROUNDS = 2, 5
OF_EACH = 40  # patterns of each phase in a round
WITH_REFLECTIONS = 20  # patterns of a phase that share what its reflections cost once
_WORK: dict[str, Any] = {}  # of a process: what it makes patterns with


@dataclass(frozen=True, slots=True)
class Phases:
    """Phases whose patterns are made.

    Attributes:
        name: What to call them.
        changes: Of the recipe `powder-library`.
        some: How many of them, chosen at random; all by default.
    """

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    some: int | None = None


def one_thread() -> None:
    """One thread in this process: processes share the cores."""
    threadpool_limits(1)
    torch.set_num_threads(1)


def version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def powder_source(phases: Phases) -> PowderSource:
    """The source of `powder-library`, changed."""
    catalogue = Catalogue.load()
    recipe = read_recipe(find_recipe("powder-library", catalogue), catalogue)
    recipe |= {**phases.changes, "samples": 10_000_000}
    name = source_of(recipe, "powder-library", catalogue)
    source = SourceSpec(name, recipe, threads=1).open(catalogue)
    assert isinstance(source, PowderSource)
    if phases.some is None:
        return source
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(source.candidates), phases.some, replace=False)
    some = tuple(source.candidates[place] for place in chosen)
    return PowderSource(source.recipe, catalogue, threads=1, phases=some)


def rates(library: Phases, rounds: int, *, quick: bool) -> dict[str, object]:
    """Patterns a second of two processes at once, ours and the peers', in turn.

    They are counted by CPU time, so that what else the machine does is left out; beside it, ours
    by the clock, in two processes and in one.
    """
    source = powder_source(library)
    phases = len(source.candidates)
    count = (4 if quick else OF_EACH) * phases
    makers: dict[str, tuple[Callable[[int, int], float], int]] = {
        "crystalvision": (_ours, count),
        "pymatgen": (_pymatgen, phases),
    }
    if version_of("pysimxrd"):
        makers["pysimxrd"] = (_pysimxrd, max(CORES, phases // 10))
    found: dict[str, list[float]] = {maker: [] for maker in makers}
    by_clock: dict[str, list[float]] = {"two processes": [], "one process": []}
    with ProcessPoolExecutor(CORES, initializer=_begin, initargs=(library,)) as pool:
        list(pool.map(_warm, range(CORES)))
        for _ in range(rounds):
            for maker, (make, patterns) in makers.items():
                began = time.perf_counter()
                seconds = sum(pool.map(make, *_shares(patterns))) / CORES
                found[maker].append(patterns / seconds)
                if maker == "crystalvision":
                    by_clock["two processes"].append(patterns / (time.perf_counter() - began))
            began = time.perf_counter()
            pool.submit(_ours, 0, count // CORES).result()
            by_clock["one process"].append(count // CORES / (time.perf_counter() - began))
    print(f"{library.name}: done", flush=True)
    return {
        "library": library.name,
        "phases": phases,
        "points": source.header.axes[0].size,
        **_reflections_of(source),
        "seconds_of_counting": counting(source),
        "patterns_per_second": {maker: spread_of(values) for maker, values in found.items()},
        "by_the_clock": {what: spread_of(values) for what, values in by_clock.items()},
        "ratio": {
            maker: spread_of([a / b for a, b in zip(found["crystalvision"], each, strict=True)])
            for maker, each in found.items()
            if maker != "crystalvision"
        },
    }


def _reflections_of(source: PowderSource) -> dict[str, object]:
    """How many the phases have, and what they cost once."""
    began = time.process_time()
    sizes = [
        len(source.maker.families(number).length_inv_angstrom)
        for number in range(len(source.candidates))
    ]
    once = (time.process_time() - began) / len(source.candidates)
    return {
        "reflections": {"median": float(np.median(sizes)), "most": max(sizes)},
        "seconds_of_reflections_once_a_phase": once,
    }


def counting(source: PowderSource) -> float:
    """CPU time of nothing but Poisson's counts, a pattern [s]: no program with them is faster."""
    expected = [source.sample(number).image.astype(np.float64) for number in range(200)]
    rng = np.random.default_rng(0)
    return least_time(lambda: [rng.poisson(each) for each in expected]) / len(expected)


def with_reflections(row: Mapping[str, Any]) -> float:
    """Ours over pymatgen's, with what reflections cost once for so many patterns of a phase."""
    ours, theirs = (
        CORES / row["patterns_per_second"][maker]["median"]
        for maker in ("crystalvision", "pymatgen")
    )
    once = row["seconds_of_reflections_once_a_phase"] / WITH_REFLECTIONS
    return float(theirs / (ours + once))


def _shares(count: int) -> tuple[list[int], list[int]]:
    """First and last number of the patterns of each process."""
    ends = np.linspace(0, count, CORES + 1).astype(int).tolist()
    return ends[:-1], ends[1:]


def _begin(library: Phases) -> None:
    warnings.simplefilter("ignore")
    one_thread()
    source = powder_source(library)
    for number in range(len(source.candidates)):  # once a phase: no pattern's cost
        source.maker.families(number)
    _WORK["source"], _WORK["next"] = source, 0
    _WORK["structures"] = [_structure(one) for one in source.candidates]
    _WORK["axis"] = source.header.axes[0].values()
    if version_of("pysimxrd"):
        ordered = [one for one in _WORK["structures"] if one.is_ordered]  # it takes no others
        _WORK["database"], _WORK["ordered"] = _database(ordered), len(ordered)


def _structure(candidate: Any) -> Structure:
    """A candidate, with atoms that share a site on one site."""
    crystal = candidate.crystal
    sites: dict[tuple[float, ...], dict[str, float]] = {}
    fractional = crystal.positions @ np.linalg.inv(crystal.cell)
    for place, number, share in zip(
        fractional, crystal.numbers, candidate.occupancies, strict=True
    ):
        kinds = sites.setdefault(tuple(place.round(6)), {})
        symbol = chemical_symbols[number]
        kinds[symbol] = kinds.get(symbol, 0.0) + float(share)
    return Structure(Lattice(crystal.cell), list(sites.values()), list(sites))


def _warm(share: int) -> None:
    """First patterns, which fill what is kept from one to the next."""
    del share
    for number in range(5_000_000, 5_000_100):
        _WORK["source"].sample(number)


def _ours(first: int, last: int) -> float:
    """CPU time of some patterns [s]; so for the peers."""
    began = time.process_time()
    for _ in _WORK["source"].samples(range(_WORK["next"] + first, _WORK["next"] + last)):
        pass
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
        generator.parser(_WORK["database"], entry_id=1 + number % _WORK["ordered"])
    return time.process_time() - began


def _database(structures: list[Structure]) -> Any:
    """The phases as Pysimxrd takes them."""
    path = Path(tempfile.mkdtemp(prefix="powder-speed-")) / "phases.db"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    database = ase.db.connect(path)
    for structure in structures:
        database.write(structure.to_ase_atoms())
    return database


def least_time(work: Callable[[], object], rounds: int = 3) -> float:
    """The least of a few times [s]."""
    return min(timed(work) for _ in range(rounds))


def timed(work: Callable[[], object]) -> float:
    """CPU time [s]: what else the machine does is left out."""
    began = time.process_time()
    work()
    return time.process_time() - began


def spread_of(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "greatest": max(values)}
