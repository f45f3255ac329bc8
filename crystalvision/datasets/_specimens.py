"""Numbers the specimens of several datasets, so that none has two numbers and no two have one."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from crystalvision.datasets._columns import IMAGE_CHECKSUM, SPECIMEN
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._join import SOURCE, SOURCE_INDEX
from crystalvision.datasets._provenance import Imported, Merged, Simulated

_PICTURES = ("pictures",)


def number_specimens(datasets: Sequence[Dataset]) -> Int[np.ndarray, "n"] | None:
    """Number of the specimen that each sample of all datasets shows, (n,), from 0.

    A specimen is that of the column `specimen`, else each sample has its own. Simulations with one
    seed drew the same specimens, whatever else differs, and imported images that are the same pixel
    by pixel show the same: these are joined.

    Returns:
        None where each sample shows a specimen of its own.
    """
    numbers, count = [], 0
    for dataset in datasets:
        own = np.arange(len(dataset))
        if SPECIMEN in dataset.header.columns:
            own = np.unique(dataset.column(SPECIMEN), return_inverse=True)[1]
        numbers.append(own + count)
        count += int(own.max()) + 1
    joined = _join(np.concatenate(numbers), count, _keys(datasets))
    has_column = any(SPECIMEN in dataset.header.columns for dataset in datasets)
    return joined if has_column or int(joined.max()) + 1 < len(joined) else None


def _join(
    specimens: Int[np.ndarray, "n"], count: int, keys: Int[np.ndarray, "n 2"]
) -> Int[np.ndarray, "n"]:
    """Give one number to specimens whose samples have a key in common; the order stays."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    keyed = keys[:, 0] >= 0
    _, key = np.unique(keys[keyed], axis=0, return_inverse=True)
    size = count + int(key.max(initial=-1)) + 1
    edges = np.ones(len(key), dtype=bool), (specimens[keyed], count + key)
    component = connected_components(coo_array(edges, shape=(size, size)), directed=False)[1]
    _, first, member = np.unique(component[:count], return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    joined: Int[np.ndarray, "n"] = order[member][specimens]
    return joined


def _keys(datasets: Sequence[Dataset]) -> Int[np.ndarray, "n 2"]:
    """What tells that two samples show one specimen: equal rows; -1 where nothing does."""
    kinds: dict[tuple[object, ...], int] = {}
    parts = []
    for dataset in datasets:
        header = dataset.header
        keys = np.full((len(dataset), 2), -1, dtype=np.int64)
        source, index = np.zeros(len(dataset), dtype=np.int64), np.arange(len(dataset))
        if isinstance(header.provenance, Merged):
            source, index = dataset.column(SOURCE), dataset.column(SOURCE_INDEX)
        for number, part in enumerate(header.parts):
            here, made = source == number, part.provenance
            if isinstance(made, Simulated) and made.things is not None:
                keys[here, 0] = kinds.setdefault(made.things, len(kinds))
                keys[here, 1] = index[here]
            elif isinstance(made, Imported):
                keys[here, 0] = kinds.setdefault(_PICTURES, len(kinds))
                keys[here, 1] = dataset.column(IMAGE_CHECKSUM)[here]
        parts.append(keys)
    return np.concatenate(parts)
