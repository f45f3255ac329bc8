"""A schedule: the phases of a training, as a list or as the name of a preset."""

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from crystalvision.config import Config, load_yaml
from crystalvision.errors import InputError
from crystalvision.training._phase import Phase, merge

_FOLDER = Path(__file__).parent / "schedules"


class Schedule(Config):
    """Phases in the order in which they run.

    In YAML one of: the name of a preset, `schedule: quick`; a preset with changes to its phases,
    `schedule: {name: quick, classifier: {epochs: 10}}`; a list of phases.

    Attributes:
        preset: The preset that the phases come from, or `None` for a user's own list. A preset
            leaves out what a system does not have; a list that names it is an error.
        phases: The phases.
    """

    preset: str | None = None
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _accept_short_forms(cls, value: object) -> object:
        if isinstance(value, str):
            return _preset(value, {})
        if isinstance(value, list | tuple):
            return {"phases": value}
        if isinstance(value, Mapping) and "name" in value:
            return _preset(value["name"], {key: value[key] for key in value if key != "name"})
        return value

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Schedule":
        names = [phase.name for phase in self.phases]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two phases are called '{name}'")
        return self

    def for_parts(self, parts: Collection[str]) -> tuple[Phase, ...]:
        """The phases for a system with these parts.

        Args:
            parts: Names of the system's branches, "fusion" and "head" where it has them.

        Raises:
            InputError: A phase of a user's list trains a part that the system lacks, or a preset
                leaves a part untrained.
        """
        if self.preset is None:
            for phase in self.phases:
                for name in phase.train:
                    if name not in parts:
                        raise InputError(
                            f"phase '{phase.name}' trains '{name}', but the system has only: "
                            f"{', '.join(parts)}"
                        )
            return self.phases
        fitting = [
            phase.model_copy(update={"train": tuple(name for name in phase.train if name in parts)})
            for phase in self.phases
        ]
        trained = {name for phase in fitting for name in phase.train}
        if untrained := [name for name in parts if name not in trained]:
            known = dict.fromkeys(name for phase in self.phases for name in phase.train)
            raise InputError(
                f"schedule '{self.preset}' has no phase for '{untrained[0]}'; it trains "
                f"{', '.join(known)}: use these names, or give the schedule as a list of phases"
            )
        return tuple(phase for phase in fitting if phase.train)


def presets() -> list[str]:
    """Names of the schedules that come with the toolkit."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def _preset(name: object, changes: Mapping[str, Any]) -> dict[str, object]:
    names = presets()
    if name not in names:
        nearest = difflib.get_close_matches(str(name), names, n=1)
        hint = f"; did you mean '{nearest[0]}'?" if nearest else ";"
        raise InputError(f"no schedule is called '{name}'{hint} there are: {', '.join(names)}")
    phases: list[dict[str, object]] = load_yaml(_FOLDER / f"{name}.yaml")["phases"]
    known = [str(phase["name"]) for phase in phases]
    for key, change in changes.items():
        if key not in known:
            raise InputError(
                f"schedule '{name}' has no phase '{key}'; its phases: {', '.join(known)}"
            )
        if not isinstance(change, Mapping):
            raise InputError(f"schedule.{key}={change!r}: expected settings, such as epochs: 10")
    merged = [merge(phase, changes.get(str(phase["name"]), {})) for phase in phases]
    return {"preset": name, "phases": merged}
