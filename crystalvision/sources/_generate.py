"""Makes a dataset from a source, shard by shard."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from crystalvision.datasets import DatasetWriter, SplitSettings
from crystalvision.samples import Source
from crystalvision.sources._cluster import Cluster
from crystalvision.sources._shards import shards_of
from crystalvision.sources._spec import SourceSpec


def generate(
    spec: SourceSpec,
    path: Path | str,
    *,
    mode: Literal["create", "resume", "overwrite"] = "create",
    cluster: Cluster | None = None,
    source: Source | None = None,
    split: SplitSettings | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Make a dataset.

    Shards are written one by one by this process alone, whoever makes them, and each is whole or
    absent: what is killed goes on with `mode="resume"`. The result does not depend on who makes
    them.

    Args:
        spec: What makes the samples.
        path: Where the dataset goes.
        mode: What to do with what is there already: refuse it, go on with it, or replace it.
        cluster: Where samples are made; by default in this process.
        source: The source of `spec`, if it is open already.
        split: How it is split; by default as it is already, or as is usual.
        advance: Called with the number of samples that were made or found made.

    Raises:
        InputError: The place is taken, or holds another dataset, or the recipe cannot be made.
        StorageError: The disk is full or not writable.
    """
    source = source or spec.open()
    with DatasetWriter.open(path, source.header, mode=mode, split=split) as writer:
        missing = writer.missing_shards()
        header = writer.header
        advance(header.samples - sum(len(header.shard_indices(shard)) for shard in missing))
        fill(writer, missing, spec, source, cluster=cluster, advance=advance)
        writer.finish()


def fill(
    writer: DatasetWriter,
    shards: Sequence[int],
    spec: SourceSpec,
    source: Source,
    *,
    cluster: Cluster | None,
    advance: Callable[[int], object],
) -> None:
    """Make some shards and write them; see `generate`."""
    header = writer.header
    if cluster is None:
        made = shards_of(source, header, shards, advance)
    else:
        made = cluster.make_shards(spec, header, shards)
    with closing(made):
        for shard, files in made:
            writer.put_shard(shard, files)
            if cluster is not None:
                advance(len(header.shard_indices(shard)))
