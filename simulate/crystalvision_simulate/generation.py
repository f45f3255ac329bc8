"""Runs a recipe: makes its samples on every core and writes them, shard by shard."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from crystalvision.config import validate
from crystalvision.datasets import Axis, Column, DatasetHeader, DatasetWriter
from crystalvision_simulate.simulator import NUISANCE_COLUMNS, Sample, Simulator

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
    device: torch.device | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Make a dataset.

    On the CPU, samples are made by one thread a core, each on its own: torch itself runs on one
    thread, because that is faster, and because then a sample is the same bit for bit wherever it
    is made.

    Args:
        simulator: Makes the samples.
        path: Where the dataset goes.
        mode: What to do with what is there already: refuse it, go on with it, or replace it.
        device: The device of `simulator`, for the record.
        advance: Called with the number of samples that were made or found made.

    Raises:
        InputError: The place is taken, or holds another dataset.
        StorageError: The disk is full or not writable.
    """
    # What only a sample of a class can show to be wrong is known before anything is written.
    first = [simulator.sample(index) for index in simulator.first_of_each_class()]
    header = header_of(simulator, first[0].image.shape, device or torch.device("cpu"))
    with DatasetWriter.open(path, header, mode=mode) as writer:
        missing = writer.missing_shards()
        advance(header.samples - sum(len(header.shard_indices(shard)) for shard in missing))
        with _sample_maker(simulator, device) as make:
            for shard in missing:
                samples = []
                for sample in make(writer.shard_indices(shard)):
                    samples.append(sample)
                    advance(1)
                columns = {
                    name: np.array([sample.columns[name] for sample in samples])
                    for name in samples[0].columns
                }
                images = np.stack([sample.image for sample in samples])
                writer.write_shard(shard, images, columns)
        writer.finish()


def header_of(
    simulator: Simulator, image_shape: tuple[int, ...], device: torch.device
) -> DatasetHeader:
    """What the dataset of a simulator will say of itself, for images of this shape (c, h, w)."""
    recipe = simulator.recipe
    pixels, side = recipe.camera.pixels, recipe.camera.pixel_size_inv_angstrom
    sample_bytes = 2 * int(np.prod(image_shape))
    described = {
        "samples": recipe.samples,
        "image_shape": image_shape,
        "dtype": "uint16",
        "class_names": tuple(settings.name for settings in recipe.classes),
        "class_severities": tuple(settings.severity for settings in recipe.classes),
        "columns": {
            name: Column(dtype="float32", units=_units(name))
            for name in (*NUISANCE_COLUMNS, *simulator.measures)
        },
        "axes": tuple(
            Axis(name=name, size=pixels, scale=side, offset=-(pixels // 2) * side)
            for name in ("q_y", "q_x")
        ),
        "seed": recipe.seed,
        "recipe": recipe.model_copy(
            update={"structure_sha256": simulator.structure_sha256}
        ).model_dump(mode="json"),
        "generator": _generator(device),
        "samples_per_shard": int(np.clip(_SHARD_BYTES // sample_bytes, 1, 256)),
    }
    return validate(DatasetHeader, described, f"recipe {recipe.name}")


def _generator(device: torch.device) -> dict[str, str]:
    """What the numbers depend on beside the recipe."""
    names = ("crystalvision", "numpy", "torch")
    return {**{name: version(name) for name in names}, "device": device.type}


def _units(column: str) -> str:
    return _UNITS.get(column.rpartition("_")[2], "1")


@contextmanager
def _sample_maker(
    simulator: Simulator, device: torch.device | None
) -> Iterator[Callable[[range], Iterator[Sample]]]:
    """Something that makes samples in order, on every core if they are made on the CPU."""
    if device is not None and device.type != "cpu":
        yield lambda indices: map(simulator.sample, indices)
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    executor = ThreadPoolExecutor(_cores(), "crystalvision-simulate")
    try:
        yield lambda indices: executor.map(simulator.sample, indices)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(threads)


def _cores() -> int:
    """Cores that this process may use; only Linux tells them from all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
