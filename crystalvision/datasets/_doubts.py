"""What makes a dataset a poor judge of a model, though nothing in it is damaged."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

from crystalvision.datasets._columns import IMAGE_CHECKSUM, LABEL
from crystalvision.datasets._dataset import Dataset
from crystalvision.datasets._splits import SPLIT_NAMES

_CHUNK = 64  # images in memory at once
_ADVICE = "add images, or split anew by `crystalvision dataset split`"


def doubts(dataset: Dataset) -> list[str]:
    """What whoever trains on a dataset should know, a line each.

    Classes with one image or none, classes that a split lacks, the same pixels in two classes, and
    the same pixels in two splits, so that a model is tested on what it has learnt.

    Args:
        dataset: A complete dataset.

    Raises:
        StorageError: The data cannot be read.
    """
    labels = np.zeros(len(dataset), dtype=np.int64)
    if dataset.header.class_names:
        labels = np.asarray(dataset.column(LABEL))
    parts = {name: dataset.split(name) for name in SPLIT_NAMES}
    return [
        f"{dataset.path}: {doubt}"
        for doubt in (*_classes(dataset, labels, parts), *_twins(dataset, labels, parts))
    ]


def _classes(
    dataset: Dataset, labels: Int[np.ndarray, "n"], parts: dict[str, Int[np.ndarray, "m"]]
) -> Iterator[str]:
    names = dataset.header.class_names
    count = np.bincount(labels, minlength=len(names))
    for few, what in ((0, "no image"), (1, "one image")):
        chosen = [name for name, number in zip(names, count, strict=False) if number == few]
        if chosen:
            yield (
                f"{_listed(chosen)} {'have' if len(chosen) > 1 else 'has'} {what}"
                f"{' each' if few and len(chosen) > 1 else ''}, which cannot be learnt and tested; "
                "add images"
            )
    for part, indices in parts.items():
        here = np.bincount(labels[indices], minlength=len(names))
        lacking = [name for name, all_, n in zip(names, count, here, strict=False) if all_ > 1 > n]
        if not len(indices):
            yield f"the {part} split is empty; {_ADVICE}"
        elif lacking:
            yield f"the {part} split has no image of {_listed(lacking)}; {_ADVICE}"


def _twins(
    dataset: Dataset, labels: Int[np.ndarray, "n"], parts: dict[str, Int[np.ndarray, "m"]]
) -> Iterator[str]:
    part = np.empty(len(labels), dtype=np.int64)
    for number, indices in enumerate(parts.values()):
        part[indices] = number
    names = dataset.header.class_names
    classes, splits = [], []
    for one, other in _same_pixels(dataset):
        if labels[one] != labels[other]:
            classes.append((one, other))
        if part[one] != part[other]:
            splits.append((one, other))
    if classes:
        one, other = classes[0]
        yield (
            f"{len(classes)} images have the same pixels as one of another class: samples {one} "
            f"and {other} are of '{names[labels[one]]}' and '{names[labels[other]]}'; leave one out"
        )
    if splits:
        one, other = splits[0]
        yield (
            f"{len(splits)} images have the same pixels as one of another split: samples {one} "
            f"and {other} are in {SPLIT_NAMES[part[one]]} and {SPLIT_NAMES[part[other]]}, so a "
            "model is judged on what it has learnt; leave one out"
        )


def _same_pixels(dataset: Dataset) -> Iterator[tuple[int, int]]:
    """Pairs of samples with the same pixels: the first that has them, and each of the others."""
    checksums = dataset.column(IMAGE_CHECKSUM)
    order = np.argsort(checksums, kind="stable")
    starts = np.flatnonzero(np.diff(checksums[order], prepend=np.int64(-1)))
    for group in np.split(order, starts[1:]):
        if len(group) < 2:
            continue
        # 32 bits agree by chance among some ten thousand images.
        first = dataset.images(group[:1])[0]
        for start in range(1, len(group), _CHUNK):
            some = group[start : start + _CHUNK]
            same = (dataset.images(some) == first).reshape(len(some), -1).all(axis=1)
            yield from ((int(group[0]), int(other)) for other in some[same])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"class{'es' * (len(names) > 1)} {shown}{more}"
