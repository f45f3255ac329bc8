"""Between a rendered pattern and the numbers that are stored: instruments."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from crystalvision.contracts._axes import Axis
from crystalvision.contracts._recorded import Recorded
from crystalvision.contracts._recording import Recording
from crystalvision.contracts._simulation import Cost, Measure, Pattern, Quantity


class Instrument(ABC):
    """Records patterns: from what a renderer gives to the numbers that a dataset stores.

    One is made for each sample that draws other numbers for its options, so an instrument knows
    nothing of distributions; what it is made with may change neither its axes nor its `dtype`.

    Attributes:
        records: What of a renderer it can record.
        dtype: numpy's name of the type of its counts.
        masks: Whether its recordings say where it could see.
        option_columns: Columns for its options, by option: kept of every sample unless the option
            is zero, and drawn in this order from the stream that all classes share. What else of
            its options is drawn has a seed of its own, and the column `INSTRUMENT_OPTION`.
        caveats: What whoever uses its recordings must know, a sentence or two each.
    """

    records: ClassVar[tuple[Quantity, ...]] = ("fraction", "intensity")
    dtype: str = "float32"
    masks: bool = False
    option_columns: Mapping[str, Measure] = {}
    caveats: tuple[str, ...] = ()

    @property
    def recorded(self) -> Recorded:
        """How it records, as far as its options say that; by default nothing is stated.

        An energy or a wavelength that is stated here is that of the patterns, whatever the beam of
        a recipe is.
        """
        return Recorded()

    @abstractmethod
    def axes(self, axes: tuple[Axis, ...], band_limit: float) -> tuple[Axis, ...]:
        """Axes of what it records; asked before work starts.

        Args:
            axes: Those of the renderer's patterns. An instrument with a grid of its own needs them
                only to refuse what it cannot see.
            band_limit: How far from zero the patterns are exact [units of the axes].

        Raises:
            InputError: It cannot record such patterns, or reaches beyond what they hold.
        """

    def project(self, pattern: Pattern) -> Pattern:
        """A pattern as it falls on the instrument's axes, without noise; by default as it is.

        Computed where the pattern is, and in its precision.
        """
        return pattern

    @abstractmethod
    def measure(self, projected: Pattern, rng: np.random.Generator) -> Recording:
        """Record a pattern that `project` gave.

        Args:
            projected: The pattern on the instrument's axes; not changed.
            rng: Draws what is random.
        """

    @classmethod
    def project_together(
        cls, instruments: Sequence[Self], patterns: Sequence[Pattern]
    ) -> list[Pattern]:
        """`project` for many patterns, each by its own instrument; faster where a class can."""
        return [one.project(each) for one, each in zip(instruments, patterns, strict=True)]

    @classmethod
    def measure_together(
        cls,
        instruments: Sequence[Self],
        projected: Sequence[Pattern],
        rngs: Sequence[np.random.Generator],
    ) -> list[Recording]:
        """`measure` for many patterns, each by its own instrument; faster where a class can."""
        return [
            one.measure(each, rng)
            for one, each, rng in zip(instruments, projected, rngs, strict=True)
        ]

    @classmethod
    def note(
        cls,
        instruments: Sequence[Self],
        projected: Sequence[Pattern],
        recordings: Sequence[Recording],
    ) -> str:
        """What to know of some recordings, such as that pixels are full; empty for nothing."""
        del instruments, projected, recordings
        return ""

    def cost(self, width_angstrom: float) -> Cost | None:
        """What recording one pattern takes, from the width of the specimen alone [Å].

        `None`, the default: unknown, and taken for nothing.
        """
        del width_angstrom
        return None
