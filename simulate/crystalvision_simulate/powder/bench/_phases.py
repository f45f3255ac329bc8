"""The phases of a bench: those of a recipe, and one that was dropped."""

from collections.abc import Mapping, Sequence
from typing import Any

from crystalvision.config import Part
from crystalvision.plugins import Catalogue
from crystalvision_simulate.bench.parts import structure_of_file
from crystalvision_simulate.powder._candidates import (
    CandidateSettings,
    every_phase,
    kept_of,
    of_part,
)
from crystalvision_simulate.powder._phase import Candidate, names_with_numbers


class Phases:
    """The phases that a recipe has, and how another recipe names some of them.

    Attributes:
        names: What they are called, each of them otherwise.
    """

    def __init__(self, settings: CandidateSettings, catalogue: Catalogue) -> None:
        """Read them, once.

        Raises:
            InputError: As for `phases_of`.
        """
        self._settings, self._catalogue = settings, catalogue
        self._all = every_phase(settings, catalogue)
        kept = set(map(id, kept_of(settings, self._all)))
        self._places = {
            name: place
            for place, name in enumerate(names_with_numbers(self._all))
            if id(self._all[place]) in kept
        }
        self.names = list(self._places)
        self._dropped: dict[str, Candidate] = {}

    def of(self, name: str) -> Candidate:
        """The phase of a name."""
        return self._all[self._places[name]]

    def in_file(self, path: str) -> Candidate:
        """The phase in a file, which is read once.

        Raises:
            InputError: It holds none.
        """
        if path not in self._dropped:
            found = of_part(Part.of(**structure_of_file(path)), self._catalogue)
            self._dropped = {path: found}
        return self._dropped[path]

    def recipe(self, names: Sequence[str], file: str = "") -> dict[str, Any]:
        """What a recipe says of its phases: of the one in a file, if there is one, then of others.

        Raises:
            InputError: The file holds none.
        """
        dropped = [structure_of_file(file)] if file else []
        structures = list(map(_written, self._settings.structures))
        places = [self._places[name] for name in names]
        if len(structures) == len(self._all):
            return {"structures": [*dropped, *(structures[place] for place in places)]}
        # Phases of files that hold many have no name but their own.
        first = [self.in_file(file)] if file else []
        numbered = names_with_numbers([*first, *self._all])
        only = [*numbered[: len(first)], *(numbered[len(first) + place] for place in places)]
        kept = self._settings.model_dump(mode="json", exclude_defaults=True)
        kept = {key: value for key, value in kept.items() if key != "most"}
        if dropped or structures:
            kept["structures"] = [*dropped, *structures]
        return {**kept, "only": only}


def _written(part: Part) -> str | Mapping[str, Any]:
    """A structure as a recipe has it: its name alone, where it is given no option."""
    return {"name": part.name, **part.options} if part.options else part.name
