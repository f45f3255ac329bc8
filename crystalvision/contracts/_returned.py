"""What plugins return, checked where it is first used, so that an error names who gave it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from crystalvision.contracts._models import Prediction
from crystalvision.errors import PluginError

_ORIGIN = "_crystalvision_origin"


def mark_origin(made: object, origin: str) -> None:
    """Remember who gave a thing, such as "backbone 'mynet' of mynet.py", for errors."""
    attributes = getattr(made, "__dict__", None)
    if isinstance(attributes, dict):
        attributes[_ORIGIN] = origin


def origin_of(thing: object, kind: str) -> str:
    """Who gave a thing; where nobody remembers, its kind and type."""
    told = getattr(thing, "__dict__", {}).get(_ORIGIN)
    return str(told) if told else f"{kind} {type(thing).__name__}"


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
) -> torch.Tensor:
    """A tensor that a plugin returned, if it is what the contract asks for.

    Args:
        value: What was returned.
        who: Who returned it.
        expected: The shape in words, such as "(b, 8, h', w')".
        sizes: Of each dimension; `None` for any, but zero.
        like: A tensor that was given, on whose device it must be; the first size of both is that of
            the batch.

    Raises:
        PluginError: It is something else.
    """
    if (
        isinstance(value, torch.Tensor)
        and _has_shape(value, sizes, like)
        and value.is_floating_point()
        and (like is None or value.device.type == like.device.type)
    ):
        return value
    where = f" on {like.device.type}" if like is not None else ""
    raise PluginError(
        f"{who} gave {described(value)}; expected a tensor {expected} of real numbers{where}"
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


def check_stride(backbone: Any, who: str) -> None:
    """Check that a backbone's stride is a whole number of pixels, or a pair of them.

    Raises:
        PluginError: It is something else.
    """
    stride = backbone.stride
    pair = stride if isinstance(stride, list | tuple) and len(stride) == 2 else (stride,)
    if any(isinstance(one, bool) or not isinstance(one, int) or one < 1 for one in pair):
        raise PluginError(
            f"{who} has stride={stride!r}; expected a whole number of pixels above zero, or a "
            "pair of them, for rows and columns"
        )


def check_prediction(value: Any, who: str, outputs: torch.Tensor) -> Prediction:
    """What a head's `predict` returned, if it is what the contract asks for.

    Args:
        value: What was returned.
        who: Which head.
        outputs: The raw outputs (b, o) that it was given.

    Raises:
        PluginError: It is something else.
    """
    who = f"{who}, in predict,"
    if not isinstance(value, Prediction):
        raise PluginError(
            f"{who} gave {described(value)}; expected a crystalvision.contracts.Prediction"
        )
    if value.probabilities is not None:
        check_tensor(
            value.probabilities, who, "of probabilities (b, k)", sizes=(None, None), like=outputs
        )
    if value.severity is not None:
        check_tensor(value.severity, who, "of severities (b,)", sizes=(None,), like=outputs)
    return value


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
