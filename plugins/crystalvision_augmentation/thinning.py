"""Fewer electrons."""

import math
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field

from crystalvision.contracts import ANY_DIMENSION, Augmentation
from crystalvision.errors import InputError


class Thinning(Augmentation):
    """Keeps each count with a probability that is drawn for its image, as a lower dose would.

    Thinned Poisson counts are Poisson counts of the thinned mean, exactly: the image is one that
    the detector could have given at that dose. It needs counts, not means without noise; in images
    that say which of their points were seen, sums over squares that were seen in part are rounded.

    Args:
        least: The share that is kept lies between this and 1, all orders of magnitude alike.
    """

    dimensions = ANY_DIMENSION

    def __init__(self, least: Annotated[float, Field(gt=0, lt=1)] = 0.5) -> None:
        self.least = least

    def apply(
        self,
        counts: Float[torch.Tensor, "b c *grid"],
        generator: torch.Generator,
        seen: Bool[torch.Tensor, "b #c *grid"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c *grid"], Bool[torch.Tensor, "b #c *grid"] | None]:
        """See `Augmentation.apply`.

        Raises:
            InputError: Images that are not counts.
        """
        if seen is not None:
            counts = counts.round()
        elif not torch.equal(counts, counts.round()):
            raise InputError(
                "augmentation 'thinning' needs counts, but these images have fractions: leave it "
                "out, or simulate with a detector"
            )
        drawn = torch.rand(len(counts), generator=generator)
        kept = torch.exp(drawn * math.log(self.least)).to(counts.device)
        # Counts are many and lie on the device, so their draws are made there.
        seed = int(torch.randint(2**62, (1,), generator=generator))
        local = torch.Generator(counts.device).manual_seed(seed)
        chance = kept.reshape(-1, *[1] * (counts.ndim - 1)).expand_as(counts)
        # Noise below zero, as dark subtraction leaves it, holds no electrons to leave out.
        below = counts.clamp_max(0)
        kept_counts = torch.binomial(counts.clamp_min(0), chance.contiguous(), generator=local)
        return kept_counts + below, seen
