"""A source that makes samples in microseconds, as a stranger's single-file plugin offers it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from crystalvision.plugins import PluginSelection
from crystalvision.sources import SourceSpec

PLUGIN = '''
import os
import time

import numpy as np

from crystalvision import hookimpl
from crystalvision.datasets import Axis, Column, DatasetHeader, Simulated, defect_columns
from crystalvision.errors import InputError
from crystalvision.sources import Sample, Source


class Numbers(Source):
    """Images of numbers that follow from the seed and the index."""

    def __init__(self, spec, catalogue):
        self.recipe = dict(spec.recipe)
        self.threads = spec.threads

    @property
    def header(self):
        recipe = {key: value for key, value in self.recipe.items() if key in ("samples", "seed")}
        return DatasetHeader(
            samples=recipe["samples"],
            image_shape=(1, 8, 8),
            dtype="uint16",
            columns={
                **defect_columns(("none", "some"), (0.0, 0.9)),
                "thickness_angstrom": Column(dtype="float32", units="angstrom"),
            },
            axes=tuple(
                Axis(name=name, size=8, scale=0.1, offset=-0.4) for name in ("q_y", "q_x")
            ),
            provenance=Simulated(source="numbers", recipe=recipe, seed=recipe["seed"]),
            generator={"numbers": self.recipe.get("version", "1"), "device": "cpu"},
            samples_per_shard=4,
        )

    def samples(self, indices):
        for index in indices:
            if index == self.recipe.get("refuse"):
                raise InputError(f"sample {index} cannot be made")
            if index == self.recipe.get("die"):
                os._exit(1)
            time.sleep(self.recipe.get("sleep", 0))
            rng = np.random.default_rng([self.recipe["seed"], index])
            yield Sample(
                rng.integers(0, 1000, (1, 8, 8), dtype=np.uint16),
                {
                    "label": index % 2,
                    "severity": 0.9 * (index % 2),
                    "thickness_angstrom": rng.uniform(50, 150),
                },
            )


@hookimpl
def crystalvision_sources():
    return {"numbers": Numbers}
'''


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> PluginSelection:
    """The selection that loads the source."""
    path = tmp_path_factory.mktemp("plugin") / "numbers_source.py"
    path.write_text(PLUGIN)
    return PluginSelection((path,))


@pytest.fixture(scope="session")
def numbers(plugins: PluginSelection) -> Callable[..., SourceSpec]:
    """The source, for a recipe with changes."""

    def make(**changes: object) -> SourceSpec:
        return SourceSpec("numbers", {"samples": 46, "seed": 5, **changes}, plugins=plugins)

    return make


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file of a dataset, by its path."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not path.name.endswith(".lock")
        }

    return read
