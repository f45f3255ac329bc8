"""A pipe in the place of a file is refused: whoever opens it may wait for ever."""

import os
import shutil

import pytest

from crystalvision.errors import InputError
from crystalvision.exchange._place import new_file
from crystalvision.report._write import check_output
from crystalvision.runs import Run, train_run

NAMES = (
    "run.yaml",
    "weights.safetensors",
    "metrics.csv",
    "split.csv",
    "calibration.json",
    "evaluations/mine/metrics.json",
)


@pytest.mark.parametrize("name", NAMES)
def test_in_a_run(run_path, tmp_path, catalogue, name):
    run = tmp_path / "run"
    shutil.copytree(run_path, run)
    (run / name).unlink(missing_ok=True)
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(run / name)
    with pytest.raises(InputError, match=r"run is no run: it has no run.yaml|is a pipe"):
        Run.load(run, catalogue)


@pytest.mark.parametrize("name", ["lock", "training.json", "checkpoint-a.safetensors"])
def test_in_an_unfinished_training(experiment, dataset, tmp_path, catalogue, name):
    partial = tmp_path / "run.partial"
    partial.mkdir()
    (partial / "lock").touch()
    (partial / name).unlink(missing_ok=True)
    os.mkfifo(partial / name)
    with pytest.raises(InputError, match=f"{name}: is a pipe"):
        train_run(experiment, dataset, tmp_path / "run", catalogue=catalogue)


def test_in_the_place_of_a_run(experiment, dataset, tmp_path, catalogue):
    os.mkfifo(tmp_path / "run")
    with pytest.raises(InputError, match="run is neither a file nor a folder, but a pipe"):
        train_run(experiment, dataset, tmp_path / "run", catalogue=catalogue)


@pytest.mark.parametrize("overwrite", [False, True])
def test_in_the_place_of_a_report(tmp_path, overwrite):
    os.mkfifo(tmp_path / "report.html")
    with pytest.raises(InputError, match=r"report\.html: is a pipe"):
        check_output(tmp_path / "report.html", overwrite=overwrite)


def test_in_the_place_of_an_export(dataset, tmp_path):
    os.mkfifo(tmp_path / "data.h5")
    with (
        pytest.raises(InputError, match=r"data\.h5 is neither a file nor a folder, but a pipe"),
        new_file(tmp_path / "data.h5", dataset.path, overwrite=True, is_ours=lambda path: True),
    ):
        pytest.fail("it is written")
