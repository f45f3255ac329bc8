"""Committed results of suites are what is kept of their runs."""

import csv
import re
import shutil
from importlib import import_module
from pathlib import Path
from runpy import run_path

import pandas as pd
import pytest

from crystalvision.benchmarks import BenchmarkFolder, collect, load_suite, write_table
from crystalvision.benchmarks._experiments import with_experiments
from crystalvision.benchmarks._rows import column_of
from crystalvision.benchmarks.report._load import load_benchmark
from crystalvision.benchmarks.report._markdown import render_markdown
from crystalvision.benchmarks.report._results import find_results
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SUITES = BENCHMARKS / "results" / "suites"


@pytest.fixture(
    scope="module",
    params=[
        "fusion-quick",
        "backbones-quick",
        "backbones-hour",
        "training-size-quick",
        "dose-quick",
        "generalise-quick",
        "sadp-quick",
    ],
)
def folder(request: pytest.FixtureRequest) -> Path:
    return SUITES / request.param


@pytest.fixture
def keep(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return import_module("keep").keep


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_can_be_computed_again(folder, tmp_path):
    write_table(collect(folder, Catalogue.load()), tmp_path)
    assert (tmp_path / "results.csv").read_bytes() == (folder / "results.csv").read_bytes()


def test_tables_for_a_paper_can_be_drawn_again(folder):
    results = find_results(load_benchmark(folder))
    assert (folder / "results.md").read_text(encoding="utf-8") == render_markdown(results)


def test_it_is_the_suite_that_is_shipped(folder):
    kept, catalogue = BenchmarkFolder(folder).read_suite(), Catalogue.load()
    suite = load_suite(catalogue.path("suite", kept.name), kept.budget)
    shipped = with_experiments(suite, catalogue)
    words = {"title", "description", "published", "claims"}
    assert kept.model_dump(exclude=words) == shipped.model_dump(exclude=words)


def test_the_guide_shows_the_figures_that_are_kept():
    kept = {path.read_bytes() for path in SUITES.glob("*/figures/*.svg")}
    shown = list((BENCHMARKS.parent / "docs/images").glob("benchmark-*.svg"))
    assert shown
    assert all(path.read_bytes() in kept for path in shown)


def test_the_guide_has_the_table_of_the_selected_area_study():
    docs = BENCHMARKS.parent / "docs"
    script = run_path(str(docs / "images/selected-area-results.py"))
    table = script["markdown"](script["read"]())
    assert table.count("\n") > 30
    assert table in (docs / "selected-area.md").read_text(encoding="utf-8")


def test_numbers_are_those_of_the_predictions(folder):
    predictions = pd.read_parquet(folder / "predictions.parquet")
    groups = dict(iter(predictions.groupby(["run", "evaluation"], observed=True)))
    target = BenchmarkFolder(folder).read_suite().target or "label"
    score = column_of(target, "accuracy")
    judged = [row for row in rows_of(folder) if row[score] and not row["by"]]
    assert judged
    assert len(groups) == len(judged)
    for row in judged:
        told = groups[row["run"], row["evaluation"]]
        assert len(told) == int(row["patterns"])
        right = (told[target] == told[f"{target}_predicted"]).mean()
        assert right == pytest.approx(float(row[score]), abs=1e-6)
        if row["severity_mae"]:
            error = (told["severity_predicted"] - told["severity"]).abs().mean()
            assert error == pytest.approx(float(row["severity_mae"]), abs=1e-6)


def test_its_files_are_a_handful(folder):
    """But for a figure of each curve, and what the patterns of each test show: kilobytes."""
    suite = BenchmarkFolder(folder).read_suite()
    files = [path for path in folder.rglob("*") if path.is_file()]
    of_tests = [path for path in files if path.parent.name == "datasets"]
    assert len(files) - len(of_tests) <= 12 + len(suite.curves)
    assert len(of_tests) <= len(suite.datasets)
    assert sum(path.stat().st_size for path in of_tests) <= 100_000


def test_no_path_of_the_machine_that_ran_it_is_told(folder):
    for path in [*folder.glob("*.json*"), *folder.glob("*.yaml")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""(?m)(^|[\s"'=])/\w+/""", text), path


def test_keeping_deletes_nothing_that_is_no_copy(keep, tmp_path):
    thesis = tmp_path / "results"
    thesis.mkdir()
    (thesis / "thesis.tex").write_text("")
    done = shutil.copytree(SUITES / "fusion-quick", tmp_path / "done")
    (thesis / "suite.yaml").write_text("- Prélude\n- Sarabande\n")
    (thesis / "results.csv").write_text("")
    with pytest.raises(InputError, match=r"has no report\.html: end the benchmark with --resume"):
        keep(done, thesis)
    (done / "report.html").write_text("")
    with pytest.raises(InputError, match="exists and is no copy of a benchmark"):
        keep(done, thesis)
    assert list(thesis.iterdir())
    kept = keep(done, tmp_path / "deep/copy")
    for name in ("results.csv", "runs.jsonl", "predictions.parquet"):
        assert (kept / name).read_bytes() == (done / name).read_bytes()
    assert not (kept / "report.html").exists()
    (kept / "old").write_text("")
    assert keep(done, kept) == kept
    assert not (kept / "old").exists()
