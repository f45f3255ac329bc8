"""Controls of the parts of a recipe, whatever its source: they begin and reach as it says."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crystalvision.plugins import Catalogue, FactoryKind
from crystalvision.samples import Control, ControlGroup
from crystalvision.sources import OptionControls, option_controls, options_from
from crystalvision_simulate.recipes import Quantity

_WORDS = ("Al", "C", "N")  # elements to try where one must be named
_AROUND = 0.2  # of a lattice parameter

DROPPED = "dropped file"
"""What stands for a crystal that is in a file."""
CRYSTAL_FILES = (".cif", ".vasp", ".poscar", ".gz")
"""Endings of files that a crystal may be in."""


class PartControls:
    """Controls for the options of parts, which are asked of each part once."""

    def __init__(
        self, catalogue: Catalogue, given: Callable[[str, str, str], Mapping[str, Any]]
    ) -> None:
        """Begin with a recipe.

        Args:
            catalogue: Where parts are looked up.
            given: The options that a part begins with, `given(kind, name, of_class)`; they may be
                distributions, whose ends a slider reaches.
        """
        self._catalogue, self._given = catalogue, given
        self._options: dict[tuple[str, str, str], OptionControls] = {}

    def of(self, kind: FactoryKind, name: str, of_class: str = "") -> OptionControls:
        """Controls of a part's options.

        Raises:
            InputError: There is no such part.
        """
        key = (kind, name, of_class)
        if key not in self._options:
            written = self._given(kind, name, of_class)
            prefix = kind if kind != "defect" else f"defect.{name}"
            found = option_controls(
                self._catalogue.entry(kind, name),
                prefix,
                {option: fixed(value) for option, value in written.items()},
                words=_WORDS,
                around=_AROUND if kind == "structure" else 0.0,
            )
            controls = {
                option: reaching(control, reach(written.get(option)))
                for option, control in found.controls.items()
            }
            self._options[key] = replace(found, controls=controls)
        return self._options[key]

    def groups(
        self, kind: FactoryKind, title: str, settings: Mapping[str, Any]
    ) -> list[ControlGroup]:
        """A part, and its options: those that the recipe gives first."""
        names = tuple(self._catalogue.names(kind))
        choice = Control(kind, kind, "choice", choices=names)
        name = settings[kind]
        controls = self.of(kind, name).controls
        given = [controls[key] for key in self._given(kind, name, "") if key in controls]
        rest = [one for one in controls.values() if one not in given]
        shown = kind == "instrument"
        groups = [ControlGroup(title, (choice, *given), open=shown)]
        if rest:
            groups.append(ControlGroup(f"{title}: all else", tuple(rest), open=False))
        return groups

    def part(
        self, kind: FactoryKind, name: str, prefix: str, settings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A part as a recipe has it.

        Raises:
            InputError: A setting is wrong.
        """
        return {"name": name, **options_from(self._catalogue.entry(kind, name), prefix, settings)}


def ready_structures(catalogue: Catalogue) -> list[str]:
    """The structures that need no option."""
    return [
        name
        for name in catalogue.names("structure")
        if not any(one.required for one in catalogue.entry("structure", name).options())
    ]


def structure_of_file(path: str) -> dict[str, Any]:
    """The structure that is in a file, as a recipe has it."""
    is_cif = ".cif" in [suffix.lower() for suffix in Path(path).suffixes]
    return {"name": "cif" if is_cif else "file", "path": path}


def fixed(value: Any) -> Any:
    """A value of an option, with the middle of what is drawn in place of a distribution."""
    return rounded(Quantity.parse(value, "").middle) if Quantity.describes(value) else value


def rounded(value: float) -> float:
    """A number that nobody gave, with as many digits as can be read."""
    return float(f"{value:.5g}")


def reach(value: Any) -> tuple[float, float] | None:
    """The ends of a distribution; `None` for any other value."""
    if not Quantity.describes(value):
        return None
    ends = Quantity.parse(value, "").ends
    return min(ends), max(ends)


def reaching(control: Control, ends: tuple[float, float] | None) -> Control:
    """A control whose slider reaches these ends, too."""
    if ends is None or control.kind != "number":
        return control
    return replace(control, low=min(control.low, ends[0]), high=max(control.high, ends[1]))
