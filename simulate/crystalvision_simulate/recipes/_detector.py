"""Settings of a recipe: the detector."""

from typing import Self

from pydantic import Field, model_validator

from crystalvision.config import Config
from crystalvision_simulate.recipes._distribution import Quantity, above, at_least


class DetectorSettings(Config):
    """What the detector counts.

    Attributes:
        dose_electrons: Electrons that hit the specimen while a pattern is taken.
        point_spread_px: Standard deviation of the point spread [pixel].
        beam_stop_radius_inv_angstrom: Radius of the stop before the direct beam [1/Å].
    """

    dose_electrons: Quantity = Quantity(1e4)
    point_spread_px: Quantity = Quantity(0.0)
    beam_stop_radius_inv_angstrom: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        above(self.dose_electrons, 0, "dose_electrons")
        at_least(self.point_spread_px, 0, "point_spread_px")
        return self
