"""A phase of training: which parts train, for how long, how, and what is watched."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from crystalvision.config import Config
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
