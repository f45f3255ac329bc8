"""Patterns a second, beside pymatgen's calculator with a profile added."""

import statistics
import time
import warnings
from typing import Any

import numpy as np
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Lattice, Structure

from _powder.library import Library
from _powder.machine import machine
from _powder.systems import RANGE
from crystalvision.contracts import Axis
from crystalvision.plugins import Catalogue
from crystalvision.sources import SourceSpec, find_recipe, read_recipe
from crystalvision_simulate.powder.source import PowderSource

CANDIDATES, ROUNDS, OF_EACH, SEED = 24, 3, 20, 0


def speed(library: Library) -> dict[str, Any]:
    """Ours and pymatgen's in turn, in CPU time of one thread, on the same candidates."""
    source = _source(library)
    structures = [_structure(one) for one in source.candidates]
    axis = source.header.axes[0]
    started = time.process_time()
    for place in range(CANDIDATES):
        source.maker.families(place)  # calculated once, for all samples of a phase
    first = (time.process_time() - started) / CANDIDATES
    ours, theirs = [], []
    for number in range(ROUNDS):
        started = time.process_time()
        count = CANDIDATES * OF_EACH
        for index in range(number * count, (number + 1) * count):
            source.sample(index)
        ours.append((time.process_time() - started) / CANDIDATES / OF_EACH)
        started = time.process_time()
        for structure in structures:
            _pymatgen(structure, axis)
        theirs.append((time.process_time() - started) / CANDIDATES)
    mine, other = statistics.median(ours), statistics.median(theirs)
    return {
        "candidates": CANDIDATES,
        "patterns_of_each": OF_EACH,
        "points": axis.size,
        "seconds_a_pattern": {"median": mine, "min": min(ours), "max": max(ours)},
        "seconds_of_reflections_once_a_phase": first,
        "patterns_a_second_on_one_core": 1 / mine,
        "pymatgen_seconds_a_pattern": {"median": other, "min": min(theirs), "max": max(theirs)},
        "ratio": other / mine,
        "ratio_with_reflections": other / (mine + first / OF_EACH),
        "machine": machine(),
    }


def _source(library: Library) -> PowderSource:
    """Some of the candidates, by themselves: foreign phases, too, are of these."""
    catalogue = Catalogue.load()
    recipe = read_recipe(find_recipe("powder-library", catalogue), catalogue)
    recipe |= {"candidates": library.recipe, "samples": 10_000_000}
    del recipe["source"]
    for key, value in RANGE.items():
        recipe["instrument"][key.partition(".")[2]] = value
    whole = SourceSpec("powder", recipe, threads=1).open(catalogue)
    assert isinstance(whole, PowderSource)
    chosen = np.random.default_rng(SEED).choice(library.size, CANDIDATES, replace=False)
    phases = tuple(whole.candidates[place] for place in chosen)
    return PowderSource(whole.recipe, catalogue, threads=1, phases=phases)


def _structure(candidate: Any) -> Structure:
    crystal = candidate.crystal
    sites: dict[tuple[float, ...], dict[str, float]] = {}
    from ase.data import chemical_symbols

    fractional = crystal.positions @ np.linalg.inv(crystal.cell)
    for place, number, share in zip(
        fractional, crystal.numbers, candidate.occupancies, strict=True
    ):
        kinds = sites.setdefault(tuple(place.round(6)), {})
        symbol = chemical_symbols[number]
        kinds[symbol] = kinds.get(symbol, 0.0) + float(share)
    return Structure(Lattice(crystal.cell), list(sites.values()), list(sites))


def _pymatgen(structure: Structure, axis: Axis, width_deg: float = 0.1) -> np.ndarray:
    """Its peaks as pseudo-Voigts of one width on an axis, (n,)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = XRDCalculator("CuKa").get_pattern(structure, two_theta_range=(8, 92))
    away = (axis.values()[:, None] - found.x) / width_deg
    shape = 0.5 * np.exp(-4 * np.log(2) * away**2) + 0.5 / (1 + 4 * away**2)
    profile: np.ndarray = shape @ found.y
    return profile
