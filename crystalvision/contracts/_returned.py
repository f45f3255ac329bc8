"""What plugins return, checked where it is first used, so that an error names who gave it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from crystalvision.contracts._target import Target
from crystalvision.contracts._targets import Estimate
from crystalvision.errors import PluginError


def described(value: object) -> str:
    """What a value is, for an error that expected another."""
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        return f"a tensor of shape {tuple(value.shape)} and type {kind} on {value.device.type}"
    if isinstance(value, Mapping):
        return f"a {type(value).__name__} with the keys {', '.join(map(str, value)) or 'none'}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def check_tensor(
    value: Any,
    who: str,
    expected: str,
    *,
    sizes: Sequence[int | None],
    like: torch.Tensor | None = None,
    whole: bool = False,
) -> torch.Tensor:
    """A tensor that a plugin returned, if it is what the contract asks for.

    Args:
        value: What was returned.
        who: Who returned it.
        expected: The shape in words, such as "(b, 8, h', w')".
        sizes: Of each dimension; `None` for any, but zero.
        like: A tensor that was given, on whose device it must be; the first size of both is that of
            the batch.
        whole: Whether it holds whole numbers, as the indices of classes are.

    Raises:
        PluginError: It is something else.
    """
    if (
        isinstance(value, torch.Tensor)
        and _has_shape(value, sizes, like)
        and (value.dtype == torch.int64 if whole else value.is_floating_point())
        and (like is None or value.device.type == like.device.type)
    ):
        return value
    where = f" on {like.device.type}" if like is not None else ""
    raise PluginError(
        f"{who} gave {described(value)}; expected a tensor {expected} of "
        f"{'whole' if whole else 'real'} numbers{where}"
    )


def _has_shape(value: torch.Tensor, sizes: Sequence[int | None], like: torch.Tensor | None) -> bool:
    if value.ndim != len(sizes):
        return False
    for place, (found, size) in enumerate(zip(value.shape, sizes, strict=True)):
        if size is not None and found != size:
            return False
        if place and not found:
            return False
    if like is None or torch.compiler.is_compiling():  # comparing would fix the size of the batch
        return True
    return value.shape[0] == like.shape[0]


def check_size(thing: object, name: str, who: str) -> int:
    """A number of features that a plugin's thing declares, if it is one.

    Raises:
        PluginError: It is no whole number above zero.
    """
    value = getattr(thing, name, None)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise PluginError(f"{who} has {name}={value!r}; expected a whole number above zero")
    return value


def check_stride(backbone: Any, who: str, dimensions: int) -> None:
    """Check that a backbone's stride is a whole number of points, or one for each dimension.

    Raises:
        PluginError: It is something else.
    """
    stride = backbone.stride
    several = isinstance(stride, list | tuple) and len(stride) == dimensions
    if any(
        isinstance(one, bool) or not isinstance(one, int) or one < 1
        for one in (stride if several else (stride,))
    ):
        raise PluginError(
            f"{who} has stride={stride!r}; expected a whole number of points above zero, or "
            f"{dimensions} of them, one for each dimension of the grid"
        )


def check_estimates(
    value: Any, who: str, outputs: torch.Tensor, targets: Mapping[str, Target]
) -> Mapping[str, Estimate]:
    """What a head's `predict` returned, if it is what the contract asks for.

    Args:
        value: What was returned.
        who: Which head.
        outputs: The raw outputs (b, o, …) that it was given.
        targets: What it learns.

    Raises:
        PluginError: It is something else.
    """
    who = f"{who}, in predict,"
    if not isinstance(value, Mapping) or set(value) != set(targets):
        raise PluginError(
            f"{who} gave {described(value)}; expected an Estimate of each of its targets: "
            f"{', '.join(targets)}"
        )
    for name, target in targets.items():
        estimate = value[name]
        if not isinstance(estimate, Estimate):
            raise PluginError(
                f"{who} gave {described(estimate)} for '{name}'; expected a "
                "crystalvision.contracts.Estimate"
            )
        _check_estimate(estimate, f"{who} for '{name}',", outputs, target)
    return value


def _check_estimate(estimate: Estimate, who: str, outputs: torch.Tensor, target: Target) -> None:
    """Check the shapes and types of what is said of one target."""
    shape, text = target.shape, "".join(f", {size}" for size in target.shape)
    for value, what in ((estimate.value, "values"), (estimate.spread, "spreads")):
        if value is None and what == "spreads":
            continue
        check_tensor(
            value,
            who,
            f"of {what} (b{text or ','})",
            sizes=(None, *shape),
            like=outputs,
            whole=bool(target.classes) and what == "values",
        )
    if estimate.probabilities is not None:
        count = len(target.classes)
        check_tensor(
            estimate.probabilities,
            who,
            f"of probabilities (b, {count}{text})",
            sizes=(None, count, *shape),
            like=outputs,
        )


def check_many(value: Any, who: str, count: int, of: type) -> None:
    """A list that a plugin returned, if it holds so many things of a type.

    Raises:
        PluginError: It is something else.
    """
    if isinstance(value, list | tuple) and len(value) == count:
        wrong = [each for each in value if not isinstance(each, of)]
        if not wrong:
            return
        found = f"a {type(value).__name__} that holds {described(wrong[0])}"
    else:
        found = described(value)
    raise PluginError(f"{who} gave {found}; expected a list of {count} of {of.__name__}")
