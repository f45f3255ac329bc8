"""Makes the shards of a dataset from a source, in one process."""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import islice

import numpy as np

from crystalvision.datasets import DatasetHeader, ShardEncoder
from crystalvision.sources._contract import Sample, Source

Shard = tuple[int, dict[str, bytes]]


def shards_of(
    source: Source,
    header: DatasetHeader,
    shards: Sequence[int],
    advance: Callable[[int], object] = lambda _: None,
) -> Generator[Shard, None, None]:
    """Make shards in order: the number of each, and its files."""
    encoder = ShardEncoder(header)
    samples = source.samples(index for shard in shards for index in header.shard_indices(shard))
    try:
        for shard in shards:
            taken = _take(samples, len(header.shard_indices(shard)), advance)
            names = taken[0].columns
            columns = {name: np.array([sample.columns[name] for sample in taken]) for name in names}
            masks = [one.seen for one in taken if one.seen is not None]
            seen = np.stack(masks) if masks else None
            yield shard, encoder.encode(
                shard, np.stack([one.image for one in taken]), columns, seen
            )
    finally:
        close = getattr(samples, "close", None)
        if close is not None:
            close()


def _take(samples: Iterator[Sample], count: int, advance: Callable[[int], object]) -> list[Sample]:
    taken = []
    for sample in islice(samples, count):
        taken.append(sample)
        advance(1)
    return taken
