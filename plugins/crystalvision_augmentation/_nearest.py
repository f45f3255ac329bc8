"""Images of whole counts whose pixels have moved."""

import torch
from jaxtyping import Bool, Float
from torch.nn import functional


def nearest_pixels(
    counts: Float[torch.Tensor, "b c h w"],
    seen: Bool[torch.Tensor, "b #c h w"] | None,
    maps: Float[torch.Tensor, "b 2 3"],
) -> tuple[Float[torch.Tensor, "b c h w"], Bool[torch.Tensor, "b #c h w"] | None]:
    """Each pixel takes the counts of the one nearest to where it came from, or none from outside.

    Args:
        counts: Images (b, c, h, w).
        seen: Which of their points were seen, if not all.
        maps: From a place of the result, x then y from -1 to 1, to where it came from (b, 2, 3).

    Returns:
        The images, and which of their points were seen.
    """
    grid = functional.affine_grid(maps, list(counts.shape), align_corners=False).to(counts.dtype)
    moved = functional.grid_sample(counts, grid, mode="nearest", align_corners=False)
    if seen is None:
        return moved, None
    mask = functional.grid_sample(seen.to(counts.dtype), grid, mode="nearest", align_corners=False)
    return moved, mask > 0.5
