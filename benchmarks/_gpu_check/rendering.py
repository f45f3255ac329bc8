"""What simulates: whether a GPU gives the CPU's patterns, and how many a second."""

import time
from typing import TYPE_CHECKING, Any

import torch

from crystalvision.contracts import Pattern
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.sources import read_recipe, source_of
from crystalvision_simulate.pipeline import make_on_cpu, make_on_gpu
from crystalvision_simulate.recipes import Recipe, load_recipe
from crystalvision_simulate.simulator import Simulator
from crystalvision_simulate.source import SOURCE, SimulationSource

if TYPE_CHECKING:
    from gpu_check import Result, Run

_PARITY = 1e-4
"""Greatest difference that is allowed, as a share of what is scattered."""

_RATES = ("si3n4-four-classes", "sadp-five-groups", "si3n4-fingerprint")
_WARM = 64  # patterns that are made before the clock starts


def parity(run: "Run") -> "Result":
    """Patterns of every shipped recipe of a simulation, on the device and on the CPU.

    Raises:
        ArithmeticError: They differ by more than rounding.
    """
    catalogue = Catalogue.load()
    found = {name: _parity(run, catalogue, name) for name in _simulated(catalogue)}
    worst = max(found.values())
    print(f"  greatest difference {worst:.2g} of what is scattered", flush=True)
    if worst > _PARITY:
        raise ArithmeticError(f"patterns differ from the CPU's by {worst:.2g}: {found}")
    return {"relative_difference": found, "allowed": _PARITY}


def _parity(run: "Run", catalogue: Catalogue, name: str) -> float:
    recipe = _recipe(run, catalogue, name)
    here = Simulator(recipe, catalogue)
    there = Simulator(recipe, catalogue, device=torch.device(run.device))
    scenes = [here.scene(index) for index in here.first_of_each_class()[: 1 if run.tiny else 2]]
    specimens, beams = [one.specimens for one in scenes], [one.beam for one in scenes]
    worst = 0.0
    renderer = here.renderer.of(scenes[0].options.get("renderer", {}))
    rendered = (
        renderer.render(specimens, beams, device=one.device, dtype=torch.float32)
        for one in (here, there)
    )
    for ours, theirs in zip(*rendered, strict=True):
        worst = max(worst, _difference(ours, theirs))
    fallen = ([one.pattern for one in each.render(scenes)] for each in (here, there))
    for ours, theirs in zip(*fallen, strict=True):
        worst = max(worst, _difference(ours, theirs))
    return worst


def _difference(expected: Pattern, found: Pattern) -> float:
    """Norm of the difference over that of what is scattered: without the pixels of the beam."""
    ours, theirs = expected.intensity.double(), found.intensity.double().cpu()
    # The direct beam, if it is there, is brighter than all else together.
    scattered = ours.flatten(1).sort(dim=1).values[:, :-4]
    return float((theirs - ours).norm() / scattered.norm())


def rates(run: "Run") -> "Result":
    """Patterns a second of three recipes, from scenes to counts, as `simulate` makes them."""
    catalogue, sizes = Catalogue.load(), run.sizes
    found = {}
    for name in _RATES[: 1 if run.tiny else None]:
        count = _WARM * (not run.tiny) + sizes.rate_samples
        recipe = _recipe(run, catalogue, name, f"samples={count}")
        simulator = Simulator(recipe, catalogue, device=torch.device(run.device))
        if run.device == "cuda":
            samples = make_on_gpu(simulator, PluginSelection(), range(count))
        else:
            samples = make_on_cpu(simulator, range(count))
        made, begin = 0, 0.0
        for number, _ in enumerate(samples):
            if number == count - sizes.rate_samples:
                begin = time.perf_counter()
            elif begin:
                made += 1
                if time.perf_counter() - begin > sizes.rate_seconds:
                    break
        samples.close()
        found[name] = made / (time.perf_counter() - begin)
        print(f"  {name}: {found[name]:.3g} patterns/s", flush=True)
    return {"patterns_a_second": found}


def bound(run: "Run") -> "Result":
    """The bound of the recipe of four classes."""
    catalogue = Catalogue.load()
    recipe = _recipe(run, catalogue, _RATES[0])
    source = SimulationSource(Simulator(recipe, catalogue, device=torch.device(run.device)))
    found = source.accuracy_bound(patterns=run.sizes.bound_samples, specimens=2)
    (point,) = found.points
    print(f"  {found.seconds:.3g} s for {found.patterns} draws", flush=True)
    return {"seconds": found.seconds, "patterns": found.patterns, "upper": point.upper}


def _simulated(catalogue: Catalogue) -> list[str]:
    """Recipes of the simulation, not of other sources."""
    names = []
    for name in catalogue.names("recipe"):
        data: Any = read_recipe(catalogue.path("recipe", name), catalogue)
        if source_of(data, name, catalogue).rpartition(":")[2] == SOURCE:
            names.append(name)
    return names


def _recipe(run: "Run", catalogue: Catalogue, name: str, *settings: str) -> Recipe:
    own = run.sizes.settings if name == _RATES[0] else ()
    return load_recipe(name, catalogue, [*own, *settings])
