"""Joins datasets into one, sample after sample, and remembers where each came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from crystalvision.config import validate
from crystalvision.contracts import Recorded
from crystalvision.datasets._columns import SPECIMEN, SPECIMEN_COLUMN, Column
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._join import (
    SOURCE,
    SOURCE_INDEX,
    check_alike,
    differing_beams,
    join_columns,
    join_seen,
)
from crystalvision.datasets._provenance import DatasetPart, Merged, Simulated, origins, same_samples
from crystalvision.datasets._specimens import number_specimens
from crystalvision.datasets._verify import damaged_shards
from crystalvision.datasets._writer import DatasetWriter, Mode
from crystalvision.errors import InputError

Rows = dict[str, np.ndarray[Any, Any]]


def merge(
    inputs: Sequence[Path | str],
    path: Path | str,
    *,
    name: str | None = None,
    mode: Mode = "create",
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Merge datasets: all samples of the first, then all of the second, and so on.

    Classes are joined by name. The columns `source` and `source_index` tell where each sample was
    first made, also where an input is itself a merged dataset. Splits are assigned anew. Images are
    held in memory one shard at a time.

    Args:
        inputs: The datasets, at least two.
        path: Where the merged dataset goes.
        name: Its name; by default the names of the inputs, joined.
        mode: What to do with what is there already: refuse it, go on with it, or replace it.
        advance: Called with the number of samples that were copied or found copied.

    Raises:
        InputError: The inputs do not fit each other, or hold the same samples; or the place is
            taken.
        StorageError: An input is damaged, or the disk refuses.
    """
    path = Path(path)
    folders = [Path(each) for each in inputs]
    if len(folders) < 2:
        raise InputError(f"{len(folders)} dataset was given to merge; expected two or more")
    for folder in folders:
        _check_apart(folder, path)
    plan = _Plan([Dataset.open(folder) for folder in folders], name)
    with DatasetWriter.open(path, plan.header, mode) as writer:
        writer.remove_shards(damaged_shards(path, plan.header))
        missing = writer.missing_shards()
        advance(plan.header.samples - sum(len(writer.shard_indices(shard)) for shard in missing))
        for shard in missing:
            indices = writer.shard_indices(shard)
            writer.write_shard(shard, *plan.read(indices))
            advance(len(indices))
        writer.finish()


@dataclass(frozen=True, slots=True)
class _Part:
    """One input.

    Attributes:
        dataset: The input.
        indices: Its samples in the merged dataset.
        classes: Of each column of classes, index there → index in the merged dataset, (classes,).
        rows: `source` and `source_index` of its samples, name → (n,).
    """

    dataset: Dataset
    indices: range
    classes: Rows
    rows: Rows


class _Plan:
    """What a merged dataset will be; everything is checked before anything is written.

    Attributes:
        header: Its header.
    """

    def __init__(self, datasets: Sequence[Dataset], name: str | None) -> None:
        check_alike(datasets)
        columns = join_columns(datasets)
        sources = _join_sources(datasets)
        self._specimens = number_specimens(datasets)
        self._parts = list(_parts(datasets, columns))
        if self._specimens is not None:
            columns[SPECIMEN] = SPECIMEN_COLUMN
        columns |= _source_columns(sources)
        self.header = _header(datasets, columns, sources, name)

    def read(
        self, indices: range
    ) -> tuple[np.ndarray[Any, Any], Rows, np.ndarray[Any, Any] | None]:
        """Images, columns and masks, if there are any, of some samples of the merged dataset.

        Raises:
            StorageError: An input is damaged.
        """
        images, rows, masks = [], [], []
        for part in self._parts:
            start = max(indices.start, part.indices.start)
            stop = min(indices.stop, part.indices.stop)
            if start < stop:
                there = np.arange(start, stop) - part.indices.start
                images.append(part.dataset.images(there))
                rows.append(self._rows(part, there))
                masks.append(self._masks(part, there))
        columns = {name: np.concatenate([each[name] for each in rows]) for name in rows[0]}
        if self._specimens is not None:
            columns[SPECIMEN] = self._specimens[indices.start : indices.stop]
        seen = self.header.seen
        each = None if seen is None or not seen.each_sample else np.concatenate(masks)
        return np.concatenate(images), columns, each

    def _masks(self, part: _Part, there: Int[np.ndarray, "n"]) -> np.ndarray[Any, Any]:
        """Which points were measured, as the merged dataset holds it, (n, channels, *grid)."""
        seen, header = part.dataset.seen(there), self.header
        channels = 1 if header.seen is None else header.seen.channels
        shape = (len(there), channels, *header.grid)
        return np.broadcast_to(True if seen is None else seen, shape)

    def _rows(self, part: _Part, there: Int[np.ndarray, "n"]) -> Rows:
        known = part.dataset.header.columns
        rows: Rows = {}
        for name, column in self.header.columns.items():
            if name == SPECIMEN:
                continue
            if name in part.rows:
                rows[name] = part.rows[name][there]
            elif name in known:
                values = part.dataset.column(name, there)
                rows[name] = part.classes[name][values] if column.classes else values
            else:
                rows[name] = np.full((len(there), *column.shape), np.nan, dtype=column.dtype)
        return rows


def _parts(datasets: Sequence[Dataset], columns: Mapping[str, Column]) -> list[_Part]:
    parts = []
    start = source = 0
    for dataset in datasets:
        count = len(dataset)
        here: Rows = {
            SOURCE: np.full(count, source, dtype=np.int32),
            SOURCE_INDEX: np.arange(count, dtype=np.int64),
        }
        if isinstance(dataset.header.provenance, Merged):
            here = {
                SOURCE: dataset.column(SOURCE) + np.int32(source),
                SOURCE_INDEX: dataset.column(SOURCE_INDEX),
            }
        classes = {
            name: np.array(list(map(columns[name].classes.index, own.classes)), own.dtype)
            for name, own in dataset.header.columns.items()
            if own.classes
        }
        parts.append(_Part(dataset, range(start, start + count), classes, here))
        start += count
        source += len(dataset.header.parts)
    return parts


def _join_sources(datasets: Sequence[Dataset]) -> list[DatasetPart]:
    """The sources of all inputs, in order.

    Raises:
        InputError: Two inputs hold the same samples.
    """
    known: list[tuple[Dataset, DatasetPart]] = []
    for dataset in datasets:
        for part in dataset.header.parts:
            for other, given in known:
                if _share_samples(part, given):
                    raise InputError(
                        f"{dataset.path}: holds samples that {other.path} holds, too: those of "
                        f"{part.label}; leave one of them out, or simulate it with another --seed"
                    )
            known.append((dataset, part))
    return [part for _, part in known]


def _share_samples(one: DatasetPart, other: DatasetPart) -> bool:
    first, second = (origins(part.identity, part.provenance) for part in (one, other))
    if first.keys() & second.keys():
        return True
    made = (each for each in first.values() if isinstance(each, Simulated))
    return any(same_samples(each, known) for each in made for known in second.values())


def _source_columns(sources: Sequence[DatasetPart]) -> dict[str, Column]:
    named = ", ".join(f"{number}: {source.label}" for number, source in enumerate(sources))
    described = f"dataset in which the sample was made; {named}"
    return {
        SOURCE: Column(dtype="int32", description=described),
        SOURCE_INDEX: Column(dtype="int64", description="index of the sample in that dataset"),
    }


def _header(
    datasets: Sequence[Dataset],
    columns: Mapping[str, Column],
    sources: list[DatasetPart],
    name: str | None,
) -> DatasetHeader:
    first = datasets[0].header
    names = dict.fromkeys(source.provenance.name or "without a name" for source in sources)
    fields = {
        "samples": sum(map(len, datasets)),
        "image_shape": first.image_shape,
        "dtype": first.dtype,
        "columns": dict(columns),
        "axes": first.axes,
        "seen": join_seen([dataset.header for dataset in datasets]),
        "provenance": Merged(name=name or " + ".join(names), parts=tuple(sources)),
        "recorded": Recorded.join(dataset.header.recorded for dataset in datasets),
        "generator": _generator(datasets),
        "synthetic": all(dataset.header.synthetic for dataset in datasets),
        "caveats": (
            *dict.fromkeys(text for dataset in datasets for text in dataset.header.caveats),
            *differing_beams(datasets),
        ),
        "crystals": tuple(
            dict.fromkeys(facts for dataset in datasets for facts in dataset.header.crystals)
        ),
        "samples_per_shard": first.samples_per_shard,
    }
    return validate(DatasetHeader, fields, "merged dataset")


def _generator(datasets: Sequence[Dataset]) -> dict[str, str]:
    """The software of all inputs; several versions stand side by side."""
    versions: dict[str, dict[str, None]] = {}
    for dataset in datasets:
        for name, text in dataset.header.generator.items():
            versions.setdefault(name, {}).update(dict.fromkeys(text.split(" and ")))
    return {name: " and ".join(found) for name, found in versions.items()}


def _check_apart(folder: Path, path: Path) -> None:
    """Refuse an output that would overwrite an input."""
    one, two = folder.resolve(), path.resolve()
    if one.is_relative_to(two) or two.is_relative_to(one):
        raise InputError(
            f"{path}: the output lies in the input {folder}, or holds it; choose another"
        )
