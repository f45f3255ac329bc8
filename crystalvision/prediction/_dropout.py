"""Dropout at prediction: every pass leaves out other features (Gal & Ghahramani 2016)."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from crystalvision.errors import InputError


def dropout_layers(system: nn.Module) -> list[_DropoutNd]:
    """The layers of a system that leave something out at random."""
    return [each for each in system.modules() if isinstance(each, _DropoutNd) and each.p > 0]


def check_dropout(system: nn.Module, name: str) -> None:
    """Check that a system has dropout.

    Raises:
        InputError: It has none, so every pass would give the same.
    """
    if not dropout_layers(system):
        raise InputError(
            f"{name} was trained without dropout, so its passes would all give the same; train it "
            "with a head's option dropout=0.2, say, or use --uncertainty ensemble"
        )


@contextmanager
def dropout_on(system: nn.Module) -> Iterator[None]:
    """Within it, dropout acts as in training, and all else, such as batch norm, does not."""
    layers = dropout_layers(system)
    for layer in layers:
        layer.train()
    try:
        yield
    finally:
        for layer in layers:
            layer.eval()
