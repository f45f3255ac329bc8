"""Confidence intervals: Wilson's of proportions, and from resampling of everything else."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from crystalvision.config import Config
from crystalvision.contracts import Ends, EvaluatedEstimates, Task, origin_of
from crystalvision.errors import InputError, PluginError
from crystalvision.evaluation._proportions import LEVEL, proportion_interval

RESAMPLES = 1000
_NUMBERS_AT_ONCE = 2_000_000  # of a block of weights, which keeps it within tens of megabytes


class Intervals(Config):
    """Intervals of what an evaluation says of one target.

    Proportions, such as accuracy, precision and recall, have Wilson's interval, and what follows
    from a proportion that of it: the task says which they are. Everything else has a percentile
    bootstrap interval (Efron & Tibshirani 1993, chapter 13). Where every resample is the same, as
    when every pattern is told rightly, resampling sees no doubt; an interval of no width would
    claim what so many patterns cannot show. Then the metric has the interval that the task knows
    for this case, or none.

    What is independent is the specimen: patterns of one specimen resemble each other, and intervals
    that take them one by one would be too narrow. Where each pattern shows a specimen of its own,
    that is the pattern. The intervals cover the choice of what was judged, not that of the
    training.

    Attributes:
        level: Confidence.
        resamples: How many resamples there were.
        seed: What drew them.
        unit: What was drawn.
        units: How many of them there are.
        values: Lower and upper end by metric, such as `accuracy` and `recall.pristine`; `None`
            where too few resamples define the metric, or all are the same.
        all_the_same: Metrics that have no interval because every resample is the same.
    """

    level: float
    resamples: int
    seed: int
    unit: Literal["pattern", "specimen"]
    units: int
    values: dict[str, Ends | None]
    all_the_same: tuple[str, ...] = ()

    def of(self, name: str) -> Ends | None:
        """The interval of a metric, or `None`."""
        return self.values.get(name)


def intervals_of(
    task: Task,
    judged: EvaluatedEstimates,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Intervals:
    """Intervals of every metric of a target.

    Args:
        task: What judges it.
        judged: The estimates.
        resamples: How many to draw.
        level: Confidence of an interval.
        seed: Draws them.

    Raises:
        InputError: No patterns, fewer than two resamples, or a level outside (0, 1).
        PluginError: The task does not give a number for each resample.
    """
    _check(len(judged), resamples, level)
    numbers, unit_of = np.unique(judged.specimen, return_inverse=True)
    ends = _bootstrap(task, judged, unit_of, resamples, level, seed)
    same = {name for name, each in ends.items() if each is not None and _is_point(each)}
    for name, share in task.proportions(judged).items():
        found = proportion_interval(share.hit, share.counted, unit_of, level)
        ends[name] = found and (share.metric(found[0]), share.metric(found[1]))
    ends |= task.without_doubt(judged, same, ends, level)
    left = tuple(name for name, each in ends.items() if each is not None and _is_point(each))
    return Intervals(
        level=level,
        resamples=resamples,
        seed=seed,
        unit="pattern" if len(numbers) == len(judged) else "specimen",
        units=len(numbers),
        values={name: None if name in left else each for name, each in ends.items()},
        all_the_same=left,
    )


def share_interval(hit: Bool[np.ndarray, "n"], specimen: Int[np.ndarray, "n"]) -> Ends | None:
    """Interval of the share of samples that are hits, (n,)."""
    unit = np.unique(specimen, return_inverse=True)[1]
    return proportion_interval(hit, np.ones(len(hit), dtype=bool), unit)


def _bootstrap(
    task: Task,
    judged: EvaluatedEstimates,
    unit_of: Int[np.ndarray, "n"],
    resamples: int,
    level: float,
    seed: int,
) -> dict[str, Ends | None]:
    """Percentiles of what the task says of resamples, drawn in blocks."""
    units, rng = int(unit_of.max()) + 1, np.random.default_rng(seed)
    found: dict[str, list[np.ndarray]] = {}
    block = max(1, min(resamples, _NUMBERS_AT_ONCE // len(judged)))
    for start in range(0, resamples, block):
        weights = _draw(rng, min(block, resamples - start), units)[:, unit_of]
        for name, values in task.resampled(judged, weights).items():
            if np.shape(values) != (len(weights),):
                raise PluginError(
                    f"the {origin_of(task, 'task')}, in resampled, gave '{name}' of shape "
                    f"{np.shape(values)}; expected ({len(weights)},), a number for each resample"
                )
            found.setdefault(name, []).append(np.asarray(values))
    return {name: _ends(np.concatenate(parts), level) for name, parts in found.items()}


def _is_point(ends: Ends) -> bool:
    """Whether an interval has no width, but for rounding."""
    return ends[1] - ends[0] <= 1e-9 * max(1.0, abs(ends[0]))


def _check(patterns: int, resamples: int, level: float) -> None:
    if not patterns:
        raise InputError("there are no predictions to judge")
    if resamples < 2:
        raise InputError(f"resamples={resamples}: an interval needs at least 2, better 1000")
    if not 0 < level < 1:
        raise InputError(f"level={level}: expected a share between 0 and 1, such as 0.95")


def _draw(rng: np.random.Generator, resamples: int, units: int) -> Float[np.ndarray, "r u"]:
    """How often each resample drew each unit."""
    drawn = rng.integers(units, size=(resamples, units)) + units * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * units)
    return counts.reshape(resamples, units).astype(np.float64)


def _ends(values: Float[np.ndarray, "r"], level: float) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    if len(known) < 0.5 * len(values):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
