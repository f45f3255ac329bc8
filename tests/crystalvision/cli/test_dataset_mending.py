"""`crystalvision dataset repair`, `split` and `merge`: what a user types and reads."""

import json
import shutil

import pytest

from crystalvision.datasets import Dataset, verify


@pytest.fixture
def data(make_dataset, tmp_path):
    return make_dataset(tmp_path / "a.zarr", samples=40, size=8)


@pytest.fixture
def second(make_dataset, tmp_path):
    return make_dataset(tmp_path / "b.zarr", samples=20, size=8, seed=1)


def error(outcome, *texts):
    """One line that says all this."""
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith("error: ")
    for text in texts:
        assert text in outcome.err


def test_split_tells_the_parts_and_stores_them(run, data):
    before = Dataset.open(data).split("test").tolist()
    outcome = run("dataset", "split", data, "--seed", 3, "--validation", 0.25, "--test", 0.25)
    assert outcome.status == 0
    assert outcome.out.replace("\n", "") == f"{data}: train 20, validation 10, test 10"
    assert len(Dataset.open(data).split("test")) == 10
    assert Dataset.open(data).split("test").tolist() != before
    assert verify(data) == []


def test_split_again_as_it_was_changes_nothing(run, data):
    before = {file: file.read_bytes() for file in data.rglob("*") if file.is_file()}
    told = json.loads(run("dataset", "split", data, "--json").out)
    assert told == {"path": str(data), "splits": {"train": 28, "validation": 4, "test": 8}}
    assert {file: file.read_bytes() for file in before} == before


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--test", 1.5], "'--test': Input should be less than or equal to 1"),
        (["--validation", 0.5, "--test", 0.5], "something to train on"),
        (["--seed", -1], "--seed"),
    ],
)
def test_shares_that_make_no_sense_change_nothing(run, data, options, text):
    before = Dataset.open(data).split("test").tolist()
    outcome = run("dataset", "split", data, *options)
    assert outcome.status == 2
    assert text in " ".join(outcome.err.split())
    assert Dataset.open(data).split("test").tolist() == before


def test_a_damaged_dataset_keeps_its_splits(run, data):
    (data / "label/c/1").write_bytes(b"damaged")
    outcome = run("dataset", "split", data, "--seed", 3)
    assert outcome.status == 1
    assert "dataset repair" in outcome.err
    assert all((data / name).is_file() for name in ("split/c/0", "subset_rank/c/0"))


def test_repair_of_a_whole_dataset(run, data):
    outcome = run("dataset", "repair", data)
    assert outcome.status == 0
    assert outcome.out.replace("\n", "") == f"{data}: whole, nothing to mend"


def test_repair_writes_metadata_again(run, data):
    (data / "zarr.json").write_text("{")
    told = json.loads(run("dataset", "repair", data, "--json").out)
    assert told["whole"] is True
    assert told["remade"] == []
    assert "damaged" in told["found"][0]["message"]
    assert verify(data) == []


def test_repair_leaves_a_strangers_file_and_says_so(run, data):
    (data / "notes.txt").write_text("mine")
    outcome = run("dataset", "repair", data)
    assert outcome.status == 1
    assert outcome.out.startswith("left: notes.txt: no file of this dataset")
    assert (data / "notes.txt").read_text() == "mine"


def test_repair_of_what_was_not_simulated_is_refused(run, data, tmp_path):
    (data / "images/c/1/0/0/0").unlink()
    error(run("dataset", "repair", data), "a.zarr", "they were made by no source")
    error(run("dataset", "repair", tmp_path / "nowhere.zarr"), "no such dataset")


def test_merge_makes_one_dataset_of_two(run, data, second, tmp_path):
    path = tmp_path / "all.zarr"
    outcome = run("dataset", "merge", data, second, "-o", path)
    assert outcome.status == 0
    assert outcome.out == ""
    assert "60 samples of 2 datasets" in " ".join(outcome.err.split())
    assert verify(path) == []
    told = run("dataset", "info", path)
    assert "60" in told.out


def test_merge_as_json(run, data, second, tmp_path):
    words = ["dataset", "merge", data, second, "-o", tmp_path / "all.zarr", "--name", "both"]
    told = json.loads(run(*words, "--json").out)
    assert (told["samples"], told["recipe"], told["complete"]) == (60, "both", True)
    assert {"source", "source_index"} <= set(told["columns"])


def test_merge_refuses_what_does_not_fit(run, data, second, make_dataset, tmp_path):
    path = tmp_path / "all.zarr"
    larger = make_dataset(tmp_path / "large.zarr", samples=8, size=16, seed=2)
    merge = ["dataset", "merge"]
    error(run(*merge, data, larger, "-o", path), "image shape", "(1, 16, 16)", "(1, 8, 8)")
    error(run(*merge, data, "-o", path), "1 dataset was given")
    error(run(*merge, data, data, "-o", path), "holds samples that")
    error(run(*merge, data, second, "-o", data, "--overwrite"), "the output lies in the input")
    error(run(*merge, data, second, "-o", path, "--resume", "--overwrite"), "exclude each other")
    error(run(*merge, data, tmp_path / "no.zarr", "-o", path), "no such dataset")
    assert not path.exists()


def test_merge_goes_on_and_replaces(run, data, second, tmp_path):
    path = tmp_path / "all.zarr"
    words = ["dataset", "merge", data, second, "-o", path]
    assert run(*words).status == 0
    error(run(*words), "exists already", "--resume")
    (path / "images/c/2/0/0/0").unlink()
    shutil.rmtree(path / "subset_rank/c")
    assert run(*words, "--resume").status == 0
    assert verify(path) == []
    assert run(*words, "--overwrite", "--name", "again").status == 0
    assert Dataset.open(path).header.name == "again"


def test_help_says_what_becomes_of_test_parts(run):
    text = " ".join(run("dataset", "merge", "--help").out.replace("│", " ").split())
    assert "Splits are assigned anew" in text
    assert "cannot be judged on the merged dataset" in text


def test_thin_tells_what_it_made(run, data, tmp_path):
    low = tmp_path / "low.zarr"
    outcome = run("dataset", "thin", data, "-o", low, "--kept", 0.01)
    assert outcome.status == 0
    assert "40 samples with 0.01 of the counts" in " ".join(outcome.err.split())
    assert "with 0.01 of its counts" in " ".join((low / "README.md").read_text().split())
    again = ("dataset", "thin", data, "-o", low, "--kept", 0.02, "--overwrite")
    assert json.loads(run(*again, "--json").out)["samples"] == 40
    error(run(*again, "--resume"), "--resume and --overwrite exclude each other")
    error(run("dataset", "thin", data, "-o", tmp_path / "x", "--kept", 2), "kept=2", "0.01")
