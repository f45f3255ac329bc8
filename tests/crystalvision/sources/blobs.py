"""A stranger's source that has nothing to do with crystals: blobs of light under a microscope."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import numpy as np
from pydantic import Field

from crystalvision import hookimpl
from crystalvision.config import Config, validate
from crystalvision.contracts import Axis
from crystalvision.datasets import Column, DatasetHeader, Simulated
from crystalvision.plugins import Catalogue
from crystalvision.sources import Sample, Source, SourceSpec

COUNTS = ("one", "two", "three")


class BlobRecipe(Config):
    """What a recipe of blobs says."""

    name: str = "blobs"
    description: str = ""
    samples: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)] = 0
    pixels: Annotated[int, Field(ge=8)] = 16
    width_um: Annotated[float, Field(gt=0)] = 0.2
    photons: Annotated[float, Field(gt=0)] = 200.0


class Blobs(Source):
    """Images of one to three blobs."""

    def __init__(self, spec: SourceSpec, catalogue: Catalogue) -> None:
        del catalogue
        self.recipe = validate(BlobRecipe, spec.recipe, spec.described_in)

    @property
    def header(self) -> DatasetHeader:
        recipe = self.recipe
        return DatasetHeader(
            samples=recipe.samples,
            image_shape=(1, recipe.pixels, recipe.pixels),
            dtype="uint16",
            columns={
                "label": Column(dtype="int64", classes=COUNTS, description="number of blobs"),
                "photons": Column(dtype="float32", units="photon", description="of one blob"),
            },
            axes=tuple(
                Axis(name=name, size=recipe.pixels, scale=0.1, offset=0.0, units="um")
                for name in ("y", "x")
            ),
            provenance=Simulated(source="blobs", recipe=recipe.model_dump(), seed=recipe.seed),
            generator={"blobs": "1"},
            synthetic=True,
            samples_per_shard=8,
        )

    def samples(self, indices: Iterable[int]) -> Iterator[Sample]:
        for index in indices:
            yield self._sample(index)

    def _sample(self, index: int) -> Sample:
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, index])
        label = index % len(COUNTS)
        photons = recipe.photons * rng.uniform(0.8, 1.2)
        y, x = np.mgrid[: recipe.pixels, : recipe.pixels] * 0.1
        light = np.full(y.shape, 1.0)
        for blob in range(label + 1):  # in corners of their own, so that they can be counted
            centre = 0.1 * recipe.pixels * (np.array(divmod(blob, 2)) + rng.uniform(0.4, 0.6)) / 2
            squares = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
            light += photons * np.exp(-squares / (2 * recipe.width_um**2))
        image = rng.poisson(light)[None].astype(np.uint16)
        return Sample(image, {"label": label, "photons": photons})


@hookimpl
def crystalvision_sources() -> dict[str, type[Source]]:
    return {"blobs": Blobs}
