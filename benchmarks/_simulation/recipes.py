"""Every shipped recipe end to end: patterns a second on all cores, and where the time goes."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from _simulation.settings import Result, Run
from _simulation.timing import seconds, spread
from crystalvision.contracts import Beam, Pattern, Renderer, Specimen
from crystalvision.datasets import DatasetWriter
from crystalvision.plugins import Catalogue
from crystalvision.sources import Sample, SourceSpec, generate
from crystalvision_simulate.parts import DrawnPart
from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.scenes import RenderedScene
from crystalvision_simulate.simulator import Simulator
from crystalvision_simulate.source import SOURCE, SimulationSource, header_of

_STAGES = ("scene", "render", "project_and_expose", "write")


def measure(run: Run) -> Result:
    """The recipes of the catalogue, whichever there are."""
    catalogue = Catalogue.load()
    names = run.sizes.recipes or catalogue.names("recipe")
    return {name: _recipe(run, catalogue, name) for name in names}


class _Timed:
    """A recipe's renderer that adds up how long it takes."""

    def __init__(self, part: DrawnPart[Renderer]) -> None:
        self.part = part
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.part, name)

    def of(self, numbers: Mapping[str, float]) -> Renderer:
        """The renderer with these numbers for its distributions."""
        return _TimedRenderer(self.part.of(numbers), self)


class _TimedRenderer(Renderer):
    def __init__(self, renderer: Renderer, total: _Timed) -> None:
        self.renderer = renderer
        self.total = total

    def render(
        self,
        specimens: Sequence[Sequence[Specimen]],
        beams: Sequence[Beam],
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> list[Pattern]:
        """What the renderer renders."""
        patterns: list[Pattern] = []

        def work() -> None:
            patterns.extend(self.renderer.render(specimens, beams, device=device, dtype=dtype))

        self.total.seconds += seconds(work, device)
        return patterns


def _recipe(run: Run, catalogue: Catalogue, name: str) -> Result:
    stages, atoms = _stages(run, catalogue, name)
    total = sum(stages.values())
    count = max(run.sizes.recipe_samples, int(run.sizes.recipe_seconds * run.threads / total))
    rates = [_rate(run, catalogue, name, count) for _ in range(run.sizes.recipe_repeats)]
    result: Result = {
        "patterns_a_second": spread(rates),
        "samples_a_run": count,
        "mean_atoms": atoms,
        "stage_seconds": stages,
        "stage_share": {stage: value / total for stage, value in stages.items()},
        "stages_on": f"one thread, {run.device.type}",
    }
    share = result["stage_share"]["render"]
    run.say(f"  {name}: {np.median(rates):.3g} patterns/s, {share:.0%} rendering")
    return result


def _stages(run: Run, catalogue: Catalogue, name: str) -> tuple[dict[str, float], float]:
    """Mean time of each stage for a pattern [s], one by one on one thread; and the atoms."""
    recipe = load_recipe(name, catalogue, run.sizes.recipe_settings)
    simulator = Simulator(recipe, catalogue, device=run.device)
    timed = _Timed(simulator.renderer)
    simulator.renderer = timed
    # Spread over the recipe, so that every class has its share.
    indices = np.linspace(0, recipe.samples - 1, run.sizes.recipe_samples).astype(int).tolist()
    torch.set_num_threads(1)
    _one_by_one(simulator, indices[:1])
    timed.seconds = 0.0
    samples, projections, atoms, spent = _one_by_one(simulator, indices)
    stages = {
        "scene": spent["scene"],
        "render": timed.seconds,
        "project_and_expose": spent["render"] + spent["expose"] - timed.seconds,
    }
    stages = {stage: value / len(indices) for stage, value in stages.items()}
    stages["write"] = _write(simulator, samples, projections[0])
    torch.set_num_threads(run.threads)
    return stages, float(np.mean(atoms))


def _one_by_one(
    simulator: Simulator, indices: list[int]
) -> tuple[list[Sample], list[RenderedScene], list[int], dict[str, float]]:
    """Samples, their projections, their atoms, and the time of each of the simulator's steps."""
    spent = {"scene": 0.0, "render": 0.0, "expose": 0.0}
    samples: list[Sample] = []
    projections: list[RenderedScene] = []
    atoms = []
    for index in indices:
        marks = [time.perf_counter()]
        scene = simulator.scene(index)
        marks.append(time.perf_counter())
        projected = simulator.render([scene])
        if simulator.device.type == "cuda":
            torch.cuda.synchronize()
        marks.append(time.perf_counter())
        samples += simulator.expose(projected)
        marks.append(time.perf_counter())
        for stage, taken in zip(spent, np.diff(marks), strict=True):
            spent[stage] += float(taken)
        atoms.append(len(scene.specimens[0].numbers))
        projections = projections or projected
    return samples, projections, atoms, spent


def _write(simulator: Simulator, samples: list[Sample], projection: RenderedScene) -> float:
    """Time to write a sample [s], as part of a full shard."""
    header = header_of(simulator, [projection], simulator.record([projection]))
    count = len(header.shard_indices(0))
    chosen = [samples[index % len(samples)] for index in range(count)]
    columns = {
        name: np.array([sample.columns[name] for sample in chosen]) for name in chosen[0].columns
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "data.zarr"
        with DatasetWriter.open(path, header) as writer:
            begin = time.perf_counter()
            writer.write_shard(0, np.stack([sample.image for sample in chosen]), columns)
            return (time.perf_counter() - begin) / count


def _rate(run: Run, catalogue: Catalogue, name: str, count: int) -> float:
    """Patterns a second, as `crystalvision simulate` makes them, the files included.

    Before it begins, it makes a sample of every class, to find errors; that is not counted.
    """
    recipe = load_recipe(name, catalogue, [*run.sizes.recipe_settings, f"samples={count}"])
    simulator = Simulator(recipe, catalogue, device=run.device)
    begun: list[float] = []

    def advance(_: int) -> None:
        if not begun:
            begun.append(time.perf_counter())

    with TemporaryDirectory() as folder:
        spec = SourceSpec(SOURCE, recipe.model_dump(mode="json"), run.device.type)
        source = SimulationSource(simulator)
        generate(spec, Path(folder) / "data.zarr", source=source, advance=advance)
        return count / (time.perf_counter() - begun[0])
