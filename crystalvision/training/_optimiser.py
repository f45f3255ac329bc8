"""Optimisers: making a phase's, and its state as tensors and plain values, and back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from crystalvision.errors import InputError
from crystalvision.training._schedule import Phase


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


Scheduler = torch.optim.lr_scheduler.LRScheduler


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The tensors of an optimiser's state, by "number of the weight/name"."""
    return {
        f"{number}/{name}": value
        for number, state in optimiser.state_dict()["state"].items()
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }


def optimiser_groups(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Any], ...]:
    """The settings of an optimiser's groups, without the weights."""
    return tuple(
        {key: value for key, value in group.items() if key != "params"}
        for group in optimiser.state_dict()["param_groups"]
    )


def restore_optimiser(
    optimiser: torch.optim.Optimizer,
    tensors: Mapping[str, torch.Tensor],
    groups: Sequence[Mapping[str, Any]],
) -> None:
    """Put back what `optimiser_tensors` and `optimiser_groups` gave.

    Raises:
        InputError: The state is that of another optimiser.
    """
    described = optimiser.state_dict()
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    own = described["param_groups"]
    if [set(group) - {"params"} for group in own] != [set(group) for group in groups]:
        raise InputError("the checkpoint holds the state of another optimiser")
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        if not (number.isdecimal() and len(number) < 10) or int(number) >= len(weights):
            raise InputError(f"the checkpoint's optimiser has '{key}', a weight that is not there")
        state.setdefault(int(number), {})[name] = _laid_out_as(weights[int(number)], value)
    merged = [{**mine, **theirs} for mine, theirs in zip(own, groups, strict=True)]
    optimiser.load_state_dict({"state": state, "param_groups": merged})


def scheduler_state(scheduler: Scheduler) -> dict[str, Any]:
    """The state of a scheduler: plain values."""
    return {key: value for key, value in scheduler.state_dict().items() if _is_plain(value)}


def restore_scheduler(scheduler: Scheduler, state: Mapping[str, Any]) -> None:
    """Put back what `scheduler_state` gave.

    Raises:
        InputError: The state is that of another scheduler.
    """
    if set(state) != set(scheduler_state(scheduler)):
        raise InputError("the checkpoint holds the state of another learning rate")
    scheduler.load_state_dict({**scheduler.state_dict(), **state})


def _laid_out_as(weight: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    # Sums may round differently along other strides, and a resumed training shall not.
    if value.shape != weight.shape:
        return value
    return torch.empty_like(weight, dtype=value.dtype, device="cpu").copy_(value)


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, bool | int | float | str)
