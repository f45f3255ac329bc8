"""`crystalvision report` as a user runs it: what it reads, writes, prints and refuses."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from crystalvision.cli import console, main
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate, load_metrics, save
from crystalvision.report import check_output, load_results, write_page
from crystalvision.runs import Run
from crystalvision.storage import TakenError


@pytest.fixture
def report(tmp_path, capsys, monkeypatch):
    """Runs the command on a terminal of 80 columns."""
    monkeypatch.setattr(console.out, "width", 80)

    def run(*arguments, output=tmp_path / "report.html"):
        status = main([str(each) for each in ["report", *arguments, "-o", output]])
        shown = capsys.readouterr()
        return status, shown.out, " ".join(shown.err.split())

    return run


def test_it_prints_the_table_and_writes_the_page(report, evaluated_path, result, tmp_path):
    status, out, _ = report(evaluated_path)
    assert status == 0
    lines = out.splitlines()
    assert max(map(len, lines[:3])) <= 80
    assert lines[0].split() == (
        ["run", "accuracy", "95", "%", "severity", "MAE", "images/s", "seconds", "params"]
    )
    cells = lines[1].split()
    assert cells[0] == "fused"
    targets = result.metrics.targets
    assert cells[1] == f"{targets['label']['accuracy']:.3f}"
    assert cells[3] == f"{targets['severity']['mae']:.3f}"
    assert cells[6] == f"{result.parameters:,}"
    assert "classifier: dnsnet-tiny + softmax" in out
    page = (tmp_path / "report.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["report.html"]


def test_json_has_the_numbers_of_the_evaluation(report, evaluated_path, result, tmp_path):
    status, out, _ = report(evaluated_path, "--json")
    assert status == 0
    told = json.loads(out)
    assert told["report"] == str(tmp_path / "report.html")
    assert told["same_data"] is True
    (run,) = told["runs"]
    label = result.metrics.targets["label"]
    assert run["metrics"]["label.accuracy"] == label["accuracy"]
    assert run["metrics"]["label.quadratic_kappa"] == label["quadratic_kappa"]
    assert run["training_seconds"] == result.record.training_seconds
    low, high = run["intervals"]["label.accuracy"]
    assert low < label["accuracy"] <= high
    assert (run["evaluation"], run["patterns"]) == ("rings-test", result.metrics.samples)


def test_a_run_that_is_not_evaluated_is_told_how(report, unevaluated, dataset_path, tmp_path):
    status, _, err = report(unevaluated)
    assert status == 2
    command = f"crystalvision evaluate {unevaluated} -d {dataset_path}"
    assert f"{unevaluated} has not been evaluated; run: {command}" in err
    assert not (tmp_path / "report.html").exists()


def test_what_is_no_run_is_told(report, tmp_path):
    status, _, err = report(tmp_path)
    assert status == 2
    assert "is no run: it has no run.yaml" in err


def test_a_run_given_twice_is_refused(report, evaluated_path):
    status, _, err = report(evaluated_path, evaluated_path / ".." / "fused")
    assert status == 2
    assert "is given twice; name each run once" in err


def test_an_earlier_report_is_replaced(report, evaluated_path, tmp_path):
    assert report(evaluated_path)[0] == 0
    written = (tmp_path / "report.html").read_text()
    (tmp_path / "report.html").write_text(written[:2000])
    assert report(evaluated_path)[0] == 0
    assert (tmp_path / "report.html").read_text() == written


def test_another_file_is_replaced_only_if_told_to(report, evaluated_path, tmp_path):
    mine = tmp_path / "report.html"
    mine.write_text("<html>my thesis</html>")
    status, _, err = report(evaluated_path)
    assert status == 2
    assert "exists and is no report of crystalvision; use --overwrite" in err
    assert mine.read_text() == "<html>my thesis</html>"
    assert report(evaluated_path, "--overwrite")[0] == 0
    assert "my thesis" not in mine.read_text()


def test_a_folder_as_output_is_refused_before_anything_is_read(report, tmp_path):
    status, _, err = report(tmp_path / "no-run", output=tmp_path)
    assert status == 2
    assert "is a folder; give -o the name of a file" in err


def test_an_output_that_cannot_be_written(report, evaluated_path, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = report(evaluated_path, output=tmp_path / "file" / "report.html")
    assert status == 1
    assert "cannot be written" in err


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    page = tmp_path / "report.html"
    page.write_text("before")

    def refuse(self, text, encoding):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    with pytest.raises(Exception, match="cannot be written: No space left on device"):
        write_page(page, "after")
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert page.read_text() == "before"


@pytest.mark.parametrize("name", ["metrics.json", "predictions.csv", "metrics.csv"])
def test_a_disk_that_fails_while_a_report_reads_is_said_in_one_line(
    report, evaluated_path, tmp_path, monkeypatch, name
):
    def failing(read):
        def fails(path, *arguments, **options):
            if path.name == name:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
            return read(path, *arguments, **options)

        return fails

    for way in ("read_bytes", "open"):
        monkeypatch.setattr(Path, way, failing(getattr(Path, way)))
    status, _, err = report(evaluated_path, output=tmp_path / "r.html")
    assert status == 1
    assert f"{name} cannot be read: Input/output error" in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_page_that_appears_meanwhile_is_not_replaced(tmp_path):
    page = tmp_path / "report.html"
    destination = check_output(page, overwrite=True)
    page.write_text("of another")
    with pytest.raises(TakenError, match="what is there appeared after"):
        write_page(destination, "mine")
    assert page.read_text() == "of another"


def test_the_folder_of_the_output_is_made(report, evaluated_path, tmp_path):
    assert report(evaluated_path, output=tmp_path / "new" / "folder" / "r.html")[0] == 0
    assert (tmp_path / "new" / "folder" / "r.html").is_file()


def age(folder, seconds):
    file = folder / "metrics.json"
    when = file.stat().st_mtime - seconds
    os.utime(file, (when, when))


def test_the_test_split_of_the_own_dataset_is_preferred(
    evaluated, other_dataset, dataset, catalogue
):
    run = Run.load(evaluated, catalogue)
    age(evaluated / "evaluations" / "rings-test", 100)
    save(evaluate(run, other_dataset), evaluated)
    save(evaluate(run, dataset, split="validation"), evaluated)
    assert load_results([evaluated], catalogue)[0].evaluation == "rings-test"


def test_or_else_the_newest(unevaluated, other_dataset, dataset, catalogue):
    run = Run.load(unevaluated, catalogue)
    older = save(evaluate(run, other_dataset), unevaluated)
    age(older, 100)
    save(evaluate(run, dataset, split="validation"), unevaluated)
    assert load_results([unevaluated], catalogue)[0].evaluation == "rings-validation"


def test_runs_judged_on_different_data_are_told(
    report, evaluated_path, unevaluated, other_dataset, catalogue
):
    save(evaluate(Run.load(unevaluated, catalogue), other_dataset), unevaluated)
    status, out, _ = report(evaluated_path, unevaluated)
    assert status == 0
    assert "These runs were not judged on the same patterns." in out


@pytest.fixture
def other_dataset(other_dataset_path):
    from crystalvision.datasets import Dataset

    return Dataset.open(other_dataset_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: None, "is missing; evaluate the run again"),
        (
            lambda text: text.replace("severity_predicted", "x"),
            "is not what crystalvision evaluate",
        ),
        (lambda text: text.replace("0.", "zero"), "is not what crystalvision evaluate"),
        (lambda text: "\n".join(text.splitlines()[:5]), r"has 4 predictions, expected \d+"),
    ],
)
def test_damaged_predictions_are_told(evaluated, catalogue, change, message):
    file = evaluated / "evaluations" / "rings-test" / "predictions.csv"
    text = change(file.read_text())
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(InputError, match=message):
        load_results([evaluated], catalogue)


def test_an_evaluation_of_other_classes_is_refused(evaluated, catalogue):
    file = evaluated / "evaluations" / "rings-test" / "metrics.json"
    file.write_text(file.read_text().replace("pristine", "perfect"))
    with pytest.raises(InputError, match="its targets are not those of"):
        load_results([evaluated], catalogue)


def test_an_evaluation_that_is_being_written_is_left_alone(evaluated, catalogue):
    (evaluated / "evaluations" / ".rings-all.partial-x").mkdir()
    assert load_results([evaluated], catalogue)[0].evaluation == "rings-test"


def test_runs_of_one_name_are_told_apart(evaluated, tmp_path, catalogue):
    again = shutil.copytree(evaluated, tmp_path / "second" / "fused")
    names = [each.name for each in load_results([evaluated, again], catalogue)]
    assert names == [f"{tmp_path.name}/fused", "second/fused"]
    assert load_metrics(again / "evaluations" / "rings-test").samples
