"""How well the classes of a source's patterns can be told apart at all."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from crystalvision.config import Config
from crystalvision.errors import InputError
from crystalvision.json_text import validate_json
from crystalvision.small_files import read_small
from crystalvision.storage import Destination, disk_errors, whole_file

Share = Annotated[float, Field(ge=0, le=1)]


class BoundPoint(Config):
    """The bound for one value of a column, or for all patterns as they are drawn.

    Intervals are percentile bootstrap intervals at 95 % that draw patterns' nuisances.

    Attributes:
        value: Of the column; `None` where the bound is about all patterns.
        upper: No classifier of the patterns has a greater accuracy in expectation.
        upper_low: Lower end of its interval.
        upper_high: Upper end.
        informed: Accuracy of a reference that is told as much of the nuisance, but not the
            specimen; `None` where there is none. The best accuracy of who is told this of the
            nuisance lies between it and `upper`.
        informed_low: Lower end of its interval.
        informed_high: Upper end.
        confusion: Of the reference: share of each true class (rows) that it takes for each class.
    """

    value: float | None = None
    upper: Share
    upper_low: Share
    upper_high: Share
    informed: Share | None = None
    informed_low: Share | None = None
    informed_high: Share | None = None
    confusion: tuple[tuple[Share, ...], ...] | None = None

    @model_validator(mode="after")
    def _intervals_hold_their_value(self) -> Self:
        if not self.upper_low <= self.upper <= self.upper_high:
            raise ValueError(f"upper {self.upper:g} is not within its interval")
        informed = (self.informed_low, self.informed, self.informed_high)
        given = [number for number in informed if number is not None]
        if len(given) not in {0, 3} or given != sorted(given):
            raise ValueError(f"informed {self.informed} is not within its interval")
        return self


class AccuracyBound(Config):
    """An upper bound of the accuracy on the patterns of a recipe.

    Attributes:
        column: What the points are about, such as `dose_electrons`; empty for all patterns as the
            recipe draws them.
        points: The bound, value by value.
        patterns: Draws of the nuisance behind each point.
        specimens: Specimens of each class, for each draw.
        untold: Columns of the nuisance that who judges is not told.
        parts: But for in which of so many equally probable parts of its range each of them lies.
        seed: Drew them.
        class_names: The classes.
        class_shares: Their shares of the patterns; the greatest is the accuracy of who sees
            nothing.
        assumptions: What the bound rests on, a sentence or two each.
        recipe: Name of the recipe.
        recipe_sha256: What tells its content from that of others, but for number and seed of the
            samples.
        seconds: Time that it took [s].
    """

    column: str = ""
    points: Annotated[tuple[BoundPoint, ...], Field(min_length=1)]
    patterns: Annotated[int, Field(ge=1)]
    specimens: Annotated[int, Field(ge=1)]
    untold: tuple[str, ...] = ()
    parts: Annotated[int, Field(ge=1)] = 1
    seed: Annotated[int, Field(ge=0)] = 0
    class_names: Annotated[tuple[str, ...], Field(min_length=2)]
    class_shares: tuple[Share, ...]
    assumptions: tuple[str, ...] = ()
    recipe: str
    recipe_sha256: str
    seconds: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _points_are_about_the_column(self) -> Self:
        if len(self.class_shares) != len(self.class_names):
            raise ValueError(
                f"{len(self.class_shares)} class_shares for {len(self.class_names)} classes"
            )
        if not self.column and (len(self.points) > 1 or self.points[0].value is not None):
            raise ValueError("without a column there is one point, and it has no value")
        if self.column and any(point.value is None for point in self.points):
            raise ValueError(f"a point has no value of the column {self.column}")
        return self

    def save(self, to: Path | Destination) -> None:
        """Write it as JSON, whole or not at all, in place of what is there now, or was there then.

        Raises:
            TakenError: Something else appeared at the destination after it was looked at.
            StorageError: The disk refuses.
        """
        with whole_file(to, overwrite=True) as partial:
            partial.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: There is no such file, or it holds no bound.
            StorageError: The disk refuses.
        """
        if not path.is_file():
            raise InputError(f"{path}: no such file; expected what `crystalvision bound -o` writes")
        with disk_errors(path, "read"):
            content = read_small(path)
        try:
            return validate_json(cls, content)
        except ValidationError as error:
            raise InputError(f"{path}: holds no bound: {_first(error.errors()[0])}") from error
        except ValueError as error:
            raise InputError(f"{path}: holds no bound: {error}") from error


def _first(problem: Any) -> str:
    """What is wrong, in a line."""
    where = ".".join(map(str, problem["loc"]))
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
