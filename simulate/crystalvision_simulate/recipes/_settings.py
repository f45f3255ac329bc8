"""Settings of a recipe: specimen and beam."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from crystalvision.config import Config
from crystalvision.contracts import Measure
from crystalvision_simulate.recipes._choice import Choices
from crystalvision_simulate.recipes._distribution import Quantity, above, at_least, at_most, between

_Index = Annotated[int, Field(ge=-100, le=100)]
ZoneAxis = tuple[_Index, _Index, _Index]

_GREATEST_ANGLE = 36_000.0  # °
_GREATEST_WIDTH = 10_000.0  # Å


def _columns(*measures: Measure) -> Mapping[str, Measure]:
    return {one.name: one for one in measures}


class SpecimenSettings(Config):
    """How the crystal is cut.

    Attributes:
        zone_axis: Direction [uvw] along the beam.
        width_angstrom: Width of the box [Å]. Without an aperture the crystal repeats across the
            beam, so the width is met as nearly as whole repeats allow.
        aperture_diameter_angstrom: Diameter of a soft selected-area aperture behind the specimen
            [Å]. With one, the crystal is cut to the box as it comes, for any zone axis, and for
            defects that do not repeat.
        thickness_angstrom: Length along the beam [Å].
    """

    option_columns: ClassVar[Mapping[str, Measure]] = _columns(
        Measure("thickness_angstrom", "angstrom", "thickness along the beam, before any strain"),
    )

    zone_axis: Choices[ZoneAxis] = ((0, 0, 1),)
    width_angstrom: Quantity = Quantity(60.0)
    aperture_diameter_angstrom: Quantity | None = None
    thickness_angstrom: Quantity = Quantity(100.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("width_angstrom", "aperture_diameter_angstrom"):
            value = getattr(self, name)
            if value is not None:
                above(value, 0, name)
                at_most(value, _GREATEST_WIDTH, name)
        above(self.thickness_angstrom, 0, "thickness_angstrom")
        at_most(self.thickness_angstrom, 100_000, "thickness_angstrom")
        return self


class BeamSettings(Config):
    """The beam.

    Attributes:
        energy_kev: Kinetic energy [keV].
        mistilt_mrad: Angle between beam and zone axis [mrad].
        mistilt_azimuth_deg: Its direction across the beam, from the x axis to the y axis [°].
    """

    option_columns: ClassVar[Mapping[str, Measure]] = _columns(
        Measure("energy_kev", "keV", "kinetic energy of the electrons"),
        Measure("mistilt_mrad", "mrad", "angle between beam and zone axis"),
        Measure("mistilt_azimuth_deg", "degree", "direction of the mistilt, from x towards y"),
    )

    energy_kev: Quantity = Quantity(200.0)
    mistilt_mrad: Quantity = Quantity(0.0)
    mistilt_azimuth_deg: Quantity = Quantity(0.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        above(self.energy_kev, 0, "energy_kev")
        at_least(self.energy_kev, 0.1, "energy_kev")
        at_most(self.energy_kev, 10_000, "energy_kev")
        between(self.mistilt_azimuth_deg, _GREATEST_ANGLE, "mistilt_azimuth_deg")
        at_least(self.mistilt_mrad, 0, "mistilt_mrad")
        if max(self.mistilt_mrad.ends) > 100:
            raise ValueError(
                f"mistilt_mrad reaches {max(self.mistilt_mrad.ends):g}; expected 100 or less: "
                "multislice takes mistilt as a small angle"
            )
        return self
