"""The upper bound of the accuracy on a test, where it was estimated."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose

from crystalvision.benchmarks.report._load import LoadedBenchmark
from crystalvision.benchmarks.report._statistics import Estimate
from crystalvision.errors import InputError
from crystalvision.sources import AccuracyBound, BoundPoint


@dataclass(frozen=True, slots=True)
class Limit:
    """The bound of a test.

    Attributes:
        tested_on: Name of the dataset.
        stored: What was estimated.
        upper: Over all of the test: mean of the points.
        informed: The informed reference, likewise; `None` where it was not estimated.
    """

    tested_on: str
    stored: AccuracyBound
    upper: Estimate
    informed: Estimate | None

    def curve(self, by: str | None) -> list[BoundPoint]:
        """The points along a column, ascending; none where it was not estimated along it."""
        if not by or self.stored.column != by:
            return []
        known = [point for point in self.stored.points if point.value is not None]
        return sorted(known, key=lambda point: point.value or 0.0)


def upper_at(points: Sequence[BoundPoint], value: float) -> float | None:
    """The upper bound at a value, or `None`; columns may be of single precision."""
    for point in points:
        if point.value is not None and isclose(point.value, value, rel_tol=1e-6):
            return point.upper
    return None


def load_limits(benchmark: LoadedBenchmark) -> dict[str, Limit]:
    """The bounds of a benchmark, by name of the test dataset.

    Raises:
        InputError: A file is not what `crystalvision benchmark` writes.
    """
    found = {}
    for path in sorted((benchmark.folder / "bounds").glob("[!.]*.json")):
        try:
            stored = AccuracyBound.load(path)
        except InputError as error:
            raise InputError(f"{error}; delete it, and use --resume") from error
        found[path.stem] = _limit(path.stem, stored)
    return found


def _limit(tested_on: str, stored: AccuracyBound) -> Limit:
    points = stored.points
    upper = [Estimate(point.upper, point.upper_low, point.upper_high) for point in points]
    informed = [
        Estimate(point.informed, point.informed_low, point.informed_high)
        for point in points
        if point.informed is not None
        and point.informed_low is not None
        and point.informed_high is not None
    ]
    all_informed = len(informed) == len(points)
    return Limit(tested_on, stored, _mean(upper), _mean(informed) if all_informed else None)


def _mean(estimates: list[Estimate]) -> Estimate:
    """Mean of equal parts; the ends are means too, which is too wide rather than too narrow."""
    count = len(estimates)
    return Estimate(
        sum(each.value for each in estimates) / count,
        sum(each.low for each in estimates) / count,
        sum(each.high for each in estimates) / count,
    )
