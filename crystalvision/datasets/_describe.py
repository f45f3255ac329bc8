"""A dataset in one table, for `crystalvision dataset info`."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from crystalvision.datasets._columns import LABEL
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._files import size_bytes
from crystalvision.datasets._header import DatasetHeader
from crystalvision.datasets._open import is_split
from crystalvision.datasets._provenance import Merged, Simulated
from crystalvision.datasets._splits import SPLIT_NAMES
from crystalvision.storage import disk_errors

_MOST_MASKS = 64  # of which the share of seen points is told


def describe(dataset: Dataset) -> dict[str, Any]:
    """What a dataset holds, in JSON types; works on incomplete datasets too.

    Raises:
        StorageError: The data cannot be read.
    """
    header, provenance = dataset.header, dataset.header.provenance
    splits = None
    if is_split(dataset.path):
        splits = {name: len(dataset.split(name)) for name in SPLIT_NAMES}
    with disk_errors(dataset.path, "read"):
        size = size_bytes(dataset.path)
    return {
        "path": str(dataset.path),
        "identity": dataset.identity,
        "complete": dataset.complete,
        "samples": header.samples,
        "samples_written": len(dataset.written()),
        "shards": header.shards,
        "missing_shards": dataset.missing_shards,
        "classes": _classes(dataset),
        "targets": {
            name: target.model_dump(
                mode="json", exclude={"name", "classes", "class_severities", "class_elements"}
            )
            for name, target in header.targets.items()
        },
        "splits": splits,
        "image_shape": list(header.image_shape),
        "dtype": header.dtype,
        "axes": [axis.model_dump(mode="json") for axis in header.axes],
        "columns": {name: column.units for name, column in header.columns.items()},
        "seen": _seen(dataset),
        "bytes_on_disk": size,
        "recipe": header.name or None,
        "caveats": list(header.caveats),
        "seed": provenance.seed if isinstance(provenance, Simulated) else None,
        **_crystals(header),
        "generator": header.generator,
        "made_elsewhere": made_elsewhere(header.generator),
        "sources": [
            {
                "name": part.provenance.name,
                "seed": getattr(part.provenance, "seed", None),
                "samples": part.samples,
                "identity": part.identity,
            }
            for part in provenance.parts
        ]
        if isinstance(provenance, Merged)
        else [],
    }


def _crystals(header: DatasetHeader) -> dict[str, Any]:
    """The ideal crystals, of data that are of crystals."""
    facts = [facts.model_dump(mode="json") for facts in header.crystals]
    return {"crystals": facts} if facts else {}


def _classes(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Severity of each class of `label`, if it has one, and how many samples have it."""
    header = dataset.header
    if not header.class_names:
        return {}
    labels = dataset.column(LABEL)[dataset.written()]
    counts = np.bincount(labels, minlength=len(header.class_names))
    severities = header.class_severities or (None,) * len(header.class_names)
    return {
        name: {"severity": severity, "samples": int(count)}
        for name, severity, count in zip(header.class_names, severities, counts, strict=True)
    }


def _seen(dataset: Dataset) -> dict[str, Any] | None:
    """Whether all samples share a mask, and which share of the points it lets through."""
    header = dataset.header
    if header.seen is None:
        return None
    written = dataset.written()
    some = written[:: max(1, len(written) // _MOST_MASKS)]
    seen = dataset.seen(some if header.seen.each_sample else written[:1])
    share = None if seen is None or not seen.size else float(seen.mean())
    return {"each_sample": header.seen.each_sample, "share": share}


def made_elsewhere(generator: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What of the software and machine that made data is another here: name → (there, here).

    Samples that are made again with other libraries, or on another kind of processor, may differ
    from the stored ones in the last bits of their probabilities, and so in single counts.

    Args:
        generator: What a dataset's header says.
    """
    found: dict[str, tuple[str, str]] = {}
    for name, there in generator.items():
        here = _here(name)
        if here is not None and there != here:
            found[name] = (there, here)
    return found


def _here(name: str) -> str | None:
    if name == "processor":
        return platform.machine()
    if name not in {"crystalvision", "numpy", "torch"}:
        return None
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
