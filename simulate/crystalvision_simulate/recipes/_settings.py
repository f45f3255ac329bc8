"""Settings of a recipe: specimen, beam, camera."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from crystalvision.config import Config
from crystalvision_simulate.recipes._choice import Choices
from crystalvision_simulate.recipes._distribution import Quantity, above, at_least, at_most, between

_Index = Annotated[int, Field(ge=-100, le=100)]
ZoneAxis = tuple[_Index, _Index, _Index]

_GREATEST_ANGLE = 36_000.0  # °
_GREATEST_OFFSET = 4096.0  # pixels


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

    zone_axis: Choices[ZoneAxis] = ((0, 0, 1),)
    width_angstrom: float = Field(default=60.0, gt=0, le=10_000)
    aperture_diameter_angstrom: float | None = Field(default=None, gt=0, le=10_000)
    thickness_angstrom: Quantity = Quantity(100.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
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


class CameraSettings(Config):
    """Where the pattern falls on the detector.

    Attributes:
        pixels: Pixels along a side.
        pixel_size_inv_angstrom: Side of a pixel [1/Å].
        rotation_deg: Rotation of the crystal about the beam [°].
        centre_offset_x_px: Error of the direct beam's column [pixel].
        centre_offset_y_px: Error of its row [pixel].
        camera_length_error: Relative error of the camera length.
    """

    pixels: int = Field(default=256, ge=8, le=4096)
    pixel_size_inv_angstrom: float = Field(default=0.0125, ge=1e-6, le=10)
    rotation_deg: Quantity = Quantity(0.0)
    centre_offset_x_px: Quantity = Quantity(0.0)
    centre_offset_y_px: Quantity = Quantity(0.0)
    camera_length_error: Quantity = Quantity(0.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        between(self.rotation_deg, _GREATEST_ANGLE, "rotation_deg")
        between(self.centre_offset_x_px, _GREATEST_OFFSET, "centre_offset_x_px")
        between(self.centre_offset_y_px, _GREATEST_OFFSET, "centre_offset_y_px")
        if max(abs(end) for end in self.camera_length_error.ends) > 0.5:
            raise ValueError(
                f"camera_length_error reaches {self.camera_length_error.ends}; expected a relative "
                "error between -0.5 and 0.5"
            )
        return self

    @property
    def reach_inv_angstrom(self) -> float:
        """The greatest |q| along the axes of the detector, whatever is drawn [1/Å].

        Corners reach further; beyond the renderer's band nothing falls on them.
        """
        offsets = (*self.centre_offset_x_px.ends, *self.centre_offset_y_px.ends)
        pixels = self.pixels / 2 + 0.5 + max(abs(offset) for offset in offsets)
        return pixels * self.pixel_size_inv_angstrom / (1 + min(self.camera_length_error.ends))
