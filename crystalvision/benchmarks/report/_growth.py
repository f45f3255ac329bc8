"""The score along something: the size of the training data, or a column of the test data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np

from crystalvision.benchmarks.report._lines import Difference, Table, tested
from crystalvision.benchmarks.report._statistics import Estimate, holm

_UNITS = {
    "electrons": "electrons a pattern",
    "inv_angstrom": "1/Å",
    "angstrom": "Å",
    "mrad": "mrad",
    "deg": "°",
    "kev": "keV",
    "kelvin": "K",
    "px": "px",
}


@dataclass(frozen=True, slots=True)
class Curve:
    """Score of a system along something.

    Attributes:
        system: Its name in the suite.
        title: What tables call it.
        points: Score by place, ascending.
    """

    system: str
    title: str
    points: dict[float, Estimate]


@dataclass(frozen=True, slots=True)
class Step:
    """What the last enlargement of the training data gave a system.

    Attributes:
        title: What tables call it.
        before: Patterns to train on, before.
        after: After.
        difference: Of the scores, on the same patterns and seeds, its p-value corrected for all
            systems that are enlarged together.
    """

    title: str
    before: int
    after: int
    difference: Difference

    @property
    def per_doubling(self) -> Estimate:
        """Difference for each doubling of the training data."""
        return self.difference.estimate.scaled(1 / log2(self.after / self.before))


def label_of(column: str) -> str:
    """What an axis says of a column, such as `dose [electrons a pattern]`."""
    for suffix, unit in _UNITS.items():
        if column.endswith(f"_{suffix}"):
            return f"{column.removesuffix(f'_{suffix}').replace('_', ' ')} [{unit}]"
    return column.replace("_", " ")


def size_groups(tables: Sequence[Table]) -> list[list[Table]]:
    """Tables that differ in the size of the training data only, by size; at least two each."""
    groups: dict[tuple[str, str], list[Table]] = {}
    for table in tables:
        key = (table.comparison.trained_on, table.comparison.tested_on)
        groups.setdefault(key, []).append(table)
    several = (group for group in groups.values() if len(group) > 1)
    return [sorted(group, key=lambda table: table.comparison.train_patterns) for group in several]


def size_curves(group: Sequence[Table]) -> list[Curve]:
    """Score of each system by the number of patterns that it was trained on."""
    found: dict[str, Curve] = {}
    for table in group:
        for line in table.judged:
            curve = found.setdefault(line.system, Curve(line.system, line.title, {}))
            if line.score is not None:
                curve.points[table.comparison.train_patterns] = line.score
    return list(found.values())


def last_steps(group: Sequence[Table]) -> list[Step]:
    """What the last enlargement gave each system that has both sizes."""
    before, after = (table.comparison for table in group[-2:])
    steps = []
    for line in group[-1].judged:
        seeds = sorted(set(before.seeds(line.system)) & set(after.seeds(line.system)))
        if not seeds or not np.array_equal(before.index, after.index):
            continue
        gain = after.scores(line.system, seeds) - before.scores(line.system, seeds)
        step = Step(
            line.title,
            before.train_patterns,
            after.train_patterns,
            tested(after.resampling, after.score, gain),
        )
        steps.append(step)
    corrected = holm([step.difference.p for step in steps])
    return [
        replace(step, difference=replace(step.difference, corrected=p))
        for step, p in zip(steps, corrected, strict=True)
    ]


def by_curves(table: Table) -> list[Curve]:
    """Score of each system by the suite's `by` column, or nothing where there is none."""
    comparison = table.comparison
    if comparison.values is None:
        return []
    curves = [Curve(line.system, line.title, {}) for line in table.judged]
    for value in np.unique(comparison.values).tolist():
        chosen = np.flatnonzero(comparison.values == value)
        resampling = comparison.resampling.part(chosen)
        for curve in curves:
            curve.points[value] = resampling.mean(comparison.scores(curve.system)[chosen])
    return curves
