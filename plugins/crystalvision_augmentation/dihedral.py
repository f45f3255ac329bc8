"""The eight exact symmetries of the square."""

import torch
from jaxtyping import Float

from crystalvision.contracts import Augmentation
from crystalvision.errors import InputError
from crystalvision_augmentation._channels import check_one_channel


class Dihedral(Augmentation):
    """Turns or mirrors each image by one of the eight symmetries of the square.

    A turn is another orientation of the specimen about the beam. A mirror image is the pattern of
    the mirrored crystal: right wherever classes do not tell left from right. No pixel is
    interpolated, so counting noise stays what it was.
    """

    def check(self, image_shape: tuple[int, int, int]) -> None:
        """See `Augmentation.check`."""
        channels, height, width = image_shape
        check_one_channel("dihedral", channels)
        if height != width:
            raise InputError(
                f"augmentation 'dihedral' needs square images, not {height}×{width}; leave it out"
            )

    def apply(
        self, counts: Float[torch.Tensor, "b c n n"], generator: torch.Generator
    ) -> Float[torch.Tensor, "b c n n"]:
        """See `Augmentation.apply`."""
        drawn = torch.randint(8, (len(counts),), generator=generator)
        result = torch.empty_like(counts)
        for symmetry in range(8):
            chosen = (drawn == symmetry).nonzero().squeeze(1).to(counts.device)
            turned = torch.rot90(counts[chosen], symmetry % 4, (-2, -1))
            result[chosen] = turned.flip(-1) if symmetry >= 4 else turned
        return result
