"""What results need to know of the test patterns, kept so that they outlive the images.

Beside a test dataset lies a small table: a line for each pattern, with its specimen, where several
are of one, and its value in the suite's `by` column.
"""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.datasets import SPECIMEN, Dataset
from crystalvision.errors import InputError
from crystalvision.storage import write_text
from crystalvision.text import csv_reader, csv_writer

MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class PatternFacts:
    """What is known of the patterns of a test dataset, n of them.

    Attributes:
        specimen: Number of the specimen, (n,); `None` where each pattern has its own.
        values: Value in the suite's `by` column, (n,); `None` where the suite has none.
    """

    specimen: Int[np.ndarray, "n"] | None
    values: Float[np.ndarray, "n"] | None


def write_pattern_facts(place: BenchmarkFolder, name: str, by: str | None) -> None:
    """Write the table of a test dataset, if there is anything to say.

    Raises:
        InputError: The column has so many values that results one by one say nothing.
        StorageError: The disk refuses.
    """
    dataset = Dataset.open(place.test_data(name))
    columns: dict[str, list[int] | list[float]] = {}
    if SPECIMEN in dataset.header.columns:
        columns[SPECIMEN] = dataset.column(SPECIMEN).tolist()
    if by is not None:
        values = dataset.column(by).astype(np.float64)
        _check_values(values, f"{place.test_data(name)}: by={by!r}")
        columns[by] = values.tolist()
    if not columns:
        return
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(["index", *columns])
    writer.writerows(zip(range(dataset.header.samples), *columns.values(), strict=True))
    path = place.pattern_facts(name)
    if not path.is_file() or path.read_text(encoding="utf-8") != text.getvalue():
        write_text(path, text.getvalue())


def read_pattern_facts(place: BenchmarkFolder, name: str, by: str | None) -> PatternFacts:
    """Read the table of a test dataset.

    Raises:
        InputError: It is missing, or lacks the column.
    """
    path = place.pattern_facts(name)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv_reader(file).mappings()
        specimen = _column(lines, SPECIMEN)
        values = None if by is None else np.array([float(line[by]) for line in lines])
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is missing; crystalvision benchmark writes it: go on with --resume"
        ) from error
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path} is damaged ({error}); delete it, and go on with --resume"
        ) from error
    return PatternFacts(specimen, values)


def _check_values(values: Float[np.ndarray, "n"], where: str) -> None:
    distinct = len(np.unique(values))
    if distinct > MOST_VALUES:
        raise InputError(
            f"{where} has {distinct} values; expected a column of at most {MOST_VALUES}, such as "
            "one that the recipe draws by `choice`"
        )


def _column(lines: list[dict[str, str]], name: str) -> Int[np.ndarray, "n"] | None:
    if not lines or name not in lines[0]:
        return None
    return np.array([int(line[name]) for line in lines])
