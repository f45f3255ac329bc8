"""Published numbers beside ours: as printed, and recomputed from the printed confusion matrix."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict

from crystalvision.benchmarks.report._lines import Line, Table
from crystalvision.benchmarks.report._load import LoadedBenchmark
from crystalvision.config import load_yaml, validate

MEASURES = {
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "precision": "precision",
    "f1": "macro F1",
    "quadratic_kappa": "quadratic kappa",
}
"""Measures of the table, and what it calls them."""


class PublishedSystem(BaseModel):
    """One system of a publication; further keys are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    printed: dict[str, float] = {}
    confusion: tuple[tuple[int, ...], ...] | None = None
    number_of_classes: int | None = None

    @property
    def recomputed(self) -> dict[str, float]:
        """Measures of the printed confusion matrix; none without one."""
        return {} if self.confusion is None else measures_of(np.array(self.confusion))


class PublishedTest(BaseModel):
    """One test of a publication; further keys are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    defect: str
    crystal: str = ""
    accuracy: float | str = ""

    @property
    def title(self) -> str:
        """What the row is called."""
        return f"{self.crystal}: {self.defect}" if self.crystal else self.defect

    @property
    def printed(self) -> str:
        """What was printed of it."""
        return self.accuracy if isinstance(self.accuracy, str) else f"{self.accuracy:.3f}"


class Published(BaseModel):
    """A publication's results; further keys are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    source: str
    data: str = ""
    systems: dict[str, PublishedSystem] = {}
    tests: dict[str, PublishedTest] = {}


@dataclass(frozen=True, slots=True)
class PublishedLine:
    """A row of the table.

    Attributes:
        name: The system, in the publication's or the suite's words.
        origin: `printed`, `recomputed` or `ours`.
        measures: By name; `None` where there is no number.
    """

    name: str
    origin: str
    measures: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """Published numbers beside ours.

    Attributes:
        source: The publication.
        data: How its data differ from ours, in a sentence.
        lines: Rows, those of one system together.
        tested: The test that our numbers are of.
        widest: Largest distance of a printed accuracy from the recomputed one; `None` for none.
        totals: Sums of the printed confusion matrices, ascending.
    """

    source: str
    data: str
    lines: tuple[PublishedLine, ...]
    tested: str
    widest: float | None
    totals: tuple[int, ...]


def load_published(benchmark: LoadedBenchmark) -> Published | None:
    """The publication that a benchmark's folder holds, if any.

    Raises:
        InputError: The file is not what it should be.
    """
    path = _find(benchmark)
    return None if path is None else validate(Published, load_yaml(path), str(path))


def published_table(
    benchmark: LoadedBenchmark, table: Table, published: Published
) -> PublishedTable:
    """The published systems, each with the suite's systems that stand for it."""
    lines: list[PublishedLine] = []
    for name, system in published.systems.items():
        shown_name = name if system.number_of_classes is None else _with_classes(name, system)
        lines.append(PublishedLine(shown_name, "printed", _known(system.printed)))
        if system.recomputed:
            lines.append(PublishedLine(shown_name, "recomputed", system.recomputed))
        lines += [
            PublishedLine(line.title, "ours", _ours(table, line))
            for line in table.judged
            if _stands_for(benchmark, line) == name
        ]
    matrices = [np.array(s.confusion) for s in published.systems.values() if s.confusion]
    distances = [
        abs(system.printed["accuracy"] - system.recomputed["accuracy"])
        for system in published.systems.values()
        if system.recomputed and "accuracy" in system.printed
    ]
    return PublishedTable(
        source=published.source,
        data=published.data,
        lines=tuple(lines),
        tested=table.comparison.name,
        widest=max(distances, default=None),
        totals=tuple(sorted({int(matrix.sum()) for matrix in matrices})),
    )


def measures_of(confusion: Float[np.ndarray, "k k"]) -> dict[str, float]:
    """Macro measures of a confusion matrix whose rows are actual classes, (k, k)."""
    counts = np.asarray(confusion, dtype=np.float64)
    total, right = counts.sum(), np.diag(counts)
    actual, given = counts.sum(axis=1), counts.sum(axis=0)
    classes = np.arange(len(counts))
    weight = (classes[:, None] - classes[None, :]) ** 2
    expected = np.outer(actual, given) / total
    return {
        "accuracy": float(right.sum() / total),
        "sensitivity": float((right / actual).mean()),
        "specificity": float(((total - actual - given + right) / (total - actual)).mean()),
        "precision": float((right / given).mean()),
        "f1": float((2 * right / (actual + given)).mean()),
        "quadratic_kappa": float(1 - (weight * counts).sum() / (weight * expected).sum()),
    }


def _find(benchmark: LoadedBenchmark) -> Path | None:
    """The file, which the benchmark's folder holds under its own name."""
    if benchmark.suite.published is None:
        return None
    path = benchmark.folder / Path(benchmark.suite.published).name
    return path if path.is_file() else None


def _with_classes(name: str, system: PublishedSystem) -> str:
    """Fewer classes are easier to tell, so the name says how many there were."""
    return f"{name} ({system.number_of_classes} classes)"


def _stands_for(benchmark: LoadedBenchmark, line: Line) -> str | None:
    return benchmark.suite.systems[line.system].published


def _known(printed: Mapping[str, float]) -> dict[str, float | None]:
    return {name: printed.get(name) for name in MEASURES}


def _ours(table: Table, line: Line) -> dict[str, float | None]:
    cells = table.comparison.cells[line.system]
    macro = {"sensitivity": "macro_recall", "precision": "macro_precision", "f1": "macro_f1"}
    macro["specificity"] = "macro_specificity"
    found: dict[str, float | None] = {}
    for name in MEASURES:
        values = [cell.number(macro.get(name, name)) for cell in cells]
        known = [value for value in values if value is not None]
        found[name] = float(np.mean(known)) if known else None
    return found
