"""What samples can be recognised as beside their class: kind of defects, appearance, specimen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from crystalvision.config import Part
from crystalvision.contracts import Crystal, Instrument
from crystalvision.datasets import SPECIMEN, SPECIMEN_COLUMN, Column
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.appearance import Appearances, Camera, Scattering, find_appearances
from crystalvision_simulate.crystals import Cut, ZoneAxis, unit_cells_of
from crystalvision_simulate.instruments.area_detector import AreaDetector
from crystalvision_simulate.parts import DrawnPart
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.specimens_of_samples import ShownSpecimen

_KIND, _APPEARANCE = "kind", "appearance"


class TargetsOfSamples:
    """Columns with classes that a recipe asks for beside `label`, and their values."""

    def __init__(
        self, recipe: Recipe, catalogue: Catalogue, instrument: DrawnPart[Instrument]
    ) -> None:
        """Look at a recipe; what looks alike is found when it is first asked for.

        Raises:
            InputError: It asks for what looks alike, and has no detector that counts electrons.
        """
        self._recipe, self._catalogue, self._instrument = recipe, catalogue, instrument
        kinds = list(recipe.kinds or recipe.defect_kinds)
        self._kinds = kinds if len(kinds) > 1 else []  # one alone is nothing to be told
        if recipe.appearance is not None:
            self._camera()

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns, by name."""
        found: dict[str, Column] = {}
        if self._kinds:
            about = "kind of the defects of the specimen"
            found[_KIND] = Column(dtype="int64", description=about, classes=tuple(self._kinds))
        if self._recipe.appearance is not None and len(self.appearances.names) > 1:
            found[_APPEARANCE] = self.appearances.column
        if self._recipe.patterns_per_specimen > 1:
            found[SPECIMEN] = SPECIMEN_COLUMN
        return found

    @cached_property
    def appearances(self) -> Appearances:
        """What looks alike, of all crystals of the classes, whichever of them samples are made of.

        Raises:
            InputError: The recipe does not ask for it.
        """
        recipe = self._recipe
        if recipe.appearance is None:
            raise InputError(f"recipe '{recipe.name}' has no `appearance`: kinematic or dynamical")
        classes = {
            settings.name: settings.structure or recipe.structure or ()
            for settings in recipe.classes
        }
        axes = {
            settings.name: settings.zone_axis or recipe.specimen.zone_axis
            for settings in recipe.classes
        }
        crystals = {
            name: [cell for part in parts for cell in self._unit_cells(part)]
            for name, parts in classes.items()
        }
        thickness, energy = recipe.specimen.thickness_angstrom, recipe.beam.energy_kev
        return _find(
            _Question(
                json.dumps(
                    [
                        [(name, [part.model_dump() for part in parts], axes[name])]
                        for name, parts in classes.items()
                    ],
                    sort_keys=True,
                    default=str,
                ),
                self._camera(),
                tuple(dict.fromkeys((*thickness.ends, thickness.inside))),
                tuple(dict.fromkeys(energy.ends)),
                recipe.appearance,
                crystals,
                axes,
            )
        )

    def of(self, shown: ShownSpecimen, cut: Cut) -> dict[str, float]:
        """The values of a sample, by column."""
        found: dict[str, float] = {}
        if _KIND in self.columns:
            found[_KIND] = self._kinds.index(shown.kind)
        if _APPEARANCE in self.columns:
            found[_APPEARANCE] = self.appearances.of[shown.label, cut.zone_axis]
        if SPECIMEN in self.columns:
            found[SPECIMEN] = shown.number
        return found

    def _unit_cells(self, part: Part) -> list[Crystal]:
        return unit_cells_of(part, self._catalogue)

    def _camera(self) -> Camera:
        """The detector, at the ends of what is drawn for it.

        Raises:
            InputError: There is none, or none that counts a stated number of electrons.
        """
        recipe, detector = self._recipe, self._instrument.example
        if not isinstance(detector, AreaDetector) or detector.dose_electrons is None:
            raise InputError(
                f"recipe '{recipe.name}', appearance: what cannot be told apart depends on the "
                "dose: give it instrument: area-detector with dose_electrons"
            )
        errors = self._instrument.quantities.get("camera_length_error")
        ends = errors.ends if errors else (detector.camera_length_error,)
        doses = self._instrument.quantities.get("dose_electrons")
        ratio = (1 + max(ends)) / (1 + min(ends))
        slack = 1.02  # two cameras of one length still differ by that
        return Camera(
            dose_electrons=max(doses.ends) if doses else detector.dose_electrons,
            reach_inv_angstrom=detector.pixels / 2 * detector.pixel_size_inv_angstrom,
            blind_inv_angstrom=detector.beam_stop_radius_inv_angstrom,
            tolerance_inv_angstrom=detector.pixel_size_inv_angstrom,
            scales=(1 / (ratio * slack), ratio * slack),
        )


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, so that the datasets of a benchmark, of one recipe, ask it once."""

    key: str
    camera: Camera
    thicknesses_angstrom: tuple[float, ...]
    energies_kev: tuple[float, ...]
    scattering: Scattering
    crystals: Mapping[str, list[Crystal]] = field(compare=False)
    zone_axes: Mapping[str, tuple[ZoneAxis, ...]] = field(compare=False)


@lru_cache(maxsize=8)
def _find(asked: _Question) -> Appearances:
    return find_appearances(
        asked.crystals,
        asked.zone_axes,
        camera=asked.camera,
        thicknesses_angstrom=asked.thicknesses_angstrom,
        energies_kev=asked.energies_kev,
        scattering=asked.scattering,
    )
