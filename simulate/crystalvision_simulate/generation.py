"""Runs a recipe: makes its samples and writes them, shard by shard."""

from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from crystalvision.config import validate
from crystalvision.datasets import Axis, Column, DatasetHeader, DatasetWriter
from crystalvision.plugins import PluginSelection
from crystalvision_simulate.pipeline import make_on_cpu, make_on_gpu
from crystalvision_simulate.simulator import Projection, Sample, Simulator

_SHARD_BYTES = 8 * 2**20
_UNITS = {
    "angstrom": "angstrom",
    "kev": "keV",
    "mrad": "mrad",
    "deg": "degree",
    "px": "pixel",
    "electrons": "electron",
}


def generate(
    simulator: Simulator,
    path: Path,
    *,
    mode: Literal["create", "resume", "overwrite"] = "create",
    selection: PluginSelection | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Make a dataset.

    On the CPU, samples are made by one thread a core, each on its own: torch itself runs on one
    thread, because that is faster, and because then a sample is the same bit for bit wherever it
    is made. On a GPU they are rendered in batches, which a process a core prepares.

    Args:
        simulator: Makes the samples.
        path: Where the dataset goes.
        mode: What to do with what is there already: refuse it, go on with it, or replace it.
        selection: The plugins that the recipe needs, for the processes that feed a GPU; by default
            what the environment says.
        advance: Called with the number of samples that were made or found made.

    Raises:
        InputError: The place is taken, or holds another dataset.
        StorageError: The disk is full or not writable.
    """
    # What only a sample of a class can show to be wrong is known before anything is written.
    scenes = [simulator.scene(index) for index in simulator.first_of_each_class()]
    projections = [simulator.render([scene])[0] for scene in scenes]
    simulator.expose(projections)
    header = header_of(simulator, projections[0])
    with DatasetWriter.open(path, header, mode=mode) as writer:
        missing = writer.missing_shards()
        advance(header.samples - sum(len(header.shard_indices(shard)) for shard in missing))
        indices = (index for shard in missing for index in writer.shard_indices(shard))
        if simulator.device.type == "cpu":
            samples = make_on_cpu(simulator, indices)
        else:
            plugins = selection or PluginSelection.from_environment()
            samples = make_on_gpu(simulator, plugins, indices)
        with closing(samples):
            for shard in missing:
                _write(writer, shard, samples, advance)
        writer.finish()


def _write(
    writer: DatasetWriter,
    shard: int,
    samples: Iterator[Sample],
    advance: Callable[[int], object],
) -> None:
    """Take the samples of a shard as they are made, and write it."""
    taken = []
    for sample in islice(samples, len(writer.shard_indices(shard))):
        taken.append(sample)
        advance(1)
    columns = {
        name: np.array([sample.columns[name] for sample in taken]) for name in taken[0].columns
    }
    writer.write_shard(shard, np.stack([sample.image for sample in taken]), columns)


def header_of(simulator: Simulator, projection: Projection) -> DatasetHeader:
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
        "class_names": tuple(settings.name for settings in recipe.classes),
        "class_severities": tuple(settings.severity for settings in recipe.classes),
        "columns": {name: _column(name, simulator) for name in simulator.columns},
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
        "seed": recipe.seed,
        "recipe": recipe.model_copy(
            update={"structure_sha256": crystals.structure_sha256}
        ).model_dump(mode="json"),
        "generator": _generator(simulator.device),
        "samples_per_shard": int(np.clip(_SHARD_BYTES // sample_bytes, 1, 256)),
    }
    return validate(DatasetHeader, described, f"recipe {recipe.name}")


def _column(name: str, simulator: Simulator) -> Column:
    if name != "structure":
        return Column(dtype="float32", units=_units(name))
    names = [part.name for part in simulator.crystals.structures]
    meaning = ", ".join(f"{index}: {part}" for index, part in enumerate(names))
    return Column(dtype="float32", units="1", description=meaning)


def _generator(device: torch.device) -> dict[str, str]:
    """What the numbers depend on beside the recipe."""
    names = ("crystalvision", "numpy", "torch")
    return {**{name: version(name) for name in names}, "device": device.type}


def _units(column: str) -> str:
    return _UNITS.get(column.rpartition("_")[2], "1")
