"""`crystalvision train` as a user runs it."""

import json
import subprocess
import sys

import pytest
import yaml

from crystalvision.cli import main
from crystalvision.runs import Run


@pytest.fixture
def experiment_path(tmp_path, make_experiment):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(make_experiment()))
    return path


@pytest.fixture
def train(experiment_path, dataset_path, tmp_path):
    """Runs the command with the small experiment and further arguments."""

    def train(*arguments, experiment=experiment_path):
        line = ["train", experiment, "-d", dataset_path, "-o", tmp_path / "run", *arguments]
        return main([str(each) for each in line])

    return train


def test_it_trains_and_says_what_comes_next(train, tmp_path, dataset_path, catalogue, capsys):
    assert train() == 0
    shown = capsys.readouterr()
    assert f"next: crystalvision evaluate {tmp_path / 'run'} -d {dataset_path}" in shown.out
    assert "phase classifier: trains classifier for 3 epochs" in shown.err
    assert "phase fusion: best validation_loss" in shown.err
    assert Run.load(tmp_path / "run", catalogue).record.experiment.seed == 0


def test_settings_seed_and_json(train, capsys):
    assert train("--set", "schedule.0.epochs=1", "--seed", "5", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["experiment"]["seed"] == 5
    assert record["phases"][0]["epochs"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "schedule.0.epochs=0"), "--set schedule.0.epochs=0: schedule.0.epochs=0"),
        (("--set", "inputt.bin=2"), "unknown key 'inputt'; did you mean 'input'?"),
        (("--set", "nonsense"), "expected key=value"),
        (("--device", "gpu"), "--device gpu: expected cpu, cuda or auto"),
        (("--set", "system.branches.classifier.backbone=resnet181"), "did you mean 'resnet18'?"),
        (("--set", "system.fusion=concatt"), "did you mean 'concat'?"),
    ],
)
def test_bad_settings_end_at_once_with_one_line(train, tmp_path, capsys, arguments, message):
    assert train(*arguments) == 2
    shown = capsys.readouterr()
    assert message in shown.err.replace("\n", " ")
    assert "Traceback" not in shown.err
    assert not (tmp_path / "run").exists()


def test_an_unknown_experiment_names_those_there_are(train, capsys):
    assert train(experiment="quikc") == 2
    assert "did you mean 'quick'?" in capsys.readouterr().err


def test_a_dataset_that_is_not_there(experiment_path, tmp_path, capsys):
    line = ["train", experiment_path, "-d", tmp_path / "no.zarr", "-o", tmp_path / "run"]
    assert main([str(each) for each in line]) == 2
    assert "no.zarr" in capsys.readouterr().err


def test_a_run_that_is_there_is_refused_without_overwrite(train, tmp_path, run_path, capsys):
    (tmp_path / "run").symlink_to(run_path)
    assert train() == 2
    assert "use --overwrite" in capsys.readouterr().err


def test_settings_are_checked_before_lightning_is_imported():
    """It takes longer to import than everything else together, and prediction never needs it."""
    code = (
        "import sys, crystalvision.evaluation; from crystalvision.training import plan, fit; "
        "sys.exit(any(name in sys.modules for name in ('lightning', 'torchmetrics')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_help_does_not_import_torch():
    code = (
        "import sys; from crystalvision.cli import main; main(['train', '--help']); "
        "main(['evaluate', '--help']); main(['predict', '--help']); "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_folder_here_is_no_name_for_a_run(train, capsys, monkeypatch, tmp_path):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert train("-o", ".") == 2
    assert "-o .: expected the name of a folder to make" in capsys.readouterr().err


def test_a_name_that_an_evaluation_cannot_have_is_refused_at_once(run_path, dataset, capsys):
    line = ["evaluate", str(run_path), "-d", str(dataset.path), "--name", "a/b"]
    assert main(line) == 2
    assert "--name 'a/b': expected the plain name of a folder" in capsys.readouterr().err
