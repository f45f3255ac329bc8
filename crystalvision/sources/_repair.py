"""Mends a damaged dataset: what is broken is made again, all else stays."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crystalvision.datasets import (
    DatasetHeader,
    DatasetWriter,
    HeaderConflictError,
    Problem,
    Simulated,
    find_obstacle,
    read_header,
    read_header_copy,
    verify,
)
from crystalvision.errors import InputError, StorageError
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.samples import Source
from crystalvision.sources._cluster import Cluster
from crystalvision.sources._generate import fill
from crystalvision.sources._spec import SourceSpec


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did.

    Attributes:
        found: What was wrong before.
        remade: Shards that were made again.
        left: What is still wrong, such as files of a stranger.
        other_software: Software of which another version made the dataset, name → (then, now).
    """

    found: tuple[Problem, ...]
    remade: tuple[int, ...]
    left: tuple[Problem, ...]
    other_software: dict[str, tuple[str, str]]


def repair(
    path: Path | str,
    *,
    plugins: PluginSelection | None = None,
    catalogue: Catalogue | None = None,
    device: str | None = None,
    cluster: Cluster | None = None,
    begin: Callable[[str, int], Callable[[int], object]] = lambda _what, _total: lambda _: None,
) -> Repair:
    """Find what is wrong with a dataset and mend it.

    Metadata and splits are written again from the header, of which there are two copies; damaged
    and missing shards are made again from the recipe. Files that are not the dataset's stay.

    Args:
        path: The dataset.
        plugins: The plugins that its source needs; by default what the environment says.
        catalogue: Where its source is looked up; by default it is loaded anew.
        device: Where to compute; by default where the dataset was made.
        cluster: Where samples are made; by default in this process.
        begin: Told what begins and how many steps it has; what it returns is told of each.

    Raises:
        InputError: There is no dataset, another process is writing it, its samples cannot be made
            again, or both copies of its header are damaged.
        StorageError: The disk refuses.
    """
    path = Path(path)
    header = _header(path)
    with DatasetWriter.hold(path, header) as writer:
        found = verify(path, advance=begin("reading", header.shards))
        if found:
            _check_clear(path, header)
        broken = sorted({problem.shard for problem in found if problem.shard is not None})
        other: dict[str, tuple[str, str]] = {}
        if broken:
            spec, source = _source(path, header, plugins, catalogue, device)
            other = _other_software(header, source.header)
            writer.remove_partial_files()
            writer.remove_shards(broken)
            samples = sum(len(header.shard_indices(shard)) for shard in broken)
            advance = begin("making", samples)
            fill(writer, broken, spec, source, cluster=cluster, advance=advance)
        if found:
            writer.restore()
    left = verify(path, advance=begin("checking", header.shards)) if found else []
    return Repair(tuple(found), tuple(broken), tuple(left), other)


def _header(path: Path) -> DatasetHeader:
    try:
        return read_header(path)
    except HeaderConflictError as error:
        raise InputError(f"{path}: cannot be repaired: {error}") from error
    except StorageError as first:
        try:
            return read_header_copy(path)
        except StorageError as second:
            raise InputError(
                f"{path}: cannot be repaired: both copies of its header are damaged "
                f"({first}; {second}); make it again with --overwrite"
            ) from second


def _check_clear(path: Path, header: DatasetHeader) -> None:
    """Check that every file can be written where it belongs.

    Raises:
        InputError: Something else is there.
    """
    obstacle = find_obstacle(path, header)
    if obstacle is not None:
        what = "folder" if obstacle.is_dir() else "file"
        raise InputError(
            f"{obstacle}: a {what} stands where the dataset has none; move it elsewhere, then "
            "repair again"
        )


def _source(
    path: Path,
    header: DatasetHeader,
    plugins: PluginSelection | None,
    catalogue: Catalogue | None,
    device: str | None,
) -> tuple[SourceSpec, Source]:
    """What made the dataset."""
    made = header.provenance
    if not isinstance(made, Simulated) or not made.source:
        raise InputError(
            f"{path}: shards are damaged, and its samples cannot be made again, because they were "
            "made by no source; run the command that made it again, with --resume"
        )
    spec = SourceSpec(
        made.source,
        made.recipe,
        device or header.generator.get("device", "cpu"),
        plugins=plugins or PluginSelection.from_environment(),
    )
    source = spec.open(catalogue)
    if source.header.identity != header.identity:
        raise InputError(
            f"{path}: its recipe now makes another dataset, so its shards cannot be made again; "
            f"it was made by {_versions(header.generator)}"
        )
    return spec, source


def _other_software(then: DatasetHeader, now: DatasetHeader) -> dict[str, tuple[str, str]]:
    names = then.generator.keys() | now.generator.keys()
    pairs = {name: (then.generator.get(name, ""), now.generator.get(name, "")) for name in names}
    return {name: pair for name, pair in sorted(pairs.items()) if pair[0] != pair[1]}


def _versions(generator: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in generator.items())
