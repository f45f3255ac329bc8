"""Which places of a pattern speak for what a system says of it: class activation maps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from crystalvision.contracts import Prediction
from crystalvision.errors import InputError
from crystalvision.models import System
from crystalvision.runs import RunRecord

Score = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Maps over one pattern, of its height and width.

    Attributes:
        pattern: The raw pattern, (c, h, w).
        class_name: Its most probable class.
        class_map: What speaks for that class, (h, w), 0 and above.
        severity: Its severity.
        severity_map: What raises the severity (positive) and what lowers it (negative), (h, w).
    """

    pattern: Float[np.ndarray, "c h w"]
    class_name: str
    class_map: Float[np.ndarray, "h w"]
    severity: float
    severity_map: Float[np.ndarray, "h w"]


def explain(
    system: nn.Module,
    images: Float[torch.Tensor, "1 c h2 w2"],
    raw: Float[np.ndarray, "c h w"],
    record: RunRecord,
) -> Explanation:
    """Explain what a system says of one pattern, by Grad-CAM on its backbones' feature maps.

    For the class, what is explained is the logarithm of its odds, which does not saturate where
    the system is sure; for the severity, the severity. The maps of several backbones add up.

    Args:
        system: The system, in evaluation mode.
        images: The prepared pattern.
        raw: The same as it was measured.
        record: The run's record.

    Raises:
        InputError: A system without backbones.

    Source: Selvaraju et al. 2017, arXiv:1610.02391, as `captum.attr.LayerGradCam`.
    """
    if not isinstance(system, System):
        raise InputError("this run's system has no backbone, so there is no feature map to explain")
    severities = torch.tensor(record.class_severities, device=images.device)
    with torch.no_grad():
        told = system.predict(system(images))
    label = int(_probabilities(told).argmax(dim=1)[0])

    def log_odds(inputs: torch.Tensor) -> torch.Tensor:
        logs = _probabilities(system.predict(system(inputs))).log()
        rest = torch.cat([logs[:, :label], logs[:, label + 1 :]], dim=1)
        return logs[:, label] - rest.logsumexp(dim=1)

    def severity(inputs: torch.Tensor) -> torch.Tensor:
        prediction = system.predict(system(inputs))
        if prediction.severity is not None:
            return prediction.severity
        return _probabilities(prediction) @ severities

    size = (raw.shape[-2], raw.shape[-1])
    with torch.no_grad():
        value = float(severity(images)[0])
    return Explanation(
        pattern=raw,
        class_name=record.class_names[label],
        class_map=np.maximum(_map(system, log_odds, images, size), 0),
        severity=value,
        severity_map=_map(system, severity, images, size),
    )


def _map(
    system: System, score: Score, images: torch.Tensor, size: tuple[int, int]
) -> Float[np.ndarray, "h w"]:
    """Sum of the maps of all backbones that a score depends on."""
    from captum.attr import LayerAttribution, LayerGradCam

    total = np.zeros(size, dtype=np.float32)
    with torch.enable_grad():
        for backbone in _backbones_behind(system, score, images):
            found = LayerGradCam(score, backbone).attribute(images)
            scaled = LayerAttribution.interpolate(found, size, interpolate_mode="bilinear")
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


def _probabilities(prediction: Prediction) -> torch.Tensor:
    if prediction.probabilities is None:
        raise InputError("the run's system tells no classes; train one with a head that does")
    return prediction.probabilities.clamp(min=torch.finfo(torch.float32).tiny)
