"""What an instrument records."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Num


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What an instrument recorded of one pattern.

    Attributes:
        counts: Of the instrument's `dtype`, (c, *grid).
        seen: Where it could see, (*grid); `None` for everywhere.
    """

    counts: Num[np.ndarray, "c *grid"]
    seen: Bool[np.ndarray, "*grid"] | None = None
