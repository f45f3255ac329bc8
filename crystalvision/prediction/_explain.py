"""Which places of a pattern speak for what a system says of it: class activation maps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from crystalvision.contracts import Axis, Estimate, Target
from crystalvision.errors import InputError
from crystalvision.models import LABEL, SEVERITY, System
from crystalvision.runs import RunRecord

Score = Callable[[torch.Tensor], torch.Tensor]
_INTERPOLATION = {1: "linear", 2: "bilinear"}


@dataclass(frozen=True, slots=True)
class TargetMap:
    """What in one pattern speaks for what is said of a target.

    Attributes:
        target: Name of the target.
        said: Its class, or its value as a number.
        values: Of a class, what speaks for it, 0 and above; of a number, what raises it (positive)
            and what lowers it (negative); (*grid).
    """

    target: str
    said: str | float
    values: Float[np.ndarray, "*grid"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Maps over one pattern, on its grid.

    Attributes:
        pattern: The raw pattern, (c, *grid).
        axes: Of its grid.
        maps: One for each target that is a class or a number.
    """

    pattern: Float[np.ndarray, "c *grid"]
    axes: tuple[Axis, ...]
    maps: tuple[TargetMap, ...]


def explain(
    system: nn.Module,
    images: Float[torch.Tensor, "1 c *grid2"],
    raw: Float[np.ndarray, "c *grid"],
    axes: tuple[Axis, ...],
    record: RunRecord,
) -> Explanation:
    """Explain what a system says of one pattern, by Grad-CAM on its backbones' feature maps.

    For a class, what is explained is the logarithm of its odds, which does not saturate where the
    system is sure; for a number, the number. The maps of several backbones add up. Of a curve, each
    place of the feature map has the gradient of its own, because heads of curves weigh places
    (HiResCAM, Draelos & Carin 2020, arXiv:2011.08891); of a pooled map the two are the same.

    Args:
        system: The system, in evaluation mode.
        images: The prepared pattern.
        raw: The same as it was measured.
        axes: Of its grid.
        record: The run's record.

    Raises:
        InputError: A system without backbones, patterns that are neither curves nor images, or
            nothing that is a class or a number.

    Source: Selvaraju et al. 2017, arXiv:1610.02391, as `captum.attr.LayerGradCam`.
    """
    if not isinstance(system, System) or not system.branches:
        raise InputError("this run's system has no backbone, so there is no feature map to explain")
    size = raw.shape[1:]
    if len(size) not in _INTERPOLATION:
        raise InputError(
            f"curves and images are explained, and these patterns have {len(size)} dimensions"
        )
    with torch.no_grad():
        said = _asked(system, images, record)
    maps = []
    for name, target in record.targets.items():
        if target.shape or (target.classes and said[name].probabilities is None):
            continue
        score = _score(system, record, target, int(said[name].value[0]))
        values = _map(system, score, images, size)
        if target.classes:
            shown: str | float = target.classes[int(said[name].value[0])]
            values = np.maximum(values, 0)
        else:
            shown = float(said[name].value[0])
        maps.append(TargetMap(name, shown, values))
    if not maps:
        raise InputError("this run tells no class and no number, so there is nothing to explain")
    return Explanation(raw, axes, tuple(maps))


def _asked(system: System, images: torch.Tensor, record: RunRecord) -> dict[str, Estimate]:
    """What a system says, with the severity that follows from classes."""
    said = system.predict(system(images))
    if SEVERITY in record.targets and SEVERITY not in said:
        severities = torch.tensor(record.targets[LABEL].class_severities, device=images.device)
        said[SEVERITY] = Estimate(_probabilities(said[LABEL]) @ severities)
    return said


def _score(system: System, record: RunRecord, target: Target, label: int) -> Score:
    def log_odds(inputs: torch.Tensor) -> torch.Tensor:
        logs = _probabilities(_asked(system, inputs, record)[target.name]).log()
        rest = torch.cat([logs[:, :label], logs[:, label + 1 :]], dim=1)
        return logs[:, label] - rest.logsumexp(dim=1)

    def value(inputs: torch.Tensor) -> torch.Tensor:
        return _asked(system, inputs, record)[target.name].value

    return log_odds if target.classes else value


def _map(
    system: System, score: Score, images: torch.Tensor, size: tuple[int, ...]
) -> Float[np.ndarray, "*grid"]:
    """Sum of the maps of all backbones that a score depends on."""
    from captum.attr import LayerAttribution, LayerGradCam, LayerGradientXActivation

    total = np.zeros(size, dtype=np.float32)
    with torch.enable_grad():
        for backbone in _backbones_behind(system, score, images):
            if len(size) == 1:
                each = LayerGradientXActivation(score, backbone).attribute(images)
                found = each.sum(dim=1, keepdim=True)
            else:
                found = LayerGradCam(score, backbone).attribute(images)
            mode = _INTERPOLATION[len(size)]
            scaled = LayerAttribution.interpolate(found, size, interpolate_mode=mode)
            total += scaled[0, 0].detach().cpu().numpy()
    return total


def _backbones_behind(system: System, score: Score, images: torch.Tensor) -> list[nn.Module]:
    """The backbones that a score depends on; of others there is no gradient to ask for."""
    maps: dict[nn.Module, torch.Tensor] = {}

    def keep(module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        maps[module] = output

    hooks = [branch.backbone.register_forward_hook(keep) for branch in system.branches.values()]
    try:
        value = score(images.clone().requires_grad_()).sum()
    finally:
        for hook in hooks:
            hook.remove()
    backbones = list(maps)
    gradients = torch.autograd.grad(value, list(maps.values()), allow_unused=True)
    return [each for each, found in zip(backbones, gradients, strict=True) if found is not None]


def _probabilities(estimate: Estimate) -> torch.Tensor:
    assert estimate.probabilities is not None  # noqa: S101 - asked for where they are, for mypy
    return estimate.probabilities.clamp(min=torch.finfo(torch.float32).tiny)
