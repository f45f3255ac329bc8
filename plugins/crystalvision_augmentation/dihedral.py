"""The eight exact symmetries of the square."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float

from crystalvision.contracts import Augmentation
from crystalvision.errors import InputError
from crystalvision_augmentation._channels import check_one_channel


class Dihedral(Augmentation):
    """Turns or mirrors each image by one of the eight symmetries of the square.

    A turn is another orientation of the specimen about the beam. A mirror image is the pattern of
    the mirrored crystal: right wherever classes do not tell left from right. No pixel is
    interpolated, so counting noise stays what it was.
    """

    def check(self, image_shape: tuple[int, ...]) -> None:
        """See `Augmentation.check`."""
        channels, height, width = image_shape
        check_one_channel("dihedral", channels)
        if height != width:
            raise InputError(
                f"augmentation 'dihedral' needs square images, not {height}×{width}; leave it out"
            )

    def apply(
        self,
        counts: Float[torch.Tensor, "b c n n"],
        generator: torch.Generator,
        seen: Bool[torch.Tensor, "b #c n n"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c n n"], Bool[torch.Tensor, "b #c n n"] | None]:
        """See `Augmentation.apply`."""
        drawn = torch.randint(8, (len(counts),), generator=generator)
        numbers = torch.bincount(drawn, minlength=8).tolist()
        order = drawn.argsort(stable=True).to(counts.device)  # one copy for a GPU
        chosen = torch.split_with_sizes(order, numbers)
        return _turned(counts, chosen), None if seen is None else _turned(seen, chosen)


def _turned(images: torch.Tensor, chosen: Sequence[torch.Tensor]) -> torch.Tensor:
    """Images turned by each symmetry, whose images are told by their indices."""
    result = torch.empty_like(images)
    for symmetry, indices in enumerate(chosen):
        turned = torch.rot90(images[indices], symmetry % 4, (-2, -1))
        result[indices] = turned.flip(-1) if symmetry >= 4 else turned
    return result
