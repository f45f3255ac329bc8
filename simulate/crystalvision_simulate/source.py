"""The simulation engine as a source: what `crystalvision.sources` makes datasets from."""

import platform
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from importlib.metadata import version

import numpy as np
import torch

from crystalvision.config import validate
from crystalvision.datasets import Axis, Column, DatasetHeader, Made, defect_columns
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.sources import AccuracyBound, Sample, Source, SourceCost, SourceSpec
from crystalvision_simulate.bound import estimate_bound
from crystalvision_simulate.caveats import caveats_of
from crystalvision_simulate.columns import column_of
from crystalvision_simulate.pipeline import make_on_cpu, make_on_gpu
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.simulator import Projection, Simulator

SOURCE = "simulation"
_SHARD_BYTES = 8 * 2**20


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
        self._saturation = ""
        self._plugins = plugins or PluginSelection.from_environment()

    @property
    def cost(self) -> SourceCost:
        """See `crystalvision.sources.Source.cost`."""
        return self.simulator.cost

    @property
    def notes(self) -> tuple[str, ...]:
        """See `crystalvision.sources.Source.notes`."""
        assumed = [
            f"{facts.formula}: {sentence}"
            for facts in self.header.crystals
            for sentence in facts.assumed
        ]
        return (*assumed, *([self._saturation] if self._saturation else []))

    @cached_property
    def header(self) -> DatasetHeader:
        """See `crystalvision.sources.Source.header`."""
        # What only a sample of a class can show to be wrong is known before anything is written.
        scenes = [self.simulator.scene(index) for index in self.simulator.first_of_each_class()]
        projections = [self.simulator.render([scene])[0] for scene in scenes]
        samples = self.simulator.expose(projections)
        self._saturation = self.simulator.saturation_note(projections, samples)
        return header_of(self.simulator, projections[0], self._saturation)

    def samples(self, indices: Iterable[int]) -> Iterator[Sample]:
        """See `crystalvision.sources.Source.samples`."""
        if self.simulator.device.type == "cpu":
            return make_on_cpu(self.simulator, indices, threads=self._threads)
        return make_on_gpu(self.simulator, self._plugins, indices, processes=self._threads)

    def accuracy_bound(
        self,
        *,
        patterns: int,
        specimens: int,
        column: str = "",
        seed: int = 0,
        advance: Callable[[int], object] = lambda _: None,
    ) -> AccuracyBound:
        """See `crystalvision.sources.Source.accuracy_bound`."""
        return estimate_bound(
            self.simulator,
            patterns=patterns,
            specimens=specimens,
            column=column,
            seed=seed,
            threads=self._threads,
            advance=advance,
        )


def header_of(simulator: Simulator, projection: Projection, note: str = "") -> DatasetHeader:
    """What the dataset of a simulator will say of itself, its images being like this one."""
    recipe = simulator.recipe
    shape = tuple(projection.image.shape)
    dtype = np.dtype(np.float32 if recipe.detector is None else np.uint16)
    sample_bytes = dtype.itemsize * int(np.prod(shape))
    crystals = simulator.crystals
    described = {
        "samples": recipe.samples,
        "image_shape": shape,
        "dtype": dtype.name,
        "columns": {
            **defect_columns(
                [settings.name for settings in recipe.classes],
                [settings.severity for settings in recipe.classes],
            ),
            **{name: _column(name, simulator) for name in simulator.columns},
        },
        "axes": tuple(
            Axis(name=name, size=size, scale=step, offset=-origin * step)
            for name, size, step, origin in zip(
                ("q_y", "q_x"),
                shape[1:],
                projection.sampling_inv_angstrom,
                projection.direct_beam,
                strict=True,
            )
        ),
        "provenance": Made(
            source=SOURCE,
            recipe=recipe.model_copy(
                update={"structure_sha256": crystals.structure_sha256}
            ).model_dump(mode="json"),
            seed=recipe.seed,
            drawn_from=crystals.structure_sha256,
        ),
        "generator": _generator(simulator.device),
        "synthetic": True,
        "caveats": (*caveats_of(recipe), *([note] if note else [])),
        "crystals": crystals.facts,
        "samples_per_shard": int(np.clip(_SHARD_BYTES // sample_bytes, 1, 256)),
    }
    return validate(DatasetHeader, described, f"recipe {recipe.name}")


def _column(name: str, simulator: Simulator) -> Column:
    if name != "structure":
        return column_of(name)
    names = [part.name for part in simulator.crystals.structures]
    meaning = ", ".join(f"{index}: {part}" for index, part in enumerate(names))
    return Column(dtype="float32", units="1", description=meaning)


def _generator(device: torch.device) -> dict[str, str]:
    """What the numbers depend on beside the recipe."""
    names = ("crystalvision", "numpy", "torch")
    return {
        **{name: version(name) for name in names},
        "device": device.type,
        "processor": platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }
