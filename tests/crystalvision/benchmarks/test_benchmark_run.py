"""A whole benchmark: what is in its folder, and what becomes of cells that go wrong."""

import csv
import json
import shutil

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import crystalvision.evaluation
from crystalvision.benchmarks import BenchmarkFolder, ResultRow, cells_of, collect, keep_runs
from crystalvision.benchmarks._loop import Loop
from crystalvision.benchmarks.report import write_report
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.evaluation import load_metrics


@pytest.fixture(scope="module")
def whole(tmp_path_factory, bench, make_suite, make_watcher):
    """The tiny suite with one seed, run; tests that change it must copy it."""
    folder = tmp_path_factory.mktemp("whole") / "tiny"
    rows = bench({**make_suite(), "seeds": [0]}, folder, make_watcher())
    return folder, rows


def test_the_folder_holds_what_it_should(whole):
    folder, _ = whole
    suite = BenchmarkFolder(folder).read_suite()
    assert (suite.name, suite.budget, suite.seeds) == ("tiny", "quick", (0,))
    assert {path.name for path in (folder / "datasets").iterdir()} == {
        "rings-train.zarr",
        "rings-train-32.zarr",
        "rings-test.zarr",
        "rings-test.csv",
    }
    assert not (folder / "failures").exists()
    assert "torch" in json.loads((folder / "environment.json").read_text())
    for cell in cells_of(suite):
        assert load_metrics(folder / cell.key.folder / "evaluations" / "rings").samples == 48


def test_smaller_trainings_lie_within_larger_ones(whole):
    folder, _ = whole
    large, small = (
        Dataset.open(folder / "datasets" / f"rings-train{size}.zarr") for size in ("", "-32")
    )
    used = [
        {int(n) for part in ("train", "validation") for n in data.split(part)}
        for data in (large, small)
    ]
    assert (len(used[0]), len(used[1])) == (64, 32)
    assert used[1] < used[0]
    assert len(small.split("validation")) == 8  # the same share of fewer


def test_branches_that_begin_trained_stay_as_they_were(whole):
    folder, _ = whole
    fused, alone, largest = (
        load_file(folder / f"runs/{name}-seed0/weights.safetensors")
        for name in ("fused/rings-32", "alone/rings-32", "alone/rings-64")
    )
    for key, value in fused.items():
        if key.startswith("branches.classifier."):
            assert torch.equal(value, alone[key])
        if key.startswith("branches.regressor."):
            assert torch.equal(value, largest[key.replace("regressor", "classifier")])


def test_the_table_has_a_row_for_each_cell_and_each_dose(whole, rings):
    folder, rows = whole
    assert len(rows) == 4 * (1 + 3)
    assert [row.value for row in rows[:4]] == [None, 1, 3, 10]
    for total, *parts in (rows[start : start + 4] for start in range(0, 16, 4)):
        assert sum(part.patterns for part in parts) == total.patterns == 48
        for name in ("accuracy", "severity_mae", "severity_bias"):
            mean = sum(getattr(part, name) * part.patterns for part in parts) / 48
            assert mean == pytest.approx(getattr(total, name), abs=1e-6)
        metrics = load_metrics(folder / total.run / "evaluations" / total.evaluation)
        assert total.accuracy == metrics.targets["label"]["accuracy"]
        assert total.severity_mae == metrics.targets["severity"]["mae"]
        assert total.epoch_seconds is not None
    small = 4 * 16 + 4
    assert {row.parameters for row in rows if row.system == "alone"} == {small + 4 * 2 + 2}
    assert collect(folder, rings) == rows


def test_both_files_hold_the_table(whole):
    folder, rows = whole
    with (folder / "results.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    kept = [{key: text for key, text in line.items() if text} for line in lines]
    assert [ResultRow.model_validate(line) for line in kept] == rows
    frame = pd.read_parquet(folder / "results.parquet")
    assert list(frame.columns) == [name for name in ResultRow.model_fields if name != "others"]
    assert frame["accuracy"].tolist() == [row.accuracy for row in rows]
    assert frame["value"].dtype == "float64"


def test_what_is_kept_of_the_runs_gives_the_same_table(whole, rings, tmp_path):
    folder, rows = whole
    ignored = shutil.ignore_patterns("runs", "*.zarr", "report.html", "results.md")
    copy = shutil.copytree(folder, tmp_path / "copy", ignore=ignored)
    keep_runs(folder, rows, copy)
    kept = collect(copy, rings)
    assert kept == rows
    write_report(copy, rings)
    assert (copy / "results.md").read_bytes() == (folder / "results.md").read_bytes()
    lines = (copy / "runs.jsonl").read_text().splitlines(keepends=True)
    (copy / "runs.jsonl").write_text("".join(lines[1:]))
    assert [row.status for row in collect(copy, rings)].count("not-run") == 1
    with pytest.raises(InputError, match=r"is missing, but results\.csv has it"):
        write_report(copy, rings)
    (copy / "runs.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"runs\.jsonl, line 1: not what"):
        collect(copy, rings)


def test_what_is_done_is_not_done_again(whole, bench, make_suite, make_watcher, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "tiny")
    shutil.rmtree(folder / "runs/fused/rings-32-seed0")
    (folder / "runs/alone/rings-64-seed0/evaluations/rings/predictions.csv").unlink()
    times = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*/run.yaml")}
    data = {**make_suite(), "seeds": [0], "title": "Other words change no number"}
    watcher = make_watcher()
    rows = bench(data, folder, watcher, resume=True)
    assert "2 of 4 done" in watcher.notes
    assert watcher.ended == [
        ("alone on 64 of rings, seed 0", "ok"),
        ("fused on 32 of rings, seed 0", "ok"),
    ]
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    times_of = {"training_seconds", "epoch_seconds", "images_per_second"}
    assert [row.model_dump(exclude=times_of) for row in rows] == [
        row.model_dump(exclude=times_of) for row in whole[1]
    ]
    assert BenchmarkFolder(folder).read_suite().title.startswith("Other")


def test_a_suite_may_grow(whole, bench, make_suite, make_branch, make_watcher, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "tiny")
    data = {**make_suite(), "seeds": [1, 0]}
    data["systems"]["longer"] = {"experiment": make_branch("softmax", epochs=3)}
    watcher = make_watcher()
    rows = bench(data, folder, watcher, resume=True, command=("now", "--resume"))
    assert "4 of 12 done" in watcher.notes
    whole_rows = {(row.system, row.train_patterns, row.seed) for row in rows if not row.by}
    assert len(whole_rows) == 12
    assert all(row in rows for row in whole[1]), "what was there stays, times and all"
    assert "longer" in (folder / "report.html").read_text()
    assert json.loads((folder / "environment.json").read_text())["command"] == ["now"]
    del data["systems"]["fused"]
    with pytest.raises(InputError, match=r"differs in systems\.fused.*and no other change"):
        bench(data, folder, make_watcher(), resume=True)


def test_results_of_a_smaller_suite_do_not_pass_for_those_of_a_larger(
    whole, make_suite, bench, make_watcher, tmp_path, monkeypatch
):
    folder = shutil.copytree(whole[0], tmp_path / "tiny")
    monkeypatch.setattr(Loop, "run", stop)
    with pytest.raises(KeyboardInterrupt):
        bench({**make_suite(), "seeds": [0]}, folder, make_watcher(), resume=True)
    assert (folder / "results.csv").exists()
    with pytest.raises(KeyboardInterrupt):
        bench({**make_suite(), "seeds": [0, 1]}, folder, make_watcher(), resume=True)
    for name in ("results.csv", "results.parquet", "results.md", "report.html"):
        assert not (folder / name).exists(), name


def stop(_self):
    raise KeyboardInterrupt


def test_runs_of_other_data_are_noticed(whole, make_suite, bench, make_watcher, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "tiny")
    data = {**make_suite(), "seeds": [0]}
    # Other test data: what was trained is judged anew.
    shutil.rmtree(folder / "datasets/rings-test.zarr")
    text = (folder / "suite.yaml").read_text()
    (folder / "suite.yaml").write_text(text.replace("      seed: 2\n", "      seed: 3\n"))
    data["datasets"]["rings"]["test"]["seed"] = 3
    watcher = make_watcher()
    rows = bench(data, folder, watcher, resume=True)
    assert "0 of 4 done" in watcher.notes
    assert [row.accuracy for row in rows] != [row.accuracy for row in whole[1]]
    trained = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*/run.yaml")}
    assert all(
        path.stat().st_mtime_ns == (whole[0] / path.relative_to(folder)).stat().st_mtime_ns
        for path in trained
    )
    # Other training data: the runs are of something else.
    for path in folder.glob("datasets/rings-train*.zarr"):
        shutil.rmtree(path)
    text = (folder / "suite.yaml").read_text()
    (folder / "suite.yaml").write_text(text.replace("      seed: 1\n", "      seed: 4\n"))
    data["datasets"]["rings"]["train"]["seed"] = 4
    with pytest.raises(InputError, match=r"rings-32-seed0 was trained on other data than .*rings-"):
        bench(data, folder, make_watcher(), resume=True)


def test_a_benchmark_that_was_killed_as_it_began_can_be_begun(make_suite, bench, quiet, tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/.suite.0123abcd.partial.yaml").write_text("name: ti")
    (tmp_path / "tiny/benchmark.lock").write_text("")
    data = {**make_suite(), "seeds": [0]}
    assert bench(data, tmp_path / "tiny", quiet)


def test_a_resumed_benchmark_tells_what_it_began_on(whole, bench, make_suite, quiet, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "tiny")
    path = folder / "environment.json"
    old = {**json.loads(path.read_text()), "torch": "2.11.0", "command": ["before"]}
    path.write_text(json.dumps(old))
    data = {**make_suite(), "seeds": [0]}
    bench(data, folder, quiet, resume=True)
    assert json.loads(path.read_text()) == old, "nothing was run, so nothing was run elsewhere"
    (folder / "runs/fused/rings-32-seed0/evaluations/rings/metrics.json").unlink()
    bench(data, folder, quiet, resume=True)
    told = json.loads(path.read_text())
    assert told["torch"] == torch.__version__
    assert told["command"] == []  # of the resumption, which here had none
    assert told["before it was resumed"]["torch"] == ["2.11.0"]
    path.write_text(json.dumps({**told, "torch": "2.12.0", "cores": 1}))
    (folder / "runs/fused/rings-32-seed0/evaluations/rings/metrics.json").unlink()
    bench(data, folder, quiet, resume=True)
    earlier = json.loads(path.read_text())["before it was resumed"]
    assert (earlier["torch"], earlier["cores"]) == (["2.11.0", "2.12.0"], [1])


def test_datasets_of_another_version_are_gone_on_with(
    whole, bench, make_suite, quiet, tmp_path, monkeypatch
):
    folder = shutil.copytree(whole[0], tmp_path / "tiny")
    monkeypatch.setenv("RINGS_VERSION", "2")
    bench({**make_suite(), "seeds": [0, 1]}, folder, quiet, resume=True)
    assert "4 of 8 done" in quiet.notes
    for path in folder.glob("datasets/*.zarr"):
        assert Dataset.open(path).header.generator["rings"] == "1", "it was not made again"


def test_numbers_of_runs_stay_when_their_plugin_breaks(whole, rings, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "tiny")
    path = folder / "runs/alone/rings-64-seed0/run.yaml"
    text = path.read_text()
    path.write_text(text.replace("name: small", "name: lost", 1))
    assert path.read_text() != text
    rows = collect(folder, rings)
    assert [row.model_copy(update={"parameters": None}) for row in whole[1]] == [
        row.model_copy(update={"parameters": None}) for row in rows
    ]
    assert {row.parameters for row in rows if row.run.endswith("alone/rings-64-seed0")} == {None}


def test_a_bound_goes_with_its_test_data(whole, bench, make_suite, quiet, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "tiny")
    (folder / "bounds").mkdir()
    (folder / "bounds/rings.json").write_text("{}")
    data = {**make_suite(), "seeds": [0]}
    bench(data, folder, quiet, resume=True)
    assert (folder / "bounds/rings.json").exists()
    shutil.rmtree(folder / "datasets/rings-test.zarr")
    bench(data, folder, quiet, resume=True)
    assert not (folder / "bounds/rings.json").exists()


def test_a_test_that_fails_takes_no_other_with_it(
    bench, make_suite, make_watcher, tmp_path, rings, monkeypatch
):
    evaluate = crystalvision.evaluation.evaluate

    def evaluate_but(run, dataset, **options):
        if dataset.path.name == "first-test.zarr" and "alone" in str(run.path):
            raise MemoryError("too many")
        return evaluate(run, dataset, **options)

    monkeypatch.setattr("crystalvision.evaluation.evaluate", evaluate_but)
    folder = tmp_path / "tiny"
    data = {**make_suite(), "seeds": [0], "by": None}
    data["datasets"]["rings"]["train"]["sizes"] = []
    data["datasets"] |= {
        name: {"recipe": "rings", "test": {"samples": 32, "seed": seed}}
        for name, seed in (("first", 5), ("last", 6))
    }
    data["pairings"] = [{"train_on": ["rings"], "test_on": ["first", "rings", "last"]}]
    rows = bench(data, folder, make_watcher())
    told = {(row.system, row.tested_on): row.status for row in rows}
    assert told.pop(("alone", "first")) == "out-of-memory"
    assert set(told.values()) == {"ok"}
    assert len(told) == 5, "the fusion begins with a run that is whole"
    assert collect(folder, rings) == rows
    assert "seed 0: out-of-memory" in (folder / "results.md").read_text()
    monkeypatch.undo()
    watcher = make_watcher()
    assert {row.status for row in bench(data, folder, watcher, resume=True)} == {"ok"}
    assert watcher.ended == [("alone on 64 of rings, seed 0", "ok")]


def test_a_folder_that_is_taken_is_left_alone(whole, bench, make_suite, make_watcher, tmp_path):
    folder, _ = whole
    data = {**make_suite(), "seeds": [0]}
    with pytest.raises(InputError, match="go on with it by --resume, replace it by --overwrite"):
        bench(data, folder, make_watcher())
    data["systems"]["alone"]["set"] = {"schedule.0.epochs": 3}
    with pytest.raises(
        InputError, match=r"differs in systems.alone.set.schedule.0.epochs, null there and 3 here"
    ):
        bench(data, folder, make_watcher(), resume=True)
    (tmp_path / "else").mkdir()
    (tmp_path / "else/thesis.tex").write_text("")
    with pytest.raises(InputError, match="exists and is no benchmark"):
        bench(data, tmp_path / "else", make_watcher(), overwrite=True)
    assert (tmp_path / "else/thesis.tex").exists()


def test_cells_that_go_wrong_show_and_stop_no_other(
    bench, make_suite, make_watcher, make_branch, tmp_path
):
    data = {**make_suite(), "seeds": [0], "by": None}
    data["datasets"]["rings"]["train"]["sizes"] = []
    data["systems"] = {
        "after": {**data["systems"]["fused"], "starts_from": {"classifier": "nan#classifier"}},
        "nan": {"experiment": make_branch("softmax", mode="nan")},
        "hungry": {"experiment": make_branch("softmax", mode="hungry")},
        "lost": {"experiment": make_branch("softmax")},
        "alone": {"experiment": make_branch("softmax")},
    }
    backbone = {"backbone": "lost", "head": "softmax"}
    data["systems"]["lost"]["experiment"]["system"]["branches"]["classifier"] = backbone
    watcher = make_watcher()
    rows = bench(data, tmp_path / "tiny", watcher)
    told = {row.system: (row.status, row.error) for row in rows}
    assert {name: status for name, (status, _) in told.items()} == {
        "nan": "diverged",
        "after": "not-run",
        "hungry": "out-of-memory",
        "lost": "failed",
        "alone": "ok",
    }
    assert told["after"][1] == "it begins with nan on 64 of rings, seed 0, which is diverged"
    assert "a_package_that_is_not_there" in told["lost"][1]
    failure = json.loads((tmp_path / "tiny/failures/hungry--rings-64-seed0.json").read_text())
    assert "Traceback" in failure["log"]
    # They are tried again, and those that end well have failed no more.
    again = make_watcher()
    (tmp_path / "tiny/failures/alone--rings-64-seed0.json").write_text("{}")
    bench(data, tmp_path / "tiny", again, resume=True)
    assert "1 of 5 done" in again.notes
    assert len(again.ended) == 4


def test_a_run_of_something_else_is_noticed(whole, bench, make_suite, make_watcher, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "tiny")
    record = folder / "runs/alone/rings-32-seed0/run.yaml"
    record.write_text(record.read_text().replace("batch_size: 16", "batch_size: 8"))
    data = {**make_suite(), "seeds": [0]}
    with pytest.raises(InputError, match="trained with another experiment: it differs in sched"):
        bench(data, folder, make_watcher(), resume=True)
