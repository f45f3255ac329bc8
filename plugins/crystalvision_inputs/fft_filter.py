"""The Fourier filter of Wang et al. for noisy powder patterns."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from pydantic import NonNegativeFloat, PositiveInt

from crystalvision.contracts import Axis, Input


class FftFilter(Input):
    """Takes the high frequencies of a curve away where they are strong, as noise makes them.

    If the mean magnitude of the Fourier transform beyond a bin exceeds a limit, the bins up to it
    are kept and the others are set to zero; otherwise the curve stays as it is, as one does that
    has no bins beyond. The limit depends on the scale of the curve: it was given for patterns
    relative to their strongest line, so put `max-scale` before. Points that were not seen are taken
    for the mean of those that were.

    Args:
        axes: Of the patterns.
        bins: The last bin that is kept; bin 0 is the mean.
        limit: What the mean magnitude may be at most, without normalisation by the number of
            points.

    Source: Wang et al. 2020, Journal of Chemical Information and Modeling 60, 2004.
    """

    dimensions = frozenset({1})

    basis: torch.Tensor

    def __init__(
        self, axes: Sequence[Axis], bins: PositiveInt = 200, limit: NonNegativeFloat = 1.0
    ) -> None:
        super().__init__()
        size = axes[0].size
        self.bins = bins
        self.limit = limit
        self.some_beyond = bins < size // 2
        # The kept bins as a projection: exporters know matrices better than inverse transforms.
        basis = _waves(size, bins) if self.some_beyond else torch.empty(0)
        self.register_buffer("basis", basis, persistent=False)

    def axes(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """See `Input.axes`."""
        return tuple(axes)

    def forward(
        self,
        images: Float[torch.Tensor, "b c n"],
        seen: Bool[torch.Tensor, "b #c n"] | None = None,
    ) -> tuple[Float[torch.Tensor, "b c n"], Bool[torch.Tensor, "b #c n"] | None]:
        """See `Input.forward`."""
        if not self.some_beyond:
            return images, seen
        if seen is not None:
            number = seen.expand_as(images).sum(-1, keepdim=True).clamp_min(1)
            mean = images.masked_fill(~seen, 0.0).sum(-1, keepdim=True) / number
            images = torch.where(seen, images, mean)
        beyond = torch.view_as_real(torch.fft.rfft(images))[..., self.bins + 1 :, :]
        noise = beyond.square().sum(-1).sqrt().mean(-1, keepdim=True)
        smooth = (images @ self.basis) @ self.basis.T
        return torch.where(noise > self.limit, smooth, images), seen


def _waves(size: int, bins: int) -> Float[torch.Tensor, "n w"]:
    """Cosines and sines of the bins from 0 to `bins`, orthonormal, (n, 2 bins + 1)."""
    angle = torch.arange(size, dtype=torch.float64)[:, None] * (
        2 * math.pi / size * torch.arange(1, bins + 1, dtype=torch.float64)
    )
    whole = torch.full((size, 1), size**-0.5, dtype=torch.float64)
    waves = [whole, angle.cos() * (2 / size) ** 0.5, angle.sin() * (2 / size) ** 0.5]
    return torch.cat(waves, dim=1).float()
