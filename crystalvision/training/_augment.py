"""Augmentation of a batch."""

import torch
from jaxtyping import Float

from crystalvision.errors import InputError


def dihedral(
    images: Float[torch.Tensor, "b c n n"], generator: torch.Generator
) -> Float[torch.Tensor, "b c n n"]:
    """Turn or mirror each image by one of the eight exact symmetries of the square.

    No pixel is interpolated, so counting noise stays what it was.

    Args:
        images: Square images (b, c, n, n).
        generator: Draws the symmetries; on the CPU, so that every device gets the same ones.

    Raises:
        InputError: Images that are not square.
    """
    if images.shape[-1] != images.shape[-2]:
        raise InputError(
            f"augment=dihedral needs square images, not {images.shape[-2]}×{images.shape[-1]}; "
            "set augment=none"
        )
    drawn = torch.randint(8, (len(images),), generator=generator)
    result = torch.empty_like(images)
    for symmetry in range(8):
        chosen = (drawn == symmetry).nonzero().squeeze(1).to(images.device)
        turned = torch.rot90(images[chosen], symmetry % 4, (-2, -1))
        result[chosen] = turned.flip(-1) if symmetry >= 4 else turned
    return result
