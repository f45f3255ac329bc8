"""Leaves out the classes that cannot be: substances of other elements than are known."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from crystalvision.contracts import Target
from crystalvision.errors import InputError
from crystalvision.models import LABEL
from crystalvision.prediction._predictions import Estimates, Predictions

_SMALLEST = np.finfo(np.float32).tiny


def parse_elements(given: str | Collection[str], option: str) -> frozenset[str]:
    """Symbols of elements from `Ti,O`.

    Args:
        given: What the user wrote, or the symbols.
        option: What to call it in an error.

    Raises:
        InputError: Something that is no element.
    """
    from ase.data import atomic_numbers

    symbols = [part.strip() for part in (given.split(",") if isinstance(given, str) else given)]
    text = ",".join(symbols)
    for symbol in symbols:
        if symbol == "X" or symbol not in atomic_numbers:
            raise InputError(
                f"{option} {text}: '{symbol}' is no element; expected symbols such as Ti,O"
            )
    return frozenset(symbols)


def allowed_classes(
    target: Target, among: Collection[str] | None, with_all_of: Collection[str]
) -> Bool[np.ndarray, "k"]:
    """Which classes of a target can be, (k,).

    Args:
        target: Its classes are substances.
        among: They consist of some of these elements; `None` for any.
        with_all_of: They hold all of these.

    Raises:
        InputError: Nobody said what the classes consist of, or none can be.
    """
    if not target.class_elements:
        raise InputError(
            f"elements leave out candidates, but the classes of '{target.name}' of this run have "
            "no formula: train it on data whose classes are substances"
        )
    allowed = np.array(
        [
            (among is None or set(each) <= set(among)) and set(each) >= set(with_all_of)
            for each in target.class_elements
        ]
    )
    if not allowed.any():
        told = [] if among is None else [f"consists of {', '.join(sorted(among))} alone"]
        told += [f"holds {', '.join(sorted(with_all_of))}"] if with_all_of else []
        raise InputError(
            f"none of the {len(target.classes)} candidates {' and '.join(told)}: "
            "give other elements, or leave them out"
        )
    return allowed


def check_elements(
    targets: Mapping[str, Target], among: Collection[str] | None, with_all_of: Collection[str]
) -> None:
    """Check that elements leave some of the classes that a run tells.

    Args:
        targets: What the run tells, by name.
        among: As for `allowed_classes`.
        with_all_of: As for `allowed_classes`.

    Raises:
        InputError: As for `allowed_classes`, or the run tells no class.
    """
    if LABEL not in targets or not targets[LABEL].classes:
        raise InputError(
            "elements leave out candidates, and this run tells no classes: leave them out"
        )
    allowed_classes(targets[LABEL], among, with_all_of)


def restrict(
    said: Predictions, among: Collection[str] | None = None, with_all_of: Collection[str] = ()
) -> Predictions:
    """The same with the probabilities of the classes that can be, which sum to one.

    Args:
        said: What a system says of patterns.
        among: As for `allowed_classes`.
        with_all_of: As for `allowed_classes`.

    Raises:
        InputError: As for `allowed_classes`, or the system tells no class.
    """
    known = said[LABEL]
    if known.probabilities is None:
        raise InputError("elements leave out candidates, but this run gives no probabilities")
    allowed = allowed_classes(known.target, among, with_all_of)
    left = np.where(allowed, known.probabilities.clip(min=_SMALLEST), 0.0)
    left = (left / left.sum(axis=1, keepdims=True)).astype(known.probabilities.dtype)
    changed = Estimates(known.target, left.argmax(axis=1), left, known.spread, known.answers)
    return replace(said, estimates={**said.estimates, LABEL: changed})
