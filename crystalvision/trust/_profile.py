"""What patterns look like from the middle outwards, whatever a system makes of them."""

import torch
from jaxtyping import Float

RINGS = 24


def radial_profile(
    images: Float[torch.Tensor, "b c h w"], rings: int = RINGS
) -> Float[torch.Tensor, "b f"]:
    """Mean and standard deviation of prepared images in rings about their middle.

    A system may have learnt to overlook what tells another crystal; where its reflections lie does
    not depend on what was learnt.

    Args:
        images: Prepared images, (b, c, h, w).
        rings: Number of rings, equally wide, from the middle to the nearest side; the corners
            belong to the last.

    Returns:
        (b, 2 · c · rings): for each channel the means, then the deviations.
    """
    height, width = images.shape[-2:]
    ring = _rings(height, width, rings, images.device)
    pixels = torch.bincount(ring, minlength=rings).clamp(min=1)
    flat = images.flatten(2)
    zeros = torch.zeros(*flat.shape[:2], rings, dtype=flat.dtype, device=flat.device)
    mean = zeros.index_add(2, ring, flat) / pixels
    square = zeros.index_add(2, ring, flat.square()) / pixels
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    return torch.cat([mean, deviation], dim=2).flatten(1)


def _rings(height: int, width: int, rings: int, device: torch.device) -> torch.Tensor:
    """The ring of each pixel, (h · w,)."""
    y = torch.arange(height, device=device) - (height - 1) / 2
    x = torch.arange(width, device=device) - (width - 1) / 2
    radius = torch.hypot(y[:, None], x[None, :]) / (min(height, width) / 2)
    return (radius * rings).long().clamp(max=rings - 1).flatten()
