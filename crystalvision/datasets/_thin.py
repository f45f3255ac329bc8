"""A dataset of a lower dose, made of one of a higher."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from crystalvision.config import validate
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._provenance import Thinned
from crystalvision.datasets._verify import damaged_shards
from crystalvision.datasets._writer import DatasetWriter, Mode
from crystalvision.errors import InputError

_OF_DOSE = {"electron", "electron/angstrom^2"}
_CAVEAT = (
    "Counts were drawn from those of a higher dose: exactly as a detector that counts single "
    "electrons gives them, and only about so where one electron makes several counts."
)


def thin(
    source: Path | str,
    path: Path | str,
    kept: float,
    *,
    seed: int = 0,
    mode: Mode = "create",
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Make a dataset of a lower dose: each count of another is kept with one probability.

    Counts that follow Poisson's law do so still, with the lower mean: it is what the detector would
    have given at that dose, of the same specimens. So one rendering serves any number of doses.
    Columns in electrons are multiplied by the share; splits stay. The counts follow from the seed
    and the sample's index alone.

    Args:
        source: The dataset of the higher dose.
        path: Where the other goes.
        kept: The share of the counts that is kept, between 0 and 1.
        seed: Another one draws others.
        mode: What to do with what is there already: refuse it, go on with it, or replace it.
        advance: Called with the number of samples that were written or found written.

    Raises:
        InputError: A share of nothing or all, images that are no counts, or the place is taken.
        StorageError: The source is damaged, or the disk refuses.
    """
    dataset, path = Dataset.open(source), Path(path)
    if not 0 < kept < 1:
        raise InputError(f"kept={kept:g}: expected a share between 0 and 1, such as 0.01")
    check_counts(dataset)
    if path.resolve().is_relative_to(dataset.path.resolve()) or (
        dataset.path.resolve().is_relative_to(path.resolve())
    ):
        raise InputError(f"{path}: lies in {dataset.path}, or holds it; choose another place")
    header = _header(dataset, kept, seed)
    with DatasetWriter.open(path, header, mode, dataset.split_settings()) as writer:
        writer.remove_shards(damaged_shards(path, header))
        missing = writer.missing_shards()
        advance(header.samples - sum(len(writer.shard_indices(shard)) for shard in missing))
        for shard in missing:
            indices = np.asarray(writer.shard_indices(shard))
            seen = dataset.seen(indices) if header.seen and header.seen.each_sample else None
            images = _thinned(dataset, indices, kept, seed)
            columns = thinned_columns(dataset, indices, np.full(len(indices), kept))
            writer.write_shard(shard, images, columns, seen)
            advance(len(indices))
        writer.finish()


def check_counts(dataset: Dataset) -> None:
    """Check that a dataset holds counts, of which some may be left out.

    Raises:
        InputError: It holds fractions.
    """
    if not np.issubdtype(np.dtype(dataset.header.dtype), np.integer):
        raise InputError(
            f"{dataset.path}: holds {dataset.header.dtype}, no counts that could be thinned; make "
            "it with a detector (instrument.kind: counting)"
        )


def _header(dataset: Dataset, kept: float, seed: int) -> DatasetHeader:
    made = Thinned(kept=kept, seed=seed, of=dataset.header.as_part)
    fields = {name: getattr(dataset.header, name) for name in type(dataset.header).model_fields}
    fields |= {"provenance": made, "caveats": (*dataset.header.caveats, _CAVEAT)}
    return validate(DatasetHeader, fields, "thinned dataset")


def _thinned(
    dataset: Dataset, indices: Int[np.ndarray, "n"], kept: float, seed: int
) -> np.ndarray[Any, Any]:
    images = dataset.images(indices)
    for index, image in zip(indices, images, strict=True):
        rng = np.random.default_rng((seed, int(index)))
        image[...] = rng.binomial(image.astype(np.int64), kept)
    return images


def thinned_columns(
    dataset: Dataset, indices: Int[np.ndarray, "n"], kept: Float[np.ndarray, "n"]
) -> dict[str, np.ndarray[Any, Any]]:
    """The columns of some samples of which a share of the counts is kept each, doses likewise.

    Args:
        dataset: Holds them.
        indices: Which samples, (n,).
        kept: The share of each, (n,).
    """
    columns = {}
    for name, column in dataset.header.columns.items():
        values = dataset.column(name, indices)
        scaled = column.units in _OF_DOSE and np.issubdtype(values.dtype, np.floating)
        columns[name] = (values * kept).astype(values.dtype) if scaled else values
    return columns
