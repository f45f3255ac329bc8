"""The recipe of a dataset, as a YAML file describes it."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from crystalvision.config import Config, Part, apply_overrides, validate
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.ranges import MAX_SAMPLES, MAX_SEED
from crystalvision.sources import find_recipe, read_recipe
from crystalvision_simulate.recipes._choice import Choices
from crystalvision_simulate.recipes._distribution import Quantity
from crystalvision_simulate.recipes._settings import BeamSettings, SpecimenSettings, ZoneAxis

SOURCE = "simulation"
"""The source that makes these recipes."""

# What recipes did not have at first is written only where it says something, so that datasets that
# were made before keep their identity.
_LATER = ("only", "defect_kinds", "kinds", "patterns_per_specimen", "appearance")
_MOST_CONFIGURATIONS = 10_000
Kind = tuple[Part, ...] | dict[str, tuple[Part, ...]]


class ClassSettings(Config):
    """One class of crystals.

    Attributes:
        name: Its name.
        share: Its part of the samples, relative to the other classes.
        severity: The target for a model that predicts how severe the defect is.
        structure: The class's own ideal crystal, or a choice of several, instead of the recipe's.
        zone_axis: Its own direction [uvw] along the beam, or a choice, instead of the recipe's.
        defects: What is put into the ideal crystal. The order matters only among defects of one
            stage (see `crystalvision.contracts.Defect`). Any number among a defect's options may be
            a distribution.
    """

    name: str = Field(min_length=1)
    share: float = Field(default=1.0, ge=1e-9, le=1e9, allow_inf_nan=False)
    severity: float = Field(ge=-1e9, le=1e9, allow_inf_nan=False)
    structure: Choices[Part] | None = None
    zone_axis: Choices[ZoneAxis] | None = None
    defects: tuple[Part, ...] = ()


class Recipe(Config):
    """A dataset of diffraction patterns.

    Attributes:
        name: Its name.
        description: What it is for.
        samples: How many patterns.
        seed: Seed of everything that is drawn.
        structure: The ideal crystal, or a choice of several; not needed where each class has its
            own.
        structure_sha256: What the crystals must be, if given: a dataset's own record of its recipe
            gives it, so that a CIF file that was changed since is noticed.
        specimen: How it is cut.
        beam: The beam.
        renderer: What makes a pattern of a specimen.
        configurations: Snapshots of the moving atoms to average over; one leaves speckle, as a
            small beam on a small volume sees it. A choice of several, `{choice: [1, 2, 4]}`, is
            drawn for each sample.
        instrument: What records the pattern; `none` for the renderer's own, without noise.
        classes: The classes.
        only: Crystals of the classes that samples are made of; by default all. Classes that have
            none of them have no samples, and are known all the same.
        defect_kinds: Kinds of defects beside those that classes have, by name: a list of defects
            for the crystals of all classes, or of each by the name of the class.
        kinds: Those of them that specimens have, one each, drawn in equal parts; by default all.
        patterns_per_specimen: Patterns that show one specimen: one crystal with one degree of its
            defects, at one zone axis after the other.
        appearance: Whether samples have a further target, which of the zone axes of all classes
            they look like: axes that cannot be told apart at the dose are one class of it. It says
            whether electrons are taken to be scattered once (`kinematic`), or as often as they
            are (`dynamical`).

    Any number among the options of a part (structure, defect, renderer, instrument) may be a
    distribution, as may those of the specimen and the beam: see `crystalvision_simulate.numbers`.
    """

    name: str = Field(min_length=1)
    description: str = ""
    samples: int = Field(gt=0, le=MAX_SAMPLES)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    structure: Choices[Part] | None = None
    structure_sha256: str | None = None
    specimen: SpecimenSettings = SpecimenSettings()
    beam: BeamSettings = BeamSettings()
    renderer: Part = Part(name="multislice")
    configurations: int | Quantity = 1
    instrument: Part = Part(name="area-detector")
    classes: Annotated[tuple[ClassSettings, ...], Field(min_length=1)]
    only: tuple[str, ...] = ()
    defect_kinds: dict[str, Kind] = Field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    patterns_per_specimen: Annotated[int, Field(ge=1, le=100_000)] = 1
    appearance: Literal["kinematic", "dynamical"] | None = None

    @model_serializer(mode="wrap")
    def _without_unused(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = serialize(self)
        unused = {name for name in _LATER if getattr(self, name) == _default(name)}
        return {key: value for key, value in written.items() if key not in unused}

    def kinds_of(self, settings: ClassSettings) -> dict[str, tuple[Part, ...]]:
        """The defects that specimens of a class may have beside its own, by kind."""
        found: dict[str, tuple[Part, ...]] = {}
        for name in self.kinds or self.defect_kinds:
            kind = self.defect_kinds[name]
            if not isinstance(kind, dict):
                found[name] = kind
            elif settings.name in kind:
                found[name] = kind[settings.name]
        return found

    @property
    def most_configurations(self) -> int:
        """The most snapshots that a pattern is averaged over."""
        drawn = self.configurations
        return int(max(drawn.ends)) if isinstance(drawn, Quantity) else drawn

    @field_validator("configurations")
    @classmethod
    def _check_configurations(cls, value: int | Quantity) -> int | Quantity:
        if isinstance(value, Quantity):
            numbers = value.choices
            if numbers is None or any(number % 1 for number in numbers):
                raise ValueError(
                    f"{value.root} gives no whole numbers; expected one, or a choice of several, "
                    "such as {choice: [1, 2, 4]}"
                )
            if not value.varies:
                value = int(numbers[0])
        least, greatest = (
            (min(value.ends), max(value.ends)) if isinstance(value, Quantity) else (value, value)
        )
        if least < 1 or greatest > _MOST_CONFIGURATIONS:
            raise ValueError(
                f"{least if least < 1 else greatest:g} is out of range; "
                f"expected 1 to {_MOST_CONFIGURATIONS:,}"
            )
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [settings.name for settings in self.classes]
        if len(set(names)) != len(names):
            raise ValueError(f"two classes have one name: {', '.join(names)}")
        self._check_kinds(names)
        for settings in self.classes:
            if self.structure is None and settings.structure is None:
                raise ValueError(
                    f"class '{settings.name}' has no structure, and neither has the recipe; "
                    "give one, such as structure: si3n4-beta"
                )
        return self

    def _check_kinds(self, names: list[str]) -> None:
        for kind in self.kinds:
            if kind not in self.defect_kinds:
                known = ", ".join(self.defect_kinds) or "none"
                raise ValueError(f"kinds: '{kind}' is none of defect_kinds; they are {known}")
        if len(set(self.kinds)) != len(self.kinds):
            raise ValueError(f"kinds: one is given twice: {', '.join(self.kinds)}")
        for kind, defects in self.defect_kinds.items():
            for name in defects if isinstance(defects, dict) else ():
                if name not in names:
                    raise ValueError(
                        f"defect_kinds.{kind}: no class '{name}'; classes: {', '.join(names)}"
                    )


def _default(name: str) -> Any:
    return Recipe.model_fields[name].get_default(call_default_factory=True)


def load_recipe(name_or_path: str, catalogue: Catalogue, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe.

    It may extend another one; see `crystalvision.sources.read_recipe`.

    Args:
        name_or_path: The name of a shipped recipe, or the path of a YAML file.
        catalogue: Where names are looked up.
        overrides: Values to set, `key=value`, as with `--set`.

    Raises:
        InputError: No such recipe, one of another source, or something in it is wrong.
    """
    path = find_recipe(name_or_path, catalogue)
    data = apply_overrides(read_recipe(path, catalogue), overrides)
    if (source := data.pop("source", SOURCE)) != SOURCE:
        raise InputError(f"{path}: it is made by the source '{source}', and no recipe of crystals")
    return validate(Recipe, data, str(path))
