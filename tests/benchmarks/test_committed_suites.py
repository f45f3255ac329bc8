"""Committed results of suites are what their runs' files say."""

import csv
import re
from pathlib import Path

import pytest

from crystalvision.benchmark import ResultRow, collect
from crystalvision.plugins import Catalogue

SUITES = Path(__file__).parents[2] / "benchmarks" / "results" / "suites"


@pytest.fixture(scope="module", params=sorted(path.name for path in SUITES.glob("*")))
def folder(request: pytest.FixtureRequest) -> Path:
    return SUITES / request.param


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_can_be_computed_again_from_the_runs(folder):
    kept = [{key: text for key, text in row.items() if text} for row in rows_of(folder)]
    assert collect(folder, Catalogue.load()) == [ResultRow.model_validate(row) for row in kept]


def test_accuracies_are_those_of_the_predictions(folder):
    judged = [row for row in rows_of(folder) if row["accuracy"] and not row["by"]]
    assert judged
    for row in judged:
        path = folder / row["run"] / "evaluations" / row["evaluation"] / "predictions.csv"
        with path.open(newline="", encoding="utf-8") as file:
            right = [line["label"] == line["predicted"] for line in csv.DictReader(file)]
        assert len(right) == int(row["patterns"])
        assert sum(right) / len(right) == pytest.approx(float(row["accuracy"]), abs=1e-6)


def test_no_path_of_the_machine_that_ran_it_is_told(folder):
    for path in [*folder.glob("*.json"), *folder.glob("runs/*/*/run.yaml"), folder / "suite.yaml"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""(?m)(^|[\s"'=])/\w+/""", text), path
