"""Fits classical systems."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.classical._system import ClassicalSystem
from crystalvision.contracts import Estimate
from crystalvision.errors import InputError
from crystalvision.models import SystemOutput
from crystalvision.training import Patterns

_BATCH = 32
_LEARN_FROM = 2048  # patterns; they are in memory all at once

Images = Float[np.ndarray, "b c *grid"]


def fit_classical(
    system: ClassicalSystem,
    training: Patterns,
    validation: Patterns,
    *,
    on_features: Callable[[int], None] = lambda count: None,
    on_fit: Callable[[int, int], None] = lambda patterns, features: None,
    jobs: int | None = None,
) -> Estimate:
    """Fit features and estimator to the training patterns; each pattern is described once.

    Features that learn see at most 2048 of them, evenly chosen. The result is the same for any
    number of jobs.

    Args:
        system: The system, which is changed.
        training: Patterns to fit to.
        validation: Patterns that are only judged.
        on_features: Told how many more patterns are described.
        on_fit: Told numbers of patterns and features when the estimator begins to learn.
        jobs: Threads; by default as many as there are processors.

    Returns:
        What it says of the validation patterns.

    Raises:
        InputError: The estimator cannot learn from these patterns.
        PluginError: As for `ClassicalSystem.describe` and `ClassicalSystem.classify`.
    """
    jobs = jobs or processors()
    _fit_features(system, training)
    described = [_describe(system, each, on_features, jobs) for each in (training, validation)]
    on_fit(*described[0].shape)
    _fit_estimator(system, described[0], training.targets[system.target.name].numpy(), jobs)
    predicted = np.concatenate([system.predict_features(part) for part in _parts(described[1])])
    return system.predict(SystemOutput({}, torch.from_numpy(predicted)))[system.target.name]


def processors() -> int:
    """How many processors this process may use."""
    from joblib import cpu_count

    return int(cpu_count())


def _fit_features(system: ClassicalSystem, training: Patterns) -> None:
    learning = [features for features in system.features if features.learns]
    if not learning:
        return
    wanted = np.linspace(0, len(training) - 1, min(len(training), _LEARN_FROM)).round()
    chosen = np.zeros(len(training), bool)
    chosen[wanted.astype(np.intp)] = True
    parts, start = [], 0
    for images in _batches(training):
        parts.append(images[chosen[start : start + len(images)]])
        start += len(images)
    images = np.concatenate(parts)
    for features in learning:
        features.fit(images)


def _describe(
    system: ClassicalSystem, patterns: Patterns, on_features: Callable[[int], None], jobs: int
) -> Float[np.ndarray, "n f"]:
    from joblib import Parallel, delayed

    # Threads: a stranger's features need not be picklable, and numpy lets go of the lock.
    work = Parallel(jobs, backend="threading", return_as="generator", pre_dispatch="2*n_jobs")
    parts = []
    for described in work(delayed(system.describe)(images) for images in _batches(patterns)):
        parts.append(described)
        on_features(len(described))
    return np.concatenate(parts)


def _fit_estimator(
    system: ClassicalSystem, described: Float[np.ndarray, "n f"], labels: np.ndarray, jobs: int
) -> None:
    from joblib import parallel_config

    if len(np.unique(labels)) < 2:
        what = "are all of one class" if system.target.classes else "all have the same value"
        raise InputError(f"the training patterns {what}; expected at least two")
    try:
        with parallel_config(backend="threading", n_jobs=jobs):
            system.estimator.fit(described, labels)
    except ValueError as error:  # scikit-learn's way to refuse data
        reason = " ".join(str(error).split())
        raise InputError(
            f"estimator '{system.estimator_name}' cannot be fitted to {described.shape[0]} "
            f"patterns of {described.shape[1]} features: {reason}"
        ) from error


def _batches(patterns: Patterns) -> Iterator[Images]:
    for raw, _ in patterns.batches(_BATCH):
        yield patterns.prepare(raw).numpy()


def _parts(described: Float[np.ndarray, "n f"]) -> Iterator[Float[np.ndarray, "b f"]]:
    for start in range(0, len(described), _BATCH):
        yield described[start : start + _BATCH]
