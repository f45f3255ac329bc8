"""The grid that patterns lie on: any number of dimensions, each with a name and units."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from pydantic import Field

from crystalvision.config import Config
from crystalvision.text import axis_symbol, unit_text


class Axis(Config):
    """Calibration of one dimension of a grid: point `i` lies at `offset + scale * i`.

    Attributes:
        name: Such as `q_y`, `two_theta` or `x`.
        size: Number of points.
        scale: Distance between points [units].
        offset: Where point 0 lies [units].
        units: Such as `1/angstrom` or `degree`; `1` for a pure number.
    """

    name: str
    size: int = Field(gt=0)
    scale: float = Field(gt=0, allow_inf_nan=False)
    offset: float = Field(allow_inf_nan=False)
    units: str = "1/angstrom"

    @property
    def label(self) -> str:
        """What stands at it in a figure, such as `2θ [°]`."""
        unit = unit_text(self.units)
        return f"{axis_symbol(self.name)} [{unit}]" if unit else axis_symbol(self.name)

    def values(self) -> Float[np.ndarray, "size"]:
        """Position of every point [units], (size,)."""
        return self.offset + self.scale * np.arange(self.size, dtype=np.float64)


def grid_of(axes: Sequence[Axis]) -> tuple[int, ...]:
    """The shape of a grid with these axes."""
    return tuple(axis.size for axis in axes)
