"""The simulation engine as a source: what `crystalvision.sources` makes datasets from."""

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.config import validate
from crystalvision.contracts import Measure, Recorded, Recording
from crystalvision.datasets import Column, DatasetHeader, Seen, Simulated, defect_columns
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.samples import of_recipes_with, with_bench
from crystalvision.sources import AccuracyBound, Sample, Source, SourceCost, SourceSpec
from crystalvision_simulate.bench import open_bench
from crystalvision_simulate.bound import estimate_bound
from crystalvision_simulate.caveats import caveats_of
from crystalvision_simulate.pipeline import make_on_cpu, make_on_gpu, one_torch_thread
from crystalvision_simulate.recipes import SOURCE, Recipe
from crystalvision_simulate.scenes import RenderedScene
from crystalvision_simulate.simulator import Simulator

_SHARD_BYTES = 8 * 2**20
_EXACT = 2**53  # whole numbers below it are told apart by floats


@of_recipes_with("classes")
@with_bench(open_bench)
def open_source(spec: SourceSpec, catalogue: Catalogue) -> Source:
    """Diffraction patterns of crystals with defects, as a recipe describes them.

    Raises:
        InputError: The recipe is wrong, or there is no such device.
    """
    recipe = validate(Recipe, spec.recipe, spec.described_in)
    simulator = Simulator(recipe, catalogue, device=torch.device(spec.device))
    return SimulationSource(simulator, threads=spec.threads, plugins=spec.plugins)


class SimulationSource(Source):
    """Makes the samples of a simulator.

    On the CPU, samples are made by one thread a core, each on its own: torch itself runs on one
    thread, because that is faster, and because then a sample is the same bit for bit wherever it
    is made. On a GPU they are rendered in batches, which a process a core prepares.

    Attributes:
        simulator: The simulator.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        threads: int | None = None,
        plugins: PluginSelection | None = None,
    ) -> None:
        """Make samples by so many threads, or processes that feed a GPU; by default one a core."""
        self.simulator = simulator
        self._threads = threads
        self._note = ""
        self._plugins = plugins or PluginSelection.from_environment()

    @property
    def cost(self) -> SourceCost:
        """See `crystalvision.sources.Source.cost`."""
        header = self.header
        image = np.dtype(header.dtype).itemsize * float(np.prod(header.image_shape))
        return replace(self.simulator.cost, dataset_bytes=image * header.samples)

    @property
    def notes(self) -> tuple[str, ...]:
        """See `crystalvision.sources.Source.notes`."""
        assumed = [
            f"{facts.formula}: {sentence}"
            for facts in self.header.crystals
            for sentence in facts.assumed
        ]
        return (*assumed, *([self._note] if self._note else []))

    @cached_property
    def header(self) -> DatasetHeader:
        """See `crystalvision.sources.Source.header`."""
        # What only a sample of a class can show to be wrong is known before anything is written.
        scenes = [self.simulator.scene(index) for index in self.simulator.first_of_each_class()]
        projections = [self.simulator.render([scene])[0] for scene in scenes]
        recordings = self.simulator.record(projections)
        self._note = self.simulator.note(projections, recordings)
        return header_of(self.simulator, projections, recordings, self._note)

    def samples(self, indices: Iterable[int]) -> Iterator[Sample]:
        """See `crystalvision.sources.Source.samples`."""
        if self.simulator.device.type == "cpu":
            return make_on_cpu(self.simulator, indices, threads=self._threads)
        return make_on_gpu(self.simulator, self._plugins, indices, processes=self._threads)

    def ideal(self, index: int) -> Float[np.ndarray, "c *grid"]:
        """See `crystalvision.sources.Source.ideal`."""
        with one_torch_thread():
            scene = self.simulator.without_defects(self.simulator.scene(index))
            (rendered,) = self.simulator.render([scene])
        return np.asarray(rendered.pattern.intensity.cpu().numpy())

    def accuracy_bound(
        self,
        *,
        patterns: int,
        specimens: int,
        untold: Sequence[str] = (),
        parts: int = 1,
        column: str = "",
        seed: int = 0,
        advance: Callable[[int], object] = lambda _: None,
    ) -> AccuracyBound:
        """See `crystalvision.sources.Source.accuracy_bound`."""
        return estimate_bound(
            self.simulator,
            patterns=patterns,
            specimens=specimens,
            untold=untold,
            parts=parts,
            column=column,
            seed=seed,
            threads=self._threads,
            advance=advance,
        )


def header_of(
    simulator: Simulator,
    projections: Sequence[RenderedScene],
    recordings: Sequence[Recording],
    note: str = "",
) -> DatasetHeader:
    """What the dataset of a simulator will say of itself, with these among its samples.

    Raises:
        InputError: They do not have one shape and the same axes.
    """
    recipe, instrument = simulator.recipe, simulator.instrument.example
    axes = simulator.axes_of(projections)
    shape = recordings[0].counts.shape
    sample_bytes = np.dtype(instrument.dtype).itemsize * int(np.prod(shape))
    crystals = simulator.crystals
    described = {
        "samples": recipe.samples,
        "image_shape": shape,
        "dtype": instrument.dtype,
        "columns": {
            **defect_columns(
                [settings.name for settings in recipe.classes],
                [settings.severity for settings in recipe.classes],
            ),
            **{name: _column(measure) for name, measure in simulator.columns.items()},
            **simulator.targets.columns,
        },
        "axes": axes,
        "seen": Seen(each_sample=True) if instrument.masks else None,
        "provenance": Simulated(
            source=SOURCE,
            recipe=_plain(
                recipe.model_copy(
                    update={"structure_sha256": crystals.structure_sha256}
                ).model_dump(mode="json")
            ),
            seed=recipe.seed,
            drawn_from=crystals.structure_sha256,
        ),
        "recorded": _recorded(simulator),
        "generator": _generator(simulator.device),
        "synthetic": True,
        "caveats": (*caveats_of(instrument), *([note] if note else [])),
        "crystals": crystals.facts,
        "samples_per_shard": int(np.clip(_SHARD_BYTES // sample_bytes, 1, 256)),
    }
    return validate(DatasetHeader, described, f"recipe {recipe.name}")


def _plain(value: Any) -> Any:
    """A value of JSON's with one way to write each number: 1e5, 100000.0 and 100000 are one."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def _recorded(simulator: Simulator) -> Recorded:
    """How patterns are recorded: by the instrument, and else by the recipe's beam."""
    found = Recorded.join(each.recorded for each in simulator.instrument.extremes) or Recorded()
    if found.energy_kev is not None or found.wavelength_angstrom is not None:
        return found
    ends = simulator.recipe.beam.energy_kev.ends
    radiation = simulator.renderer.example.radiation
    beam = {"energy_kev": (min(ends), max(ends)), "radiation": radiation}
    return found.model_copy(update=beam)


def _column(measure: Measure) -> Column:
    return Column(dtype="float32", units=measure.units, description=measure.description)


def _generator(device: torch.device) -> dict[str, str]:
    """What the numbers depend on beside the recipe."""
    names = ("crystalvision", "numpy", "torch")
    return {
        **{name: version(name) for name in names},
        "device": device.type,
        "processor": platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }
