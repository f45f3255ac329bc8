"""Fewer electrons."""

import math
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field

from crystalvision.contracts import Augmentation
from crystalvision.errors import InputError


class Thinning(Augmentation):
    """Keeps each count with a probability that is drawn for its image, as a lower dose would.

    Thinned Poisson counts are Poisson counts of the thinned mean, exactly: the image is one that
    the detector could have given at that dose. It needs counts, not means without noise.

    Args:
        least: The share that is kept lies between this and 1, all orders of magnitude alike.
    """

    def __init__(self, least: Annotated[float, Field(gt=0, lt=1)] = 0.5) -> None:
        self.least = least

    def apply(
        self, counts: Float[torch.Tensor, "b c h w"], generator: torch.Generator
    ) -> Float[torch.Tensor, "b c h w"]:
        """See `Augmentation.apply`.

        Raises:
            InputError: Images that are not counts.
        """
        if not torch.equal(counts, counts.round()):
            raise InputError(
                "augmentation 'thinning' needs counts, but these images have fractions: leave it "
                "out, or simulate with a detector"
            )
        drawn = torch.rand(len(counts), generator=generator)
        kept = torch.exp(drawn * math.log(self.least)).to(counts.device)
        # Counts are many and lie on the device, so their draws are made there.
        seed = int(torch.randint(2**62, (1,), generator=generator))
        local = torch.Generator(counts.device).manual_seed(seed)
        chance = kept[:, None, None, None].expand_as(counts)
        return torch.binomial(counts, chance.contiguous(), generator=local)
