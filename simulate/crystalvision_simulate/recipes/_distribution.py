"""Numbers that may be distributions."""

from typing import Self

import numpy as np
from jaxtyping import Float
from pydantic import ConfigDict, RootModel, ValidationError, model_validator
from scipy.special import ndtri

from crystalvision.errors import InputError

_NAMES = ("uniform", "log_uniform", "normal", "choice")
_FORMS = "{uniform: [low, high]}, {log_uniform: [low, high]}, {normal: [mean, sigma]}, {choice: []}"
_NORMAL_REACH = 6.0  # a normal distribution is cut there, so that it has ends to be checked


class Quantity(RootModel[float | dict[str, list[float]]]):
    """A number, or the distribution that each sample draws it from.

    In YAML: `1.5`, `{uniform: [1, 2]}`, `{log_uniform: [1e3, 1e6]}`, `{normal: [1.0, 0.1]}` (cut
    at six sigma), `{choice: [80, 200, 300]}`.
    """

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.root, float):
            if not np.isfinite(self.root):
                raise ValueError(f"expected a finite number, found {self.root}")
            return self
        if len(self.root) != 1:
            raise ValueError(f"expected a number or one of {_FORMS}, found {self.root}")
        name, values = next(iter(self.root.items()))
        if name not in _NAMES:
            raise ValueError(f"'{name}' is no distribution; expected {_FORMS}")
        if not values or (name != "choice" and len(values) != 2):
            raise ValueError(f"{name} takes {'values' if name == 'choice' else 'two numbers'}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name} takes finite numbers, found {values}")
        if name in {"uniform", "log_uniform"} and not values[0] <= values[1]:
            raise ValueError(f"{name}: low {values[0]:g} is above high {values[1]:g}")
        if name == "log_uniform" and values[0] <= 0:
            raise ValueError(f"log_uniform: low is {values[0]:g}; expected more than 0")
        if name == "normal" and values[1] < 0:
            raise ValueError(f"normal: sigma is {values[1]:g}; expected 0 or more")
        return self

    @classmethod
    def describes(cls, value: object) -> bool:
        """Whether an option of a part is written as a distribution."""
        return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _NAMES

    @classmethod
    def parse(cls, value: object, where: str) -> Self:
        """Read a value.

        Raises:
            InputError: It is neither a number nor a distribution; the text begins with `where`.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise InputError(f"{where}={value}: {message}") from error

    @property
    def ends(self) -> tuple[float, ...]:
        """The values that must be valid for all to be: the ends, or every choice."""
        if isinstance(self.root, float):
            return (self.root,)
        name, values = next(iter(self.root.items()))
        if name == "normal":
            reach = _NORMAL_REACH * values[1]
            return (values[0] - reach, values[0] + reach)
        return tuple(values)

    @property
    def varies(self) -> bool:
        """Whether it is a distribution, be it of one value."""
        return not isinstance(self.root, float)

    @property
    def inside(self) -> float:
        """A value between the ends that is no round number, where it may take any."""
        if isinstance(self.root, float) or "choice" in self.root:
            return self.ends[0]
        low, high = self.ends
        return low + 0.381966 * (high - low)

    @property
    def middle(self) -> float:
        """The value in the middle of what it takes: the median, of a choice one of its values."""
        if isinstance(self.root, float):
            return self.root
        name, values = next(iter(self.root.items()))
        if name == "choice":
            return sorted(values)[len(values) // 2]
        if name == "normal":
            return values[0]
        low, high = values
        return float(np.sqrt(low * high)) if name == "log_uniform" else (low + high) / 2

    @property
    def choices(self) -> tuple[float, ...] | None:
        """The values that it takes, in rising order, or `None` where it takes any in a range."""
        if isinstance(self.root, float):
            return (self.root,)
        name, values = next(iter(self.root.items()))
        return tuple(sorted(set(values))) if name == "choice" else None

    def draw(self, rng: np.random.Generator) -> float:
        """One value. A fixed number uses no randomness."""
        if isinstance(self.root, float):
            return self.root
        name, values = next(iter(self.root.items()))
        if name == "uniform":
            return float(rng.uniform(values[0], values[1]))
        if name == "log_uniform":
            return float(np.exp(rng.uniform(np.log(values[0]), np.log(values[1]))))
        if name == "normal":
            deviate = min(max(rng.standard_normal(), -_NORMAL_REACH), _NORMAL_REACH)
            return float(values[0] + values[1] * deviate)
        # What rng.choice draws, a third as slow.
        return float(values[int(rng.integers(len(values)))])

    def quantiles(self, shares: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
        """The values that these shares of all draws, from 0 to 1, stay below."""
        if isinstance(self.root, float):
            return np.full(len(shares), self.root)
        name, values = next(iter(self.root.items()))
        if name == "choice":
            places = np.minimum(np.floor(shares * len(values)), len(values) - 1)
            return np.array([values[int(place)] for place in places])
        low, high = values
        if name == "uniform":
            return np.asarray(low + (high - low) * shares)
        if name == "log_uniform":
            return np.asarray(low * (high / low) ** shares)
        reached = np.clip(ndtri(shares), -_NORMAL_REACH, _NORMAL_REACH)
        return np.asarray(low + high * reached)


def at_least(quantity: Quantity, least: float, name: str) -> None:
    """Raise ValueError if a quantity can fall below `least`."""
    low = min(quantity.ends)
    if low < least:
        raise ValueError(f"{name} is {low:g}; expected {least:g} or more")


def at_most(quantity: Quantity, greatest: float, name: str) -> None:
    """Raise ValueError if a quantity can exceed `greatest`."""
    high = max(quantity.ends)
    if high > greatest:
        raise ValueError(f"{name} reaches {high:g}; expected {greatest:g} or less")


def between(quantity: Quantity, greatest: float, name: str) -> None:
    """Raise ValueError if a quantity can go beyond ± `greatest`."""
    at_least(quantity, -greatest, name)
    at_most(quantity, greatest, name)


def above(quantity: Quantity, limit: float, name: str) -> None:
    """Raise ValueError if a quantity is not always above `limit`."""
    low = min(quantity.ends)
    if low <= limit:
        raise ValueError(f"{name} is {low:g}; expected more than {limit:g}")
