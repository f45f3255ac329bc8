"""What is left of a measured pattern when a source has fitted what it would be of a candidate."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True, eq=False)
class RefinedPart:
    """One of the things that a pattern is taken to show.

    Attributes:
        candidate: Name of its class.
        weight_fraction: Its share by weight of all that is shown.
        parameters: What was fitted, by name with its unit.
        calculated: What it adds to the pattern, (c, *grid).
        marks: Where its reflections lie on the first axis [units of the axis], (m,).
        at_bounds: Names of parameters at an end of what a fit allows: no best values.
    """

    candidate: str
    weight_fraction: float
    parameters: Mapping[str, float]
    calculated: Float[np.ndarray, "c *grid"]
    marks: Float[np.ndarray, "m"]
    at_bounds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Refinement:
    """A measured pattern as one candidate, or a few together, explain it.

    Attributes:
        parts: What it shows, the greatest share first.
        residual: Weighted profile residual R_wp: the root of the weighted squares of what is left,
            over those of the pattern.
        misfit: Weighted squares of what is left, over those that the best background alone leaves:
            0 where all is explained, 1 where nothing is.
        parameters: What was fitted and belongs to no part, by name with its unit.
        calculated: All of it, with the background, (c, *grid).
        background: (c, *grid).
        at_bounds: As of a part, of `parameters`.
    """

    parts: tuple[RefinedPart, ...]
    residual: float
    misfit: float
    parameters: Mapping[str, float]
    calculated: Float[np.ndarray, "c *grid"]
    background: Float[np.ndarray, "c *grid"]
    at_bounds: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Classes of its parts."""
        return tuple(part.candidate for part in self.parts)
