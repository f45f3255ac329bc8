"""A schedule: the phases of a training, as a list or as the name of a preset."""

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from crystalvision.config import Config, load_yaml
from crystalvision.errors import InputError
from crystalvision.training._learning_rates import SteppedPhase

Decay = Annotated[float, Field(ge=0, le=1e3, allow_inf_nan=False)]
LOSS = "validation_loss"


class Optimiser(Config):
    """An optimiser.

    Attributes:
        name: Which.
        momentum: Momentum, for `sgd`.
        weight_decay: L2 penalty (decoupled for `adamw`) of all weights.
        head_weight_decay: The same for the heads' weights, if it shall differ.
    """

    name: Literal["sgd", "adam", "adamw"]
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Decay = 0.0
    head_weight_decay: Decay | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_a_bare_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _momentum_is_of_sgd(self) -> "Optimiser":
        if self.momentum and self.name != "sgd":
            raise ValueError(f"momentum={self.momentum} is an option of sgd, not of {self.name}")
        return self


class Phase(SteppedPhase):
    """One phase.

    The loss is the sum of the losses of the heads that train: those of the branches in `train`,
    and the final one if `train` has "fusion" or "head". Parts that are not in `train` are frozen
    and in evaluation mode, batch statistics included.

    Attributes:
        name: For the record and for overrides: `--set schedule.NAME.epochs=5`.
        train: Names of branches, "fusion", "head".
        epochs: Passes over the training split.
        batch_size: Patterns of a step.
        optimiser: The optimiser, by name or with options.
        learning_rate: A number, or how the rate runs through the phase.
        monitor: Of the epochs, the one with the best value of this keeps its weights; equal values
            are settled by the lower validation loss. `validation_loss`, or the score of a target
            that the phase's heads learn, `validation_TARGET_SCORE`, such as
            `validation_label_accuracy`; `validation_accuracy` and `validation_mae` are short for
            those of the only target that has such a score.
        patience: The phase ends early after so many epochs without a better one; by default never.
    """

    name: Annotated[str, Field(min_length=1)]
    train: Annotated[tuple[str, ...], Field(min_length=1)]
    batch_size: Annotated[int, Field(gt=0, le=65_536)]
    optimiser: Optimiser
    monitor: str = LOSS
    patience: Annotated[int, Field(gt=0, le=100_000)] | None = None

    @field_validator("train", mode="before")
    @classmethod
    def _accept_one_part(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("monitor")
    @classmethod
    def _is_of_the_validation(cls, value: str) -> str:
        if not value.startswith("validation_"):
            raise ValueError(
                f"expected {LOSS}, validation_accuracy, validation_mae, or another "
                "validation_TARGET_SCORE"
            )
        return value

    @property
    def trains_final(self) -> bool:
        """Whether the final head's loss counts."""
        return bool({"fusion", "head"} & set(self.train))


def merge(base: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """`base` with `changes` set in it, mappings within mappings likewise."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and _same_name(old, value):
            result[key] = merge(old, value)
        else:
            result[key] = value
    return result


def _same_name(old: Mapping[str, object], new: Mapping[str, object]) -> bool:
    """Whether options may be inherited: those of a thing of another name mean something else."""
    return new.get("name", old.get("name")) == old.get("name")


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
