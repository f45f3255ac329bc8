"""What a suite says beforehand of its results: claims to be tested, curves to be drawn."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from crystalvision.config import Config


class Claim(Config):
    """Something that is said of systems, and is to be tested.

    Attributes:
        text: In words, such as "transfer helps the classifier".
        system: The system that is said to have the better score.
        than: The other, or the same.
        below: Instead of another system: a value that the score is said to stay below.
        metric: Another metric of each sample than the score, such as `top_5`.
        between: Two datasets that are trained on: what is said is that from the first to the
            second, `system` loses less than `than` does.
        trained_on: What the system was trained on, and
        tested_on: what it was tested on, where the claim is about that; patterns of all these tests
            count together.
        than_trained_on: What the other was trained on; by default the same.
        than_tested_on: What it was tested on, a test for each, or one for all; by default the same.
            Tests of equal `samples` and `seed` differ in nothing but what `set` says, so they are
            compared pattern by pattern.
        within: By how much the score of the system may be less for the claim to hold, a share.
    """

    text: str
    system: str
    than: str | None = None
    below: float | None = None
    metric: str = ""
    between: tuple[str, str] | None = None
    trained_on: str | None = None
    tested_on: tuple[str, ...] = ()
    than_trained_on: str | None = None
    than_tested_on: tuple[str, ...] = ()
    within: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.than is None) == (self.below is None):
            raise ValueError("give either `than`, another system, or `below`, a value")
        if self.between is not None and self.than is None:
            raise ValueError("`between` compares how two systems change: give `than`")
        if self.is_across and (self.than is None or self.metric or self.between):
            raise ValueError("`tested_on` compares scores with those of `than`, and no more")
        if bool(self.trained_on) != bool(self.tested_on):
            raise ValueError("give both `trained_on` and `tested_on`, or neither")
        others = (self.than_trained_on, self.than_tested_on, self.within)
        if any(others) and not self.is_across:
            raise ValueError("than_trained_on, than_tested_on and within need `trained_on`")
        if len(self.than_tested_on) not in {0, 1, len(self.tested_on)}:
            raise ValueError(
                f"than_tested_on has {len(self.than_tested_on)} tests; expected one, or "
                f"{len(self.tested_on)} as tested_on has"
            )
        return self

    @property
    def datasets(self) -> tuple[str, ...]:
        """All datasets that it names."""
        trained = filter(None, (self.trained_on, self.than_trained_on))
        return (*trained, *self.tested_on, *self.than_tested_on, *(self.between or ()))

    @property
    def is_across(self) -> bool:
        """Whether it names training and test data."""
        return bool(self.tested_on)

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that it is about."""
        return (self.system,) if self.than is None else (self.system, self.than)


class CurvePlan(Config):
    """A curve of the score over tests that differ in the degree of something.

    Attributes:
        title: What it is of.
        axis: What stands at the axis, with units.
        points: Degrees, each with the name of its test.
    """

    title: str
    axis: str
    points: Annotated[tuple[tuple[float, str], ...], Field(min_length=2)]
