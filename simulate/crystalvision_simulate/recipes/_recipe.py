"""The recipe of a dataset, as a YAML file describes it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator

from crystalvision.config import Config, Part, apply_overrides, load_yaml, validate
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.recipes._distribution import Quantity


def _at_least(quantity: Quantity, least: float, what: str) -> None:
    low = min(quantity.ends)
    if low < least:
        raise ValueError(f"{what} is {low:g}; expected {least:g} or more")


def _above(quantity: Quantity, limit: float, what: str) -> None:
    low = min(quantity.ends)
    if low <= limit:
        raise ValueError(f"{what} is {low:g}; expected more than {limit:g}")


class SpecimenSettings(Config):
    """How the crystal is cut.

    Attributes:
        zone_axis: Direction [uvw] along the beam.
        width_angstrom: Width of the box, which is periodic across the beam [Å].
        thickness_angstrom: Length along the beam [Å].
    """

    zone_axis: tuple[int, int, int] = (0, 0, 1)
    width_angstrom: float = Field(default=60.0, gt=0)
    thickness_angstrom: Quantity = Quantity(100.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _above(self.thickness_angstrom, 0, "thickness_angstrom")
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
        _above(self.energy_kev, 0, "energy_kev")
        _at_least(self.mistilt_mrad, 0, "mistilt_mrad")
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
    pixel_size_inv_angstrom: float = Field(default=0.0125, gt=0)
    rotation_deg: Quantity = Quantity(0.0)
    centre_offset_x_px: Quantity = Quantity(0.0)
    centre_offset_y_px: Quantity = Quantity(0.0)
    camera_length_error: Quantity = Quantity(0.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
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
        _above(self.dose_electrons, 0, "dose_electrons")
        _at_least(self.point_spread_px, 0, "point_spread_px")
        return self


class ClassSettings(Config):
    """One class of crystals.

    Attributes:
        name: Its name.
        share: Its part of the samples, relative to the other classes.
        severity: The target for a model that predicts how severe the defect is.
        defects: What is put into the ideal crystal, in order, but what moves with time after all
            that does not. Any number among a defect's options may be a distribution.
    """

    name: str = Field(min_length=1)
    share: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    severity: float = Field(allow_inf_nan=False)
    defects: tuple[Part, ...] = ()


class Recipe(Config):
    """A dataset of diffraction patterns.

    Attributes:
        name: Its name.
        description: What it is for.
        samples: How many patterns.
        seed: Seed of everything that is drawn.
        structure: The ideal crystal.
        structure_sha256: What the crystal must be, if given: a dataset's own record of its recipe
            gives it, so that a CIF file that was changed since is noticed.
        specimen: How it is cut.
        beam: The beam.
        renderer: What makes a pattern of a specimen.
        configurations: Snapshots of the moving atoms to average over; one leaves speckle, as a
            small beam on a small volume sees it.
        camera: Where the pattern falls on the detector.
        detector: What the detector counts.
        classes: The classes.
    """

    name: str = Field(min_length=1)
    description: str = ""
    samples: PositiveInt
    seed: int = Field(default=0, ge=0)
    structure: Part
    structure_sha256: str | None = None
    specimen: SpecimenSettings = SpecimenSettings()
    beam: BeamSettings = BeamSettings()
    renderer: Part = Part(name="multislice")
    configurations: PositiveInt = 1
    camera: CameraSettings = CameraSettings()
    detector: DetectorSettings = DetectorSettings()
    classes: Annotated[tuple[ClassSettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [settings.name for settings in self.classes]
        if len(set(names)) != len(names):
            raise ValueError(f"two classes have one name: {', '.join(names)}")
        return self


def load_recipe(name_or_path: str, catalogue: Catalogue, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe.

    Args:
        name_or_path: The name of a shipped recipe, or the path of a YAML file.
        catalogue: Where names are looked up.
        overrides: Values to set, `key=value`, as with `--set`.

    Raises:
        InputError: No such recipe, or something in it is wrong.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        try:
            path = catalogue.path("recipe", name_or_path)
        except InputError as error:
            raise InputError(f"{error}; or give the path of a .yaml file") from error
    return validate(Recipe, apply_overrides(load_yaml(path), overrides), str(path))
