"""What only a GPU has: batches, the byte floor, and whether it gives the CPU's numbers."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from _simulation.multislice import fft_floor
from _simulation.settings import Result, Run
from _simulation.timing import interleaved, seconds, spread
from crystalvision.contracts import Beam, Specimen
from crystalvision.plugins import Catalogue
from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.renderers._plane import Plane
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.scenes import Scene
from crystalvision_simulate.simulator import Simulator

_RECIPE = "si3n4-four-classes"
_COPY_BYTES = 2**30


def measure(run: Run) -> Result:
    """The four-class recipe, its specimens at hand, rendered and projected in batches."""
    catalogue = Catalogue.load()
    recipe = load_recipe(_RECIPE, catalogue, run.sizes.recipe_settings)
    simulator = Simulator(recipe, catalogue, device=run.device)
    count = max(run.sizes.gpu_batches)
    indices = np.linspace(0, recipe.samples - 1, count).astype(int)
    scenes = [simulator.scene(int(index)) for index in indices]
    renderer = catalogue.create("renderer", recipe.renderer.name, recipe.renderer.options)
    if not isinstance(renderer, Multislice):
        raise TypeError(f"recipe '{_RECIPE}' is not rendered by multislice any more")
    bandwidth = _bandwidth(run)
    batches = [_batch(run, simulator, renderer, scenes[:size]) for size in run.sizes.gpu_batches]
    result: Result = {
        "recipe": _RECIPE,
        "copy_bytes_a_second": bandwidth,
        "batches": batches,
        **_floors(run, renderer, scenes, bandwidth),
        "parity": _parity(run, renderer, scenes[: min(4, count)]),
    }
    best = max(entry["patterns_a_second"]["median"] for entry in batches)
    result["rate_of_byte_floor"] = best / result["byte_floor_patterns_a_second"]
    run.say(f"  {best:.4g} patterns/s; byte floor {result['byte_floor_patterns_a_second']:.4g}")
    run.say(f"  parity with the CPU: {result['parity']['greatest_relative_difference']:.2g}")
    return result


def _batch(run: Run, simulator: Simulator, renderer: Multislice, scenes: list[Scene]) -> Result:
    """Rate of rendering, and of rendering and projecting, and the memory that takes."""
    if run.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(run.device)
    works: dict[str, Callable[[], object]] = {
        "render": partial(renderer.render, *_split(scenes), device=run.device),
        "render_and_project": partial(simulator.render, scenes),
    }
    timers = {name: partial(seconds, work, run.device) for name, work in works.items()}
    times = interleaved(timers, max(3, run.sizes.rounds))
    peak = torch.cuda.max_memory_allocated(run.device) if run.device.type == "cuda" else None
    return {
        "batch": len(scenes),
        "patterns_a_second": spread([len(scenes) / taken for taken in times["render"]]),
        "projected_patterns_a_second": spread(
            [len(scenes) / taken for taken in times["render_and_project"]]
        ),
        "peak_device_bytes": peak,
    }


def _split(scenes: list[Scene]) -> tuple[list[tuple[Specimen, ...]], list[Beam]]:
    return [scene.specimens for scene in scenes], [scene.beam for scene in scenes]


def _floors(run: Run, renderer: Multislice, scenes: list[Scene], bandwidth: float) -> Result:
    """Rates that the transforms alone, and the bytes alone, would allow.

    A fused implementation reads and writes the wave twice a slice (rows: back, transmit, forward;
    columns: forward, propagate, back), 32 bytes a point in complex64. For each element it writes
    and reads the grid of atoms, and writes and reads the half transform, of which the band keeps a
    part k of the columns: 8 + 16k bytes. Then it writes and reads their sum: 16k more. A cache that
    holds the wave, as that of a current GPU does for a few patterns, may do better.
    """
    specimens = [scene.specimens[0] for scene in scenes]
    plane = Plane.of(specimens[0], renderer.band_limit_inv_angstrom)
    slices = float(np.mean([renderer.slice_count(one) for one in specimens]))
    elements = len(np.unique(specimens[0].numbers))
    kept = plane.columns_in_band / plane.shape[1]
    bytes_a_point = 32 + elements * (8 + 16 * kept) + 16 * kept
    bytes_a_pattern = bytes_a_point * slices * float(np.prod(plane.shape))
    batch = min(64, len(scenes))
    transforms = fft_floor(plane.shape, round(slices), elements, run.device, batch)
    transforms()
    taken = float(np.median([seconds(transforms, run.device) for _ in range(3)]))
    return {
        "grid": list(plane.shape),
        "mean_slices": slices,
        "byte_floor_bytes_a_pattern": bytes_a_pattern,
        "byte_floor_patterns_a_second": bandwidth / bytes_a_pattern,
        "fft_floor_patterns_a_second": batch / taken,
    }


def _bandwidth(run: Run) -> float:
    """Bytes a second that a copy reads and writes."""
    length = _COPY_BYTES if run.device.type == "cuda" else 2**26
    source = torch.zeros(length, dtype=torch.uint8, device=run.device)
    target = torch.empty_like(source)
    target.copy_(source)
    times = [seconds(partial(target.copy_, source), run.device) for _ in range(10)]
    return 2 * length / float(np.median(times))


def _parity(run: Run, renderer: Multislice, scenes: list[Scene]) -> Result:
    """Greatest difference between the device's and the CPU's intensities, relative to norms."""
    here = renderer.render(*_split(scenes), device=run.device)
    there = renderer.render(*_split(scenes), device=torch.device("cpu"))
    relative, greatest = [], []
    for one, other in zip(here, there, strict=True):
        expected = other.intensity.double()
        difference = one.intensity.double().cpu() - expected
        scattered = expected.clone()
        scattered[(slice(None), *other.direct_beam)] = 0
        relative.append(float(difference.norm() / scattered.norm()))
        greatest.append(float(difference.abs().max()))
    return {
        "patterns": len(scenes),
        "greatest_relative_difference": max(relative),
        "greatest_difference_of_the_beam": max(greatest),
    }
