"""What a dataset of powder patterns says of itself."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import cast

import numpy as np

from crystalvision.contracts import Axis, Instrument, Measure, Recorded
from crystalvision.datasets import (
    SPECIMEN,
    SPECIMEN_COLUMN,
    Column,
    DatasetHeader,
    ImageType,
    Simulated,
    label_column,
)
from crystalvision_simulate.powder._candidates import Candidate, digest_of
from crystalvision_simulate.powder._mixtures import FRACTIONS
from crystalvision_simulate.powder._recipe import PowderRecipe

SOURCE = "powder"
_SHARD_BYTES = 2**21
_MOST_IN_SHARD = 512
_CAVEAT = (
    "Powder patterns are calculated from unit cells: no diffuse scattering, no anomalous "
    "scattering; thermal motion is one number for all atoms; texture is that of March and Dollase."
)


def powder_header(
    recipe: PowderRecipe,
    candidates: Sequence[Candidate],
    classes: Sequence[str],
    numbers: Sequence[Measure],
    instruments: Sequence[Instrument],
    axes: tuple[Axis, ...],
) -> DatasetHeader:
    """The header of a dataset.

    Args:
        recipe: The recipe.
        candidates: Its phases.
        classes: Names of its classes.
        numbers: What is drawn for each sample and kept.
        instruments: The instrument at the ends of what it is made with.
        axes: Of what it records.
    """
    instrument = instruments[0]
    shape = (1, *(axis.size for axis in axes))
    size = np.dtype(instrument.dtype).itemsize * int(np.prod(shape))
    elements = tuple(one.elements for one in candidates) if recipe.target == "phase" else ()
    columns = {
        "label": label_column(classes, elements=elements),
        **_phase_columns(recipe, candidates),
        **{one.name: _column(one) for one in numbers},
    }
    return DatasetHeader(
        samples=recipe.samples,
        image_shape=shape,
        dtype=cast("ImageType", instrument.dtype),
        columns=columns,
        axes=axes,
        provenance=Simulated(
            source=SOURCE,
            recipe=recipe.model_dump(mode="json"),
            seed=recipe.seed,
            drawn_from=digest_of(candidates),
        ),
        recorded=Recorded.join(each.recorded for each in instruments),
        generator=_generator(),
        synthetic=True,
        caveats=(_CAVEAT, *instrument.caveats),
        samples_per_shard=int(np.clip(_SHARD_BYTES // size, 1, _MOST_IN_SHARD)),
    )


def _phase_columns(recipe: PowderRecipe, candidates: Sequence[Candidate]) -> dict[str, Column]:
    """What says of which phases a sample is, beside its class."""
    found = {}
    if recipe.target != "phase":  # a system is to be told of phases that are new
        found[SPECIMEN] = SPECIMEN_COLUMN.model_copy(
            update={"description": "number of the phase in the recipe"}
        )
    if recipe.mixture is not None:
        found[FRACTIONS] = Column(
            dtype="float32",
            description="share by weight of each phase",
            shape=(len(candidates),),
            components=tuple(one.name for one in candidates),
        )
    return found


def _column(measure: Measure) -> Column:
    return Column(dtype="float32", units=measure.units, description=measure.description)


def _generator() -> dict[str, str]:
    return {
        "crystalvision": version("crystalvision"),
        "numpy": version("numpy"),
        "torch": version("torch"),
        "processor": platform.machine(),
    }
