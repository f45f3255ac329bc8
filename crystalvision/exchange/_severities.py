"""Severity of each class and of each image that is imported."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32

from crystalvision.datasets import DatasetHeader
from crystalvision.errors import InputError
from crystalvision.exchange._listing import Listing
from crystalvision.exchange._png import class_folders


def class_severities(
    listing: Listing,
    given: Mapping[str, float] | None,
    known: DatasetHeader | None,
    learnt: Mapping[str, float] | None = None,
) -> tuple[float, ...]:
    """Severity of each class: as given, as known, the mean of its images, as learnt, or 0.

    Args:
        listing: The images.
        given: Severity of each class, by name.
        known: Header of the dataset from which the folder was exported, if it was.
        learnt: Severity of each class that a run has learnt, if it is to be judged on them.

    Raises:
        InputError: What is given does not fit the classes, or the images have severities already.
    """
    if given:
        _check(listing, given)
        return tuple(float(given[name]) for name in listing.class_names)
    known_of = _by_name(known) if known is not None else {}
    if known_of and all(name in known_of for name in listing.class_names):
        return tuple(known_of[name] for name in listing.class_names)
    if listing.severity is None and learnt and set(listing.class_names) <= set(learnt):
        return tuple(float(learnt[name]) for name in listing.class_names)
    if listing.severity is None:
        return (0.0,) * len(listing.class_names)
    count = np.bincount(listing.labels, minlength=len(listing.class_names))
    total = np.bincount(listing.labels, listing.severity, minlength=len(listing.class_names))
    return tuple(float(np.float32(mean)) for mean in total / np.maximum(count, 1))


def _by_name(known: DatasetHeader) -> dict[str, float]:
    """Severity of each class by its name, and by that of its folder; none where it is not told."""
    if not known.class_severities:
        return {}
    names = (*known.class_names, *class_folders(known.class_names))
    return dict(zip(names, known.class_severities * 2, strict=True))


def severities_of(listing: Listing, per_class: tuple[float, ...]) -> Float32[np.ndarray, "n"]:
    """Severity of each image, (n,): its own, or that of its class."""
    if listing.severity is not None:
        return listing.severity
    return np.asarray(np.array(per_class, dtype=np.float32)[listing.labels])


def _check(listing: Listing, given: Mapping[str, float]) -> None:
    if listing.severity is not None:
        raise InputError(
            "labels.csv gives a severity for each image, so none can be given for classes; leave "
            "out --severity, or remove the column"
        )
    for name, value in given.items():
        if name not in listing.class_names:
            raise InputError(
                f"--severity {name}={value:g}: no class '{name}'; classes are "
                f"{', '.join(listing.class_names)}"
            )
        if not np.isfinite(value):
            raise InputError(f"--severity {name}={value}: expected a finite number")
    absent = [name for name in listing.class_names if name not in given]
    if absent:
        raise InputError(
            f"--severity is not given for class '{absent[0]}'; give it for every class, such as "
            f"--severity '{absent[0]}=0.5'"
        )
