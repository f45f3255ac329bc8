"""Makes a phase's optimiser."""

from collections.abc import Iterable, Mapping

import torch
from torch import nn

from crystalvision.errors import InputError
from crystalvision.training._phase import Phase


def optimiser(phase: Phase, parts: Mapping[str, nn.Module]) -> torch.optim.Optimizer:
    """The optimiser of a phase.

    Args:
        phase: The phase.
        parts: The modules that train, by name; a branch has a `head`, whose weights may have a
            decay of their own, as has the final "head".

    Raises:
        InputError: The parts have no weights at all.
    """
    settings = phase.optimiser
    heads = {
        id(weight)
        for name, part in parts.items()
        for weight in (part if name == "head" else getattr(part, "head", nn.Module())).parameters()
    }
    weights = [weight for part in parts.values() for weight in part.parameters()]
    if not weights:
        raise InputError(f"phase '{phase.name}' trains {', '.join(parts)}, without any weights")
    decay = settings.weight_decay
    head_decay = decay if settings.head_weight_decay is None else settings.head_weight_decay
    groups = [
        {"params": list(group), "weight_decay": value}
        for group, value in (
            (_choose(weights, heads, inside=False), decay),
            (_choose(weights, heads, inside=True), head_decay),
        )
    ]
    groups = [group for group in groups if group["params"]]
    rate = phase.learning_rate.start
    if settings.name == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=settings.momentum)
    if settings.name == "adam":
        return torch.optim.Adam(groups, lr=rate)
    return torch.optim.AdamW(groups, lr=rate)


def _choose(
    weights: Iterable[nn.Parameter], heads: set[int], *, inside: bool
) -> list[nn.Parameter]:
    return [weight for weight in weights if (id(weight) in heads) is inside]
