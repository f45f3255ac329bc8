"""What the page of benchmarks shows of a kept suite."""

from pathlib import Path

import pytest

from crystalvision.api.session import Session
from crystalvision.errors import InputError
from crystalvision.explorer._opened import Opened
from crystalvision.explorer.benchmarks._figures import course_figure, points_figure
from crystalvision.explorer.benchmarks._found import Found
from crystalvision.explorer.benchmarks._page import BenchmarksPage
from crystalvision.explorer.tables import Cell, number_cell, sortable_table, text_cell
from crystalvision.explorer.workspace import Workspace

SUITES = Path(__file__).parents[3] / "benchmarks" / "results" / "suites"


@pytest.fixture(scope="module")
def found(catalogue):
    return Found(SUITES / "dose-quick", catalogue)


def test_every_system_has_its_score_with_interval_and_seeds(found):
    table = next(iter(found.tests.values()))
    points = found.points(table)
    assert len(points) == len(table.judged) > 2
    scores = [point.score for point in points]
    assert scores == sorted(scores, reverse=True)
    for point in points:
        assert point.low < point.score < point.high
        assert sum(point.seeds.values()) / len(point.seeds) == pytest.approx(point.score)


def test_rows_have_a_cell_for_each_heading(found):
    table = next(iter(found.tests.values()))
    headings, rows = found.headings(table), found.rows(table)
    assert headings[:3] == ["system", "accuracy", "95 % interval"]
    assert {len(row) for row in rows} == {len(headings)}
    assert sum("(reference)" in row[0].text for row in rows) == 1


def test_scores_go_along_the_dose(found):
    (course, *_) = found.courses()
    assert course.along == "dose [electrons a pattern]"
    assert course.logarithmic
    assert {len(curve.points) for curve in course.curves} == {7}


def test_scores_go_along_the_size_of_the_training_data(catalogue):
    courses = list(Found(SUITES / "training-size-quick", catalogue).courses())
    assert any(course.along == "patterns to train on" for course in courses)


def test_figures_say_what_is_pointed_at(found):
    table = next(iter(found.tests.values()))
    figure = points_figure(found.points(table), found.score)
    tips = [tip for tool in figure.tools if hasattr(tool, "tooltips") for tip in tool.tooltips]
    assert {"system", "test", "accuracy", "seeds", "seed"} <= {name for name, _ in tips}
    assert course_figure(next(found.courses()), found.score).renderers


def test_names_in_a_table_are_text_and_what_is_missing_goes_last():
    text = sortable_table("<b>", ["a"], [[text_cell("<script>")], [number_cell(None)]])
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert 'data-sort=""' in text
    assert number_cell(0.12345, ".3f") == Cell("0.123", 0.12345)


def test_a_folder_without_results_is_refused_in_a_line(catalogue, tmp_path):
    with pytest.raises(InputError, match="benchmark"):
        Found(tmp_path, catalogue)


def test_without_a_benchmark_the_page_says_how_to_open_one(catalogue):
    page = BenchmarksPage(Workspace(Session(catalogue), Opened()))
    assert "crystalvision explore FOLDER" in page._status.view.object
