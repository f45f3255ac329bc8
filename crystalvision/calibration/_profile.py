"""What patterns look like from the middle outwards, whatever a system makes of them."""

import torch
from jaxtyping import Float

RINGS = 24


def radial_profile(
    images: Float[torch.Tensor, "b c *grid"], rings: int = RINGS
) -> Float[torch.Tensor, "b f"]:
    """Mean and standard deviation of prepared images in rings about their middle.

    A system may have learnt to overlook what tells another crystal; where its reflections lie does
    not depend on what was learnt. Of a curve, the rings are equal parts from its first point on.

    Args:
        images: Prepared images, (b, c, *grid).
        rings: Number of rings, equally wide, from the middle to the nearest side; the corners
            belong to the last.

    Returns:
        (b, 2 · c · rings): for each channel the means, then the deviations.
    """
    ring = _rings(tuple(images.shape[2:]), rings, images.device)
    # Not by bincount, for which the host waits.
    pixels = torch.zeros(rings, dtype=torch.long, device=images.device)
    pixels = pixels.index_add_(0, ring, torch.ones_like(ring)).clamp(min=1)
    flat = images.flatten(2)
    zeros = torch.zeros(*flat.shape[:2], rings, dtype=flat.dtype, device=flat.device)
    mean = zeros.index_add(2, ring, flat) / pixels
    square = zeros.index_add(2, ring, flat.square()) / pixels
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    return torch.cat([mean, deviation], dim=2).flatten(1)


def _rings(grid: tuple[int, ...], rings: int, device: torch.device) -> torch.Tensor:
    """The ring of each point, (points,)."""
    if len(grid) == 1:
        return torch.arange(grid[0], device=device) * rings // grid[0]
    places = [torch.arange(size, device=device) - (size - 1) / 2 for size in grid]
    first, *others = torch.meshgrid(*places, indexing="ij")
    radius = first
    for other in others:  # not the root of a sum, which rounds otherwise
        radius = torch.hypot(radius, other)
    radius = radius / (min(grid) / 2)
    return (radius * rings).long().clamp(max=rings - 1).flatten()
