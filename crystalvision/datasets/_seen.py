"""Which points of a pattern were measured: all but a beam stop, dead pixels, a scale bar."""

from typing import Any, Self

import numpy as np
from jaxtyping import Bool
from pydantic import Field

from crystalvision.config import Config
from crystalvision.errors import InputError

_MOST_RUNS = 200_000  # a megabyte of text in the header


class Seen(Config):
    """What a dataset says of the points that were measured; a masked point is no zero.

    Attributes:
        channels: 1 where all channels of an image share a mask, or one for each.
        each_sample: Whether every sample has a mask of its own, stored beside its image.
        runs: The mask of all samples else: how many points in turn were not seen, seen, not seen,
            and so on, along the flattened mask (as COCO writes masks).
    """

    channels: int = Field(default=1, ge=1)
    each_sample: bool = False
    runs: str = ""

    @classmethod
    def of(cls, mask: Bool[np.ndarray, "channels *grid"]) -> Self:
        """One mask for all samples, true where a point was measured, (1 or c, *grid).

        Raises:
            InputError: It is no mask, or so broken up that each sample must have its own.
        """
        if mask.dtype != np.bool_ or mask.ndim < 2:
            raise InputError(
                f"a mask of what was seen is {mask.dtype} {mask.shape}; expected bool (1 or c, "
                "*grid)"
            )
        flat = np.concatenate([[False], mask.reshape(-1)])
        ends = np.flatnonzero(np.diff(flat))
        if len(ends) > _MOST_RUNS:
            raise InputError(
                f"a mask of {len(ends)} pieces is too much for a header, which takes {_MOST_RUNS}; "
                "give each sample its mask"
            )
        lengths = np.diff(np.concatenate([[0], ends, [flat.size - 1]]))
        return cls(channels=len(mask), runs=" ".join(map(str, lengths.tolist())))

    def array(self, grid: tuple[int, ...]) -> Bool[np.ndarray, "channels *grid"]:
        """The mask of all samples, (1 or c, *grid).

        Raises:
            ValueError: It is none of such a grid.
        """
        lengths = [int(text) for text in self.runs.split()]
        shape = (self.channels, *grid)
        count = int(np.prod(shape))
        if min(lengths, default=0) < 0 or sum(lengths) != count:
            raise ValueError(f"seen: runs do not add up to the {count} points of a mask {shape}")
        values = np.arange(len(lengths)) % 2 == 1
        mask: np.ndarray[Any, np.dtype[np.bool_]] = np.repeat(values, lengths).reshape(shape)
        return mask
