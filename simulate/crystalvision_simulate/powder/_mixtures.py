"""Several phases in one powder: which, and how much of each."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float
from pydantic import Field, model_validator

from crystalvision.config import Config
from crystalvision_simulate.recipes import Quantity

FRACTIONS = "fractions"
"""The column of what share by weight of a powder each phase has."""
_MOST = 8


class MixtureSettings(Config):
    """Powders of several phases.

    Attributes:
        phases: How many there are: `{choice: [1, 2, 3]}`.
        least_fraction: Share by weight that each of them has at least; what is left is shared out
            evenly over all that is possible.
    """

    phases: Quantity = Quantity({"choice": [1, 2, 3]})
    least_fraction: float = Field(default=0.1, gt=0, lt=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        counts = self.phases.choices
        if counts is None or any(one != int(one) or not 1 <= one <= _MOST for one in counts):
            raise ValueError(
                f"phases is {self.phases.root}; expected whole numbers from 1 to {_MOST}, such as "
                "{choice: [1, 2, 3]}"
            )
        if self.least_fraction * max(counts) > 1:
            raise ValueError(
                f"least_fraction is {self.least_fraction:g}, more than {max(counts):g} phases can "
                "have each"
            )
        return self


@dataclass(frozen=True, slots=True)
class Mixture:
    """A powder.

    Attributes:
        phases: Places of its phases among the candidates, (p,).
        weights: Their shares by weight, (p,).
    """

    phases: tuple[int, ...]
    weights: Float[np.ndarray, "p"]

    def volumes(self, densities: Float[np.ndarray, "n"]) -> Float[np.ndarray, "p"]:
        """Their shares by volume, (p,).

        Args:
            densities: Of all candidates, in one unit, (n,).
        """
        volumes = self.weights / densities[list(self.phases)]
        return np.asarray(volumes / volumes.sum())


def draw_mixture(
    settings: MixtureSettings, first: int, count: int, rng: np.random.Generator
) -> Mixture:
    """A powder of a phase and others.

    Args:
        settings: How many phases, and how much of each at least.
        first: Place of the phase that is there in any case.
        count: Number of candidates.
        rng: Draws the others, and the shares.
    """
    phases = min(int(settings.phases.draw(rng)), count)
    others = rng.choice(count - 1, size=phases - 1, replace=False)
    places = (first, *(int(one) + (one >= first) for one in others))
    rest = 1 - settings.least_fraction * phases
    weights = settings.least_fraction + rest * rng.dirichlet(np.ones(phases))
    return Mixture(places, weights)
