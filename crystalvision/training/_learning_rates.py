"""How the learning rate runs through a phase."""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from crystalvision.config import Config

Rate = Annotated[float, Field(gt=0, le=1e3, allow_inf_nan=False)]
"""A learning rate; what is beyond ends in no numbers after a step."""
Step = tuple[PositiveInt, Rate]


class Constant(Config):
    """The same rate throughout."""

    name: Literal["constant"] = "constant"
    start: Rate


class Steps(Config):
    """A list of (epochs, rate): each rate is held for its epochs.

    The epochs must add up to those of the phase.
    """

    name: Literal["steps"]
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @property
    def start(self) -> float:
        """The first rate."""
        return self.steps[0][1]


class Plateau(Config):
    """The rate is multiplied by `factor` after `patience` epochs in which the loss did not fall."""

    name: Literal["plateau"]
    start: Rate
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    patience: Annotated[int, Field(gt=0, le=100_000)] = 4
    monitor: Literal["train_loss", "validation_loss"] = "validation_loss"


class Cosine(Config):
    """Falls from `start` to zero as half a cosine, after `warmup_epochs` of linear rise."""

    name: Literal["cosine"]
    start: Rate
    warmup_epochs: Annotated[float, Field(ge=0, le=100_000)] = 0


class OneCycle(Config):
    """Rises to `peak` during the fraction `warmup` of the phase and falls to nearly zero.

    Source: Smith & Topin 2018, arXiv:1708.07120, as in `torch.optim.lr_scheduler.OneCycleLR`.
    """

    name: Literal["one-cycle"]
    peak: Rate
    warmup: Annotated[float, Field(gt=0, lt=1)] = 0.3

    @property
    def start(self) -> float:
        """The first rate."""
        return self.peak / 25


LearningRate = Annotated[
    Constant | Steps | Plateau | Cosine | OneCycle, Field(discriminator="name")
]


def accept_number(value: object) -> object:
    """A bare number is a constant rate; a mapping without a name is refused by pydantic."""
    number: object = value
    if isinstance(value, str):  # YAML takes 1e-3, without a point, for text
        with suppress(ValueError):
            number = float(value)
    if isinstance(number, int | float) and not isinstance(number, bool):
        return {"name": "constant", "start": number}
    return value


class SteppedPhase(Config):
    """What a learning rate needs to know of its phase, and the check that they agree."""

    epochs: Annotated[int, Field(gt=0, le=100_000)]
    learning_rate: LearningRate

    @model_validator(mode="before")
    @classmethod
    def _accept_a_bare_number(cls, data: object) -> object:
        if isinstance(data, Mapping) and "learning_rate" in data:
            return {**data, "learning_rate": accept_number(data["learning_rate"])}
        return data

    @model_validator(mode="after")
    def _steps_fill_the_phase(self) -> "SteppedPhase":
        if isinstance(self.learning_rate, Steps):
            total = sum(epochs for epochs, _ in self.learning_rate.steps)
            if total != self.epochs:
                raise ValueError(
                    f"learning_rate.steps add up to {total} epochs, but epochs is {self.epochs}"
                )
        return self


def scheduler(
    rate: Constant | Steps | Plateau | Cosine | OneCycle,
    optimiser: Optimizer,
    *,
    epochs: int,
    batches: int,
) -> dict[str, Any] | None:
    """Lightning's description of the scheduler of a learning rate.

    Args:
        rate: The learning rate.
        optimiser: Made with `rate.start`.
        epochs: Epochs of the phase.
        batches: Batches of an epoch.
    """
    if isinstance(rate, Constant):
        return None
    if isinstance(rate, Plateau):
        # torch waits for more than `patience` bad epochs; threshold 0: any fall counts.
        plateau = ReduceLROnPlateau(
            optimiser, factor=rate.factor, patience=rate.patience - 1, threshold=0.0
        )
        return {"scheduler": plateau, "interval": "epoch", "monitor": rate.monitor}
    made: LRScheduler
    if isinstance(rate, OneCycle):
        made = OneCycleLR(
            optimiser,
            max_lr=rate.peak,
            total_steps=epochs * batches + 1,  # Lightning steps once after the last batch too
            pct_start=rate.warmup,
            cycle_momentum=False,
        )
    else:
        factor = _steps(rate) if isinstance(rate, Steps) else _cosine(rate, epochs)
        made = LambdaLR(optimiser, lambda step: factor(step / batches))
    return {"scheduler": made, "interval": "step"}


def _steps(rate: Steps) -> Callable[[float], float]:
    def factor(epoch: float) -> float:
        end = 0
        for epochs, value in rate.steps:
            end += epochs
            # Steps are counted in whole batches: leave room for rounding at the boundary.
            if epoch < end - 1e-9:
                return value / rate.start
        return rate.steps[-1][1] / rate.start

    return factor


def _cosine(rate: Cosine, epochs: int) -> Callable[[float], float]:
    def factor(epoch: float) -> float:
        if epoch < rate.warmup_epochs:
            return (epoch + 1e-3) / (rate.warmup_epochs + 1e-3)
        rest = max(epochs - rate.warmup_epochs, 1e-9)
        return 0.5 * (1 + math.cos(math.pi * min((epoch - rate.warmup_epochs) / rest, 1.0)))

    return factor
