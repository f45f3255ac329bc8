"""Images that carry with them which of their points were not seen."""

import torch
from jaxtyping import Bool, Num


def mark_unseen(
    images: Num[torch.Tensor, "b c *grid"], seen: Bool[torch.Tensor, "b #c *grid"] | None
) -> Num[torch.Tensor, "b c *grid"]:
    """Images in which NaN stands wherever nothing was measured, as float32; or as they are.

    One tensor is cut into batches, sent to devices and kept more easily than two.
    """
    if seen is None:
        return images
    return images.to(torch.float32).masked_fill(~seen, torch.nan)


def take_marks(
    images: Num[torch.Tensor, "b c *grid"],
) -> tuple[Num[torch.Tensor, "b c *grid"], Bool[torch.Tensor, "b c *grid"] | None]:
    """What `mark_unseen` was given: images with 0 for what was not seen, and what was.

    `None` where all of them were seen.
    """
    if not images.is_floating_point():
        return images, None
    hidden = images.isnan()
    if not hidden.any():
        return images, None
    return images.masked_fill(hidden, 0.0), ~hidden
