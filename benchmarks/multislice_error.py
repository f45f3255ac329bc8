"""Error against time of multislice, ours and abTEM's, on one thread in one run.

    python benchmarks/multislice_error.py

A slab of vibrating β-Si₃N₄ is rendered with ever finer slices and grids, and compared with slices
of a third of a layer within a band of 4.5 1/Å. Times are the processor's, so that a busy machine
changes them little. It writes `results/multislice_error/cpu.json` and `cpu.png`; abTEM comes with
`pip install "crystalvision[compare]"`.
"""

import json
import os
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before anything that counts cores is imported

import numpy as np
import torch

from _simulation.machine import describe
from _simulation.peers import Abtem, AbtemOptions
from _simulation.settings import Run
from _simulation.specimens import CELL_ANGSTROM, ENERGY_KEV, defective_slab
from crystalvision.contracts import Beam, Crystal
from crystalvision_simulate.renderers._plane import Plane
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.specimens import specimen_of

OUTPUT = Path(__file__).parent / "results" / "multislice_error"
LAYER = CELL_ANGSTROM / 2
_REACH = 1.6  # [1/Å]
_ABOVE = 1 + 1e-6  # so that rounding makes no further slice
_COARSE = 3.01 * LAYER  # the slices that the shipped recipe had before
_REPEATS = 3

Entry = dict[str, Any]


def main() -> None:
    """Measure, and write numbers and figure."""
    torch.set_num_threads(1)
    crystal = defective_slab(30.0, 14, vacancies=0.0)
    exact = _ours(crystal, Multislice(LAYER / 3 * _ABOVE, 4.5))()
    entries = [_entry(*each, exact) for each in (*_our_ways(crystal), *_abtem_ways(crystal))]
    run = Run(torch.device("cpu"), 1, "full", 0)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    document = {"machine": describe(run), "atoms": len(crystal), "entries": entries}
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    (OUTPUT / "cpu.json").write_text(text, encoding="utf-8")
    _draw(entries, OUTPUT / "cpu.png")


def _our_ways(crystal: Crystal) -> list[tuple[str, str, Callable[[], np.ndarray]]]:
    renderers = [("second order", Multislice(_COARSE, 2.42))]
    renderers += [("second order", Multislice(LAYER * _ABOVE, band)) for band in (2.42, 3.2, 4.0)]
    renderers += [
        ("fourth order", Multislice(layers * LAYER, band, 4, 0.98))
        for layers, band in product((3, 1), (2.5, 3.09, 3.6))
    ]
    return [
        (
            name,
            f"slices {one.slice_thickness_angstrom:.2f} Å, band {one.band_limit_inv_angstrom} 1/Å",
            _ours(crystal, one),
        )
        for name, one in renderers
    ]


def _ours(crystal: Crystal, renderer: Multislice) -> Callable[[], np.ndarray]:
    specimen = specimen_of(crystal)

    def work() -> np.ndarray:
        (pattern,) = renderer.render([[specimen]], [Beam(ENERGY_KEV)], device=torch.device("cpu"))
        return _within_reach(pattern.intensity[0].numpy(), pattern.direct_beam, crystal)

    return work


def _abtem_ways(crystal: Crystal) -> list[tuple[str, str, Callable[[], np.ndarray]]]:
    found = []
    for layers, band in product((3, 1), (2.42, 3.2, 4.0, 5.0)):
        peer = Abtem(
            crystal,
            projection="infinite",
            grid=Plane.of(specimen_of(crystal), band).shape,
            slice_thickness_angstrom=layers * LAYER,
            energy_kev=ENERGY_KEV,
        )
        words = f"slices {layers * LAYER:.2f} Å, grid for {band} 1/Å"
        found.append(("abTEM, infinite projection", words, _abtem(crystal, peer)))
    return found


def _abtem(crystal: Crystal, peer: Abtem) -> Callable[[], np.ndarray]:
    def work() -> np.ndarray:
        pattern = peer.pattern(AbtemOptions("fftw", 1, lazy=False))
        return _within_reach(pattern, tuple(size // 2 for size in pattern.shape), crystal)

    return work


def _within_reach(intensity: np.ndarray, middle: tuple[int, ...], crystal: Crystal) -> np.ndarray:
    width, height = np.diag(crystal.cell)[:2]
    rows, columns = int(_REACH * height), int(_REACH * width)
    y, x = middle
    return intensity[y - rows : y + rows + 1, x - columns : x + columns + 1].astype(np.float64)


def _entry(name: str, settings: str, work: Callable[[], np.ndarray], exact: np.ndarray) -> Entry:
    """Least time of some tries after a first one, and the error of the beams."""
    found, seconds = work(), []
    for _ in range(_REPEATS):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    error = np.abs(found - exact)
    diffracted = np.ones(exact.shape, dtype=bool)
    diffracted[exact.shape[0] // 2, exact.shape[1] // 2] = False
    entry = {
        "engine": name,
        "settings": settings,
        "seconds": min(seconds),
        "greatest_beam_error": float(error.max()),
        "r_factor": float(error[diffracted].sum() / exact[diffracted].sum()),
    }
    print(entry, flush=True)
    return entry


def _draw(entries: list[Entry], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib import ticker

    figure, axes = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
    for name in dict.fromkeys(entry["engine"] for entry in entries):
        mine = [entry for entry in entries if entry["engine"] == name]
        axes.loglog(
            [entry["seconds"] for entry in mine],
            [100 * entry["r_factor"] for entry in mine],
            "o",
            label=name,
        )
    axes.set(
        xlabel="time of one thread for a pattern [s]",
        ylabel="error of the diffracted beams, Σ|ΔI| / ΣI [%]",
        title="41 Å of vibrating β-Si₃N₄, 200 kV: against converged multislice",
    )
    for axis, ticks in ((axes.xaxis, (0.01, 0.03, 0.1, 0.3, 1)), (axes.yaxis, (0.2, 0.5, 1, 2, 5))):
        axis.set_major_locator(ticker.FixedLocator(ticks))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(ticker.NullFormatter())
    axes.set_xlim(0.01, 1)
    axes.legend(loc="lower right")
    axes.grid(visible=True, which="both", alpha=0.2)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
