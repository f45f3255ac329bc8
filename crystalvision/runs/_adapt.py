"""Adapts a trained network to patterns without labels: re-estimated batch statistics."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from jaxtyping import Float
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from crystalvision.errors import InputError
from crystalvision.models import System
from crystalvision.runs._folder import check_free
from crystalvision.runs._record import AdaptedRecord
from crystalvision.runs._run import Run, write_run
from crystalvision.storage import Destination, whole_folder

LEAST_PATTERNS = 2
"""Of fewer, some layers would see a single value, which has no variance."""


def adapted_run(
    run: Run,
    batches: Iterable[Float[torch.Tensor, "b c *grid"]],
    path: Path,
    *,
    prior: int,
    sources: Sequence[str],
    overwrite: bool = False,
) -> Run:
    """A run whose batch normalisation knows the statistics of other patterns, in a folder.

    Args:
        run: The run; it stays as it is.
        batches: Prepared patterns, in batches of like size.
        path: The folder of the new run.
        prior: As for `adapt_statistics`.
        sources: What the patterns are called.
        overwrite: Whether a run at `path` may be replaced.

    Raises:
        InputError: The system has no batch normalisation, too few patterns, or the place is taken.
        StorageError: The disk refuses.
    """
    destination: Destination = check_free(path, overwrite=overwrite)
    if not isinstance(run.system, System):
        raise InputError(
            f"{run.path} is no network but a classical system, which has no batch statistics; "
            "train it on the twin instead: crystalvision calibrate"
        )
    system = copy.deepcopy(run.system)
    try:
        patterns = adapt_statistics(system, batches, prior=prior)
    except InputError as error:
        raise InputError(f"{run.path}: {error}") from error
    adapted = AdaptedRecord(
        run=str(run.path), sources=tuple(sources), patterns=patterns, prior=prior
    )
    record = run.record.model_copy(update={"adapted": adapted})
    with whole_folder(destination, overwrite=overwrite) as folder:
        write_run(folder, record, system, run.epochs(), run.split())
    return Run(path, record, system.eval(), run.preprocess)


@torch.no_grad()
def adapt_statistics(
    system: nn.Module, batches: Iterable[Float[torch.Tensor, "b c *grid"]], *, prior: int
) -> int:
    """Move the means and variances of batch normalisation towards those of other patterns.

    Each becomes (N · trained + n · of these n patterns) / (N + n), so that few patterns move
    little. No weight changes.

    Args:
        system: The network, changed in place.
        batches: Prepared patterns, in batches of like size.
        prior: N, the number of patterns that the trained statistics count as; 0 forgets them.

    Returns:
        How many patterns there were.

    Raises:
        InputError: It has no batch normalisation, or there are too few patterns.

    Source: Schneider et al. 2020, arXiv:2006.16971.
    """
    layers = [each for each in system.modules() if isinstance(each, _BatchNorm)]
    layers = [each for each in layers if each.running_mean is not None]
    if not layers:
        raise InputError(
            "its backbones have no batch normalisation, so there are no statistics to re-estimate; "
            "train on the twin instead: crystalvision calibrate"
        )
    before = [(_mean(each).clone(), _variance(each).clone()) for each in layers]
    number = 0
    with _gathering(system, layers):
        for images in batches:
            system(images)
            number += len(images)
    if number < LEAST_PATTERNS:
        raise InputError(f"{number} patterns are too few to adapt to; give at least two")
    share = number / (number + prior)
    for layer, (mean, variance) in zip(layers, before, strict=True):
        _mean(layer).lerp_(mean, 1 - share)
        _variance(layer).lerp_(variance, 1 - share)
    return number


@contextmanager
def _gathering(system: nn.Module, layers: Sequence[_BatchNorm]) -> Iterator[None]:
    """Normalise by each batch and gather the plain mean over batches; all else as in prediction."""
    momenta = [layer.momentum for layer in layers]
    counts = [copy.deepcopy(layer.num_batches_tracked) for layer in layers]
    system.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    try:
        yield
    finally:
        system.eval()
        for layer, momentum, count in zip(layers, momenta, counts, strict=True):
            layer.momentum, layer.num_batches_tracked = momentum, count


def _mean(layer: _BatchNorm) -> torch.Tensor:
    assert layer.running_mean is not None  # noqa: S101 - asked for before, for mypy
    return layer.running_mean


def _variance(layer: _BatchNorm) -> torch.Tensor:
    assert layer.running_var is not None  # noqa: S101 - likewise
    return layer.running_var
