"""Checks an estimator that was read from a file before anyone uses it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.classical._system import ClassicalSystem
from crystalvision.errors import InputError


def check_estimator(path: Path, estimator: Any, system: ClassicalSystem) -> None:
    """Check that an estimator is one that the system describes, and that it works.

    Args:
        path: Where it was read from, for errors.
        estimator: What was read.
        system: The system as it is before it is fitted.

    Raises:
        InputError: It is of another kind, or damaged.
    """
    found, expected = _steps(estimator), _steps(system.unfitted)
    if type(estimator) is not type(system.unfitted) or found != expected:
        raise InputError(f"{path} holds {found}; run.yaml describes {expected}")
    for tree in _trees(estimator):
        _check_tree(path, tree)
    if not system.target.classes:
        return
    classes = np.asarray(getattr(estimator, "classes_", None))
    known = range(len(system.target.classes))
    if classes.ndim != 1 or not len(classes) or not all(each in known for each in classes.tolist()):
        raise InputError(f"{path} tells the classes {classes}; expected some of {list(known)}")


def check_use(folder: Path, system: ClassicalSystem) -> None:
    """Check that features and estimator fit each other, by an image that is empty.

    Raises:
        InputError: They do not, or one of them is damaged.
    """
    try:
        predicted = system.predict_features(
            system.describe(np.zeros((1, *system.image_shape), np.float32))
        )
    except Exception as error:  # whatever a damaged part comes upon
        reason = " ".join(str(error).split())
        raise InputError(
            f"{folder}: its features and estimator are damaged or of different runs: {reason}"
        ) from error
    if not np.isfinite(predicted).all():
        raise InputError(f"{folder}: its estimator is damaged: it gives nothing finite")


def _steps(estimator: Any) -> str:
    """The types of an estimator and what it is made of, as text."""
    inner = getattr(estimator, "estimator", None)
    steps = getattr(estimator, "steps", None)
    text = type(estimator).__name__
    if isinstance(steps, list):
        return f"{text}({', '.join(_steps(step[-1]) for step in steps)})"
    return text if inner is None or isinstance(inner, str) else f"{text}({_steps(inner)})"


def _trees(estimator: Any) -> Iterator[Any]:
    for each in getattr(estimator, "estimators_", None) or ():
        if hasattr(each, "tree_"):
            yield each.tree_


def _check_tree(path: Path, tree: Any) -> None:
    """A tree is walked in C, without any check of where its nodes lead."""
    count = tree.node_count
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = left != -1
    numbers = np.arange(count)[inner]
    children = np.stack([left[inner], right[inner]])
    forward = bool(((children > numbers) & (children < count)).all())
    known = bool(((feature[inner] >= 0) & (feature[inner] < tree.n_features)).all())
    if not (forward and known and (right[~inner] == -1).all()):
        raise InputError(f"{path} is damaged: a tree in it leads nowhere")
