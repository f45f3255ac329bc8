"""The controls of a crystal's bench, and the recipe that they stand for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crystalvision.config import Part
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.samples import Control, ControlGroup
from crystalvision_simulate.bench._start import POWDER
from crystalvision_simulate.bench.parts import (
    CRYSTAL_FILES,
    DROPPED,
    PartControls,
    ready_structures,
    structure_of_file,
)
from crystalvision_simulate.recipes import Quantity, Recipe

_FILE = "structure.file"
_NUMBERS: Mapping[str, tuple[str, str, float, float, str]] = {
    "specimen.thickness_angstrom": ("thickness", "Å", 10, 300, "Length along the beam."),
    "specimen.width_angstrom": ("width of the box", "Å", 20, 100, "Length across the beam."),
    "specimen.aperture_diameter_angstrom": (
        "aperture", "Å", 0, 80,
        "Diameter of the selected area; 0 for none: then the crystal repeats across the beam.",
    ),
    "beam.energy_kev": ("voltage", "kV", 60, 300, "Accelerating voltage."),
    "beam.mistilt_mrad": ("mistilt", "mrad", 0, 30, "Angle between beam and zone axis."),
    "beam.mistilt_azimuth_deg": ("direction of the mistilt", "°", 0, 360, "From x towards y."),
}  # fmt: skip
_POWDER_RENDERER, _POWDER_INSTRUMENT = "powder", "powder-diffractometer"
_APERTURE = "specimen.aperture_diameter_angstrom"


class Controls:
    """What can be changed of a recipe of one sample.

    Settings whose names end in `.before` remember what others were made for.
    """

    def __init__(self, recipe: Recipe, catalogue: Catalogue) -> None:
        """Begin with a recipe.

        Args:
            recipe: The recipe.
            catalogue: Where parts are looked up.
        """
        self._recipe, self._catalogue = recipe, catalogue
        self._classes = {one.name: one for one in recipe.classes}
        self._parts = PartControls(catalogue, self._given)
        self._structures = ready_structures(catalogue)

    def begin(self) -> dict[str, Any]:
        """What all controls stand at first."""
        recipe = self._recipe
        first = recipe.classes[0]
        structure = _of(first.structure, recipe.structure)
        settings: dict[str, Any] = {
            "class": first.name,
            "zone_axis": " ".join(map(str, _of(first.zone_axis, recipe.specimen.zone_axis))),
            "seed": recipe.seed,
            "configurations": recipe.configurations,
            "renderer": recipe.renderer.name,
            "instrument": recipe.instrument.name,
            "structure": structure.name,
        }
        if structure.name not in self._structures:
            path = str(structure.options.get("path", ""))
            settings |= {"structure": DROPPED, _FILE: path, f"{_FILE}.before": path}
        for name in _NUMBERS:
            group, _, key = name.partition(".")
            value = getattr(getattr(recipe, group), key)
            settings[name] = 0.0 if value is None else value.middle
        return settings

    def settle(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings, with those that others bring with them.

        Raises:
            InputError: A part is unknown.
        """
        settled = dict(settings)
        if settled.get(_FILE) != settled.get(f"{_FILE}.before"):
            settled |= {"structure": DROPPED, f"{_FILE}.before": settled[_FILE]}
        if settled.get("class.before") != settled["class"]:
            settled["class.before"] = settled["class"]
            self._take_class(settled)
        self._fit_technique(settled)
        for kind in ("structure", "renderer", "instrument"):
            name = settled[kind]
            if settled.get(f"{kind}.before") != name:
                settled[f"{kind}.before"] = name
                if name != DROPPED:
                    settled |= self._parts.of(kind, name).values
        for name in self._catalogue.names("defect"):
            if settled.get(f"defect.{name}"):
                brought = self._parts.of("defect", name, settled["class"]).values
                settled |= {key: value for key, value in brought.items() if key not in settled}
        return settled

    def _take_class(self, settled: dict[str, Any]) -> None:
        """Put in the defects of a class of the recipe, and no others."""
        present = [part.name for part in self._classes[settled["class"]].defects]
        for name in self._catalogue.names("defect"):
            settled[f"defect.{name}"] = name in present
            for key in [key for key in settled if key.startswith(f"defect.{name}.")]:
                del settled[key]

    def _fit_technique(self, settled: dict[str, Any]) -> None:
        """What goes with a renderer that was chosen: an instrument that records what it gives."""
        before, now = settled.get("renderer.before"), settled["renderer"]
        if before is None or before == now or _POWDER_RENDERER not in {before, now}:
            return
        powder = now == _POWDER_RENDERER
        settled["instrument"] = _POWDER_INSTRUMENT if powder else "area-detector"
        for key in ("width_angstrom", "thickness_angstrom", "aperture_diameter_angstrom"):
            name = f"specimen.{key}"
            if powder:
                settled[f"{name}.before"] = settled[name]
                settled[name] = POWDER["specimen"][key]
            else:
                settled[name] = settled.get(f"{name}.before", settled[name])

    def groups(self, settings: Mapping[str, Any]) -> list[ControlGroup]:
        """The controls that there are, as things stand."""
        structures = (*self._structures, DROPPED)
        crystal = [
            Control("structure", "structure", "choice", choices=structures),
            Control(_FILE, "or drop a CIF here", "file", choices=CRYSTAL_FILES),
            Control("zone_axis", "zone axis [uvw]", "text", help="Direction along the beam: 1 1 0"),
        ]
        if len(self._classes) > 1:
            classes = Control(
                "class", "defects of the class", "choice", choices=tuple(self._classes)
            )
            crystal.append(classes)
        if settings["structure"] != DROPPED:
            crystal += self._parts.of("structure", settings["structure"]).controls.values()
        found = [
            ControlGroup("Crystal", tuple(crystal)),
            ControlGroup("Specimen and beam", tuple(self._numbers())),
            *self._defect_groups(settings),
        ]
        found += self._parts.groups("instrument", "Instrument", settings)
        return found + self._parts.groups("renderer", "Renderer", settings)

    def _numbers(self) -> Iterator[Control]:
        for name, (label, units, low, high, meaning) in _NUMBERS.items():
            group, _, key = name.partition(".")
            value: Quantity | None = getattr(getattr(self._recipe, group), key)
            ends = () if value is None else value.ends
            yield Control(
                name,
                label,
                "number",
                units,
                min(low, *ends, low),
                max(high, *ends, high),
                help=meaning,
            )

    def _defect_groups(self, settings: Mapping[str, Any]) -> Iterator[ControlGroup]:
        seed = Control("seed", "seed: which atoms", "number", high=99, whole=True)
        many = Control(
            "configurations", "snapshots of moving atoms", "number", low=1, high=16, whole=True
        )
        for name in self._catalogue.names("defect"):
            switch = Control(f"defect.{name}", name, "switch")
            controls = [switch]
            if settings.get(switch.name):
                controls += self._parts.of("defect", name, settings["class"]).controls.values()
            yield ControlGroup(name, tuple(controls), switch=switch.name, under="Defects")
        yield ControlGroup("Chance", (seed, many), open=False)

    def _given(self, kind: str, name: str, of_class: str) -> Mapping[str, Any]:
        """The options that the recipe gives a part; of one that it has not, what suits it."""
        recipe = self._recipe
        if kind == "defect":
            parts: Sequence[Part] = self._classes[of_class].defects
        elif kind == "structure":
            parts = [*(recipe.structure or ()), *(recipe.classes[0].structure or ())]
        else:
            parts = [getattr(recipe, kind)]
        for part in parts:
            if part.name == name:
                return part.options
        if name in {_POWDER_RENDERER, _POWDER_INSTRUMENT}:
            return POWDER[kind]
        return {"dose_electrons": 1.0e5} if name == "area-detector" else {}

    def recipe(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The recipe of one sample that the settings stand for.

        Raises:
            InputError: A setting is wrong.
        """
        numbers: dict[str, dict[str, Any]] = {"specimen": {}, "beam": {}}
        for name in _NUMBERS:
            group, _, key = name.partition(".")
            if name != _APERTURE or settings[name]:
                numbers[group][key] = settings[name]
        numbers["specimen"] = {"zone_axis": _axis(settings["zone_axis"]), **numbers["specimen"]}
        part = self._parts.part
        return {
            "name": "bench",
            "samples": 1,
            "seed": settings["seed"],
            "structure": self._structure(settings),
            **numbers,
            "renderer": part("renderer", settings["renderer"], "renderer", settings),
            "configurations": settings["configurations"],
            "instrument": part("instrument", settings["instrument"], "instrument", settings),
            "classes": [{"name": "bench", "severity": 0.0, "defects": self._defects(settings)}],
        }

    def _structure(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        name = settings["structure"]
        if name != DROPPED:
            return self._parts.part("structure", name, "structure", settings)
        path = settings.get(_FILE)
        if not path:
            raise InputError(
                "structure: no file was dropped yet; drop a CIF, or choose a structure"
            )
        return structure_of_file(path)

    def _defects(self, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Those that are switched on, in the order of the recipe, and then of their names."""
        of_class = self._classes[settings["class"]].defects
        names = dict.fromkeys([*(part.name for part in of_class), *self._catalogue.names("defect")])
        return [
            self._parts.part("defect", name, f"defect.{name}", settings)
            for name in names
            if settings.get(f"defect.{name}")
        ]


def _of(own: Sequence[Any] | None, shared: Sequence[Any] | None) -> Any:
    """What a class has of its own, or else shares; the first of several."""
    return (own or shared or ())[0]


def _axis(text: str) -> list[int]:
    """A zone axis as it is typed: 1 1 0, 1,1,0, [1 -1 0] or 110.

    Raises:
        InputError: It is none.
    """
    bare = text.strip().strip("[]")
    words = list(bare) if bare.isdecimal() and len(bare) == 3 else bare.replace(",", " ").split()
    try:
        axis = [int(word) for word in words]
    except ValueError:
        axis = []
    if len(axis) != 3:
        raise InputError(f"zone axis {text}: expected three whole numbers, such as 1 1 0")
    return axis
