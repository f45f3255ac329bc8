"""Multislice, ours and abTEM's: time, distance to the FFT floor, and how far they agree."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context

import numpy as np
import torch

from _simulation.engines import Engine
from _simulation.peers import Abtem, AbtemOptions, abtem_choices, missing
from _simulation.settings import Result, Run
from _simulation.specimens import ENERGY_KEV, defective_slab
from _simulation.timing import interleaved, ratios, spread
from crystalvision.contracts import Beam, Crystal, Pattern
from crystalvision_simulate.renderers._plane import Plane
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.specimens import specimen_of

_LAYER_ANGSTROM = 2.911 / 2
_ROUNDING = 1e-6  # [Å] above a layer, so that rounding makes no further slice of ours


def measure(run: Run) -> Result:
    """From atoms to pattern, potentials included, each engine with all threads.

    Same atoms, grid, slices, energy, parametrisation and precision. abTEM is run in each of the
    ways that could be its fastest here, and the fastest is compared.
    """
    sizes = run.sizes
    crystal = defective_slab(sizes.width_angstrom, sizes.layers / 2, seed=run.seed)
    renderer = Multislice(_LAYER_ANGSTROM + _ROUNDING, sizes.band_limit_inv_angstrom)
    plane = Plane.of(specimen_of(crystal), sizes.band_limit_inv_angstrom)
    slices = renderer.slice_count(specimen_of(crystal))
    elements = len(np.unique(crystal.numbers))
    gpu = run.device.type == "cuda"
    peer_missing = missing("abtem", "cupy") if gpu else missing("abtem")
    run.say(f"  {len(crystal)} atoms, {plane.shape} points, {slices} slices")
    result: Result = {
        "atoms": len(crystal),
        "elements": elements,
        "grid": list(plane.shape),
        "slices": slices,
        "box_angstrom": np.diag(crystal.cell).tolist(),
        "peer_missing": peer_missing,
    }
    prepare_floor = partial(fft_floor, plane.shape, slices, elements, run.device)
    with (
        Engine(run, partial(_ours, renderer, crystal, run.device)) as ours,
        Engine(run, prepare_floor) as floor,
    ):
        result |= _against_floor(run, ours, floor)
        for projection in () if peer_missing else ("infinite", "finite"):
            peer = _peer(crystal, plane, projection)
            result[f"abtem_{projection}"] = _compare(run, ours, peer)
    if not (peer_missing or gpu or run.size == "tiny"):
        result["all_cores"] = _throughput(run, crystal, renderer, plane, _fastest(result))
    return result


def _ours(
    renderer: Multislice, crystal: Crystal, device: torch.device
) -> Callable[[], list[Pattern]]:
    return partial(renderer.render, [[specimen_of(crystal)]], [Beam(ENERGY_KEV)], device=device)


def _peer(crystal: Crystal, plane: Plane, projection: str) -> Abtem:
    return Abtem(
        crystal,
        projection=projection,
        grid=plane.shape,
        slice_thickness_angstrom=_LAYER_ANGSTROM,
        energy_kev=ENERGY_KEV,
    )


def _against_floor(run: Run, ours: Engine, floor: Engine) -> Result:
    times = interleaved({"ours": ours.seconds, "floor": floor.seconds}, run.sizes.rounds)
    ratio = ratios(times["ours"], times["floor"])
    run.say(f"  ours {np.median(times['ours']):.3g} s, {_ratio(ratio)} the FFT floor")
    return {
        "ours_seconds": spread(times["ours"]),
        "fft_floor_seconds": spread(times["floor"]),
        "ours_over_fft_floor": ratio,
    }


def fft_floor(
    shape: tuple[int, int], slices: int, elements: int, device: torch.device, batch: int = 1
) -> Callable[[], None]:
    """The transforms that multislice cannot do without, and nothing else.

    A slice: a real one forward for each element, a real one back, a complex one each way; in place,
    in float32, by the library that our renderer uses.
    """
    rows, columns = shape
    real = torch.zeros((batch, rows, columns), device=device)
    half = torch.zeros((batch, rows, columns // 2 + 1), dtype=torch.complex64, device=device)
    wave = torch.zeros((batch, rows, columns), dtype=torch.complex64, device=device)
    other = torch.zeros_like(wave)

    def run() -> None:
        for _ in range(slices):
            for _ in range(elements):
                torch.fft.rfft2(real, out=half)
            torch.fft.irfft2(half, s=(rows, columns), out=real)
            torch.fft.ifft2(wave, out=other)
            torch.fft.fft2(other, out=wave)

    return run


def _compare(run: Run, ours: Engine, peer: Abtem) -> Result:
    """Time ratio to abTEM's fastest way with one projection, and how far the patterns agree."""
    device = "gpu" if run.device.type == "cuda" else "cpu"
    with ExitStack() as stack:
        engines = {
            options: stack.enter_context(Engine(run, partial(_abtem, peer, options)))
            for options in abtem_choices(run.threads, device)
        }
        tried, failed = _try(run, engines)
        fastest = min(tried, key=lambda options: tried[options])
        theirs = engines[fastest]
        timers = {"ours": ours.seconds, "abtem": theirs.seconds}
        times = interleaved(timers, run.sizes.rounds)
        difference = _difference(ours.result()[0], theirs.result())
    result: Result = {
        "tried_seconds": {_words(options): taken for options, taken in tried.items()},
        "failed": {_words(options): reason for options, reason in failed.items()},
        "fastest": _words(fastest),
        "seconds": spread(times["abtem"]),
        "ours_seconds": spread(times["ours"]),
        "abtem_over_ours": ratios(times["abtem"], times["ours"]),
        **difference,
    }
    run.say(f"  abTEM, {result['fastest']}: {_ratio(result['abtem_over_ours'])} ours")
    return result


def _try(
    run: Run, engines: Mapping[AbtemOptions, Engine]
) -> tuple[dict[AbtemOptions, float], dict[AbtemOptions, str]]:
    """Time of each way [s], and why the others do not run here.

    abTEM calls MKL in a way that mkl_fft 2 no longer takes, for one.

    Raises:
        RuntimeError: None runs.
    """
    tried: dict[AbtemOptions, float] = {}
    failed: dict[AbtemOptions, str] = {}
    for options, engine in engines.items():
        try:
            engine.seconds()  # imports, compiles and plans
            tried[options] = min(engine.seconds() for _ in range(min(2, run.sizes.rounds)))
        except Exception as error:
            failed[options] = f"{type(error).__name__}: {error}".splitlines()[0]
            run.say(f"  abTEM, {_words(options)}, failed: {failed[options]}")
    if not tried:
        raise RuntimeError(f"abTEM runs in none of its ways: {failed}")
    return tried, failed


def _abtem(peer: Abtem, options: AbtemOptions) -> Callable[[], np.ndarray]:
    return partial(peer.pattern, options)


def _difference(ours: Pattern, theirs: np.ndarray) -> Result:
    """How far two patterns of one grid differ, within 1.6 1/Å."""
    mine = ours.intensity[0].double().cpu().numpy()
    row, column = np.ogrid[: mine.shape[0], : mine.shape[1]]
    row, column = row - ours.direct_beam[0], column - ours.direct_beam[1]
    middle = [size // 2 for size in theirs.shape]
    step_y, step_x = ours.sampling_inv_angstrom
    reach = min(1.6, 0.9 * ours.band_limit_inv_angstrom)
    inside = np.hypot(row * step_y, column * step_x) < reach
    other = theirs[(row + middle[0]) % theirs.shape[0], (column + middle[1]) % theirs.shape[1]]
    difference = np.abs(mine - other)[inside]
    return {
        "greatest_beam_difference": float(difference.max()),
        "r_factor": float(difference.sum() / mine[inside].sum()),
    }


def _throughput(
    run: Run, crystal: Crystal, renderer: Multislice, plane: Plane, options: AbtemOptions
) -> Result:
    """Many patterns at once, one thread each: threads of ours, processes of abTEM."""
    count = 4 * run.threads
    specimen, beam = specimen_of(crystal), Beam(ENERGY_KEV)

    def render(_: int) -> object:
        return renderer.render([[specimen]], [beam], device=run.device)

    peer = _peer(crystal, plane, "infinite")
    work = partial(_abtem_many, peer, AbtemOptions(options.fft, 1, options.lazy))
    times: dict[str, list[float]] = {"ours": [], "abtem": []}
    torch.set_num_threads(1)
    with (
        ThreadPoolExecutor(run.threads) as threads,
        ProcessPoolExecutor(run.threads, get_context("spawn")) as processes,
    ):
        list(threads.map(render, range(run.threads)))
        list(processes.map(work, [2] * run.threads))  # imports and plans
        for _ in range(max(1, run.sizes.rounds // 3)):
            begin = time.perf_counter()
            list(threads.map(render, range(count)))
            middle = time.perf_counter()
            list(processes.map(work, [count // run.threads] * run.threads))
            times["ours"].append(count / (middle - begin))
            times["abtem"].append(count / (time.perf_counter() - middle))
    torch.set_num_threads(run.threads)
    result = {
        "ours_per_second": spread(times["ours"]),
        "abtem_infinite_per_second": spread(times["abtem"]),
        "ours_over_abtem": ratios(times["ours"], times["abtem"]),
    }
    run.say(f"  all cores, a pattern a thread: {_ratio(result['ours_over_abtem'])} abTEM's rate")
    return result


def _abtem_many(peer: Abtem, options: AbtemOptions, count: int) -> None:
    for _ in range(count):
        peer.pattern(options)


def _fastest(result: Result) -> AbtemOptions:
    fft, _, lazy = result["abtem_infinite"]["fastest"].split(", ")
    return AbtemOptions(fft, 1, lazy == "lazy")


def _words(options: AbtemOptions) -> str:
    return f"{options.fft}, {options.threads} threads, {'lazy' if options.lazy else 'eager'}"


def _ratio(values: Result) -> str:
    return f"{values['median']:.3g} ({values['min']:.3g} to {values['max']:.3g}) ×"
