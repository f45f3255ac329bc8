"""The controls of a powder's bench, and the recipe that they stand for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.samples import Control, ControlGroup
from crystalvision_simulate.bench.parts import (
    CRYSTAL_FILES,
    DROPPED,
    PartControls,
    reaching,
    rounded,
)
from crystalvision_simulate.powder._phase import Candidate
from crystalvision_simulate.powder._recipe import PowderRecipe
from crystalvision_simulate.powder.bench._phases import Phases
from crystalvision_simulate.powder.bench._start import CRYSTAL, INSTRUMENT

_FILE = "phase.file"
_OTHERS = ("second phase", "third phase")
_MOST_IN_A_MENU = 1000  # phases; of more, the name is typed
_COUNT, _LEAST = "mixture.phases", "mixture.least_fraction"


class PowderControls:
    """What can be changed of a recipe of one powder."""

    def __init__(self, recipe: PowderRecipe, catalogue: Catalogue) -> None:
        """Begin with a recipe.

        Raises:
            InputError: A phase cannot be read.
        """
        self._recipe = recipe
        self._phases = Phases(recipe.candidates, catalogue)
        self._parts = PartControls(catalogue, self._given)
        self._others = _OTHERS[: 1 if recipe.mixture is None else 2]

    def begin(self) -> dict[str, Any]:
        """What all controls stand at first."""
        recipe, names = self._recipe, self._phases.names
        settings: dict[str, Any] = {
            "phase": names[0],
            "seed": recipe.seed,
            "instrument": recipe.instrument.name,
        }
        for place, other in enumerate(self._others, start=1):
            settings[other] = names[place % len(names)]
        for control in CRYSTAL:
            settings[control.name] = rounded(getattr(recipe.crystal, _key(control)).middle)
        if recipe.mixture is not None:
            settings[_COUNT] = min(int(recipe.mixture.phases.middle), len(self._others) + 1)
            settings[_LEAST] = recipe.mixture.least_fraction
        return settings

    def settle(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings, with those that others bring with them.

        Raises:
            InputError: An instrument is unknown.
        """
        settled = dict(settings)
        if settled.get(_FILE) != settled.get(f"{_FILE}.before"):
            settled |= {"phase": DROPPED, f"{_FILE}.before": settled[_FILE]}
        name = settled["instrument"]
        if settled.get("instrument.before") != name:
            settled["instrument.before"] = name
            settled |= self._parts.of("instrument", name).values
        taken = {settled["phase"]}
        for other in self._others:  # each phase is there once
            free = (one for one in self._phases.names if one not in taken)
            if settled[other] in taken:
                settled[other] = next(free, settled[other])
            taken.add(settled[other])
        return settled

    def groups(self, settings: Mapping[str, Any]) -> list[ControlGroup]:
        """The controls that there are, as things stand."""
        first = [
            self._phase_control("phase", "phase", DROPPED),
            Control(_FILE, "or drop a CIF here", "file", choices=CRYSTAL_FILES),
        ]
        chance = Control("seed", "seed of what is drawn", "number", high=99, whole=True)
        return [
            ControlGroup("Phase", tuple(first)),
            ControlGroup("Crystals", tuple(self._crystal())),
            ControlGroup("Other phases", tuple(self._other_phases())),
            *self._parts.groups("instrument", "Instrument", settings),
            ControlGroup("Chance", (chance,), open=False),
        ]

    def _crystal(self) -> Iterator[Control]:
        for control in CRYSTAL[:-1]:
            ends = getattr(self._recipe.crystal, _key(control)).ends
            yield reaching(control, (min(ends), max(ends)))

    def _other_phases(self) -> Iterator[Control]:
        if self._recipe.mixture is not None:
            most = min(len(self._others) + 1, len(self._phases.names))
            yield Control(_COUNT, "phases", "number", low=1, high=most, whole=True)
            yield Control(
                _LEAST, "least share by weight", "number", low=0.01, high=0.33,
                help="What is left is shared out evenly over all that is possible, by the seed.",
            )  # fmt: skip
        yield CRYSTAL[-1]
        for name in self._others:
            yield self._phase_control(name, name)

    def _phase_control(self, name: str, label: str, *further: str) -> Control:
        names = self._phases.names
        if len(names) > _MOST_IN_A_MENU:
            return Control(name, label, "text", help=f"One of {len(names):,}: {names[0]}")
        return Control(name, label, "choice", choices=(*names, *further))

    def _given(self, kind: str, name: str, of_class: str) -> Mapping[str, Any]:
        """The options that the recipe gives an instrument; of one that it has not, what suits."""
        del kind, of_class
        if name == self._recipe.instrument.name:
            return self._recipe.instrument.options
        if name == INSTRUMENT["name"]:
            return {key: value for key, value in INSTRUMENT.items() if key != "name"}
        return {}

    def phases(self, settings: Mapping[str, Any]) -> tuple[Candidate, ...]:
        """The phases that the recipe has, in its order.

        Raises:
            InputError: None has a name, or a file holds none.
        """
        names, file = self._named(settings)
        first = [self._phases.in_file(file)] if file else []
        return (*first, *map(self._phases.of, names))

    def _named(self, settings: Mapping[str, Any]) -> tuple[Sequence[str], str]:
        """The phases by their names, and the file of one of them, which is the first."""
        phase, file = settings["phase"], ""
        if phase == DROPPED:
            file = settings.get(_FILE) or ""
            if not file:
                raise InputError("phase: no file was dropped yet; drop a CIF, or choose a phase")
        # One other at least: what tells phases apart needs two.
        others = self._others[: max(1, int(settings.get(_COUNT, 1)) - 1)]
        names = [*([] if file else [phase]), *(settings[other] for other in others)]
        for name in names:
            if name not in self._phases.names:
                near = [one for one in self._phases.names if one.startswith(name.partition(" ")[0])]
                known = ", ".join((near or self._phases.names)[:5])
                raise InputError(f"phase {name}: there is none of that name; there are {known}")
        return names, file

    def recipe(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The recipe of one sample that the settings stand for.

        Raises:
            InputError: A setting is wrong.
        """
        names, file = self._named(settings)
        mixture = {}
        if self._recipe.mixture is not None:
            parts = {"phases": settings[_COUNT], "least_fraction": settings[_LEAST]}
            mixture = {"mixture": parts}
        instrument = settings["instrument"]
        return {
            "name": "bench",
            "samples": 1,
            "seed": settings["seed"],
            "candidates": self._phases.recipe(names, file),
            **mixture,
            "crystal": {_key(one): settings[one.name] for one in CRYSTAL},
            "instrument": self._parts.part("instrument", instrument, "instrument", settings),
        }


def _key(control: Control) -> str:
    """Its key among the recipe's settings of crystals."""
    return control.name.partition(".")[2]
