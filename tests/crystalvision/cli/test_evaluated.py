"""What `evaluate` prints of classes that are too many for a matrix."""

import io

import pytest
from rich.console import Console

from crystalvision.cli._evaluated import _matrices, _table
from crystalvision.contracts import Target
from crystalvision.evaluation import Intervals, TargetMetrics
from crystalvision_tasks.classification import Classification

NAMES = tuple(f"phase {number}" for number in range(30))


@pytest.fixture
def evaluated():
    confusion = [[3 if row == column else 0 for column in range(30)] for row in range(30)]
    confusion[4][9] = 2
    metrics = {
        "accuracy": 0.9,
        "f1": dict.fromkeys(NAMES, 0.5),
        "confusion": confusion,
    }
    target = Target(name="label", task="classification", classes=NAMES)
    return TargetMetrics.model_construct(
        name="label",
        task="classification",
        units="1",
        target=target,
        classes=NAMES,
        metrics=metrics,
        intervals=Intervals.model_construct(values={}, all_the_same=()),
    )


def shown(table):
    text = io.StringIO()
    Console(file=text, width=120).print(table)
    return text.getvalue()


def test_numbers_of_single_classes_are_counted(evaluated):
    text = shown(_table(evaluated, Classification()))
    assert "accuracy" in text
    assert "phase 3" not in text
    assert "30 numbers of 30 classes" in text


def test_a_large_matrix_is_told_by_its_largest_mistakes(evaluated):
    (matrix,) = _matrices(evaluated)
    text = shown(matrix)
    assert "confusion: the largest numbers of different classes" in " ".join(text.split())
    (line,) = [each for each in text.splitlines() if "phase" in each]
    assert line.split() == ["phase", "4", "phase", "9", "2"]
