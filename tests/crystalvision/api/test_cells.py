"""What is said of a cell of a benchmark that has ended."""

from types import SimpleNamespace

import pytest

from crystalvision.api import cells
from crystalvision.benchmarks import CellKey, Outcome

KEY = CellKey(system="network", dataset="ideal", size=400, seed=0)


@pytest.mark.parametrize("count", [2, 32])
def test_scores_of_few_tests_are_listed_and_the_span_of_many(tmp_path, monkeypatch, capsys, count):
    screen = cells.Screen(tmp_path)
    for number in range(count):
        (tmp_path / f"runs/network/ideal-400-seed0/evaluations/test-{number:02}").mkdir(
            parents=True
        )

    def load_metrics(path):
        value = 0.9 - int(path.name[5:]) / 100
        return SimpleNamespace(main=SimpleNamespace(metrics={"top_2": value}))

    monkeypatch.setattr(cells, "load_metrics", load_metrics)
    screen.cell_ended(KEY, Outcome(status="ok"))
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    said = {
        2: "top 2 0.900 on test-00, top 2 0.890 on test-01, ",
        32: "top 2 from 0.590 on test-31 to 0.900 on test-00, 32 tests, ",
    }
    assert f"network on 400 of ideal, seed 0: {said[count]}" in line
