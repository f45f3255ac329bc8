"""The state of optimisers and schedulers as tensors and plain values, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from crystalvision.errors import InputError

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
