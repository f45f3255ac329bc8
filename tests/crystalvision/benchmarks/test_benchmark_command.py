"""`crystalvision benchmark` as a user types it."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
import yaml
from distributed import LocalCluster

from crystalvision.benchmarks import collect
from crystalvision.benchmarks.report import _reproduce as again
from crystalvision.benchmarks.report._load import load_benchmark
from crystalvision.cli import main
from crystalvision.evaluation import load_metrics

TIMES = {"training_seconds", "epoch_seconds", "images_per_second"}


@pytest.fixture
def run(selection, capsys):
    """Runs `crystalvision benchmark ARGUMENTS...` in this process."""

    def start(*arguments):
        status = main(["-p", str(selection.files[0]), "benchmark", *map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return start


def test_a_dry_run_lists_datasets_and_cells_and_writes_nothing(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run("tiny", "--budget", "one", "--dry-run")
    assert status == 0
    assert "fused on 64 of rings, seed 0" in out
    assert out.endswith("2 cells, 2 datasets\n")
    status, out, _ = run("tiny", "--dry-run", "--json", "--set", "seeds=[7]")
    told = json.loads(out)
    assert [cell["seed"] for cell in told["cells"]] == [7] * 4
    assert told["cells"][2]["starts"]["regressor"] == "runs/alone/rings-64-seed7#classifier"
    assert told["datasets"][0]["image_shape"] == [1, 16, 16]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["tinny", "-o", "x"], "no suite is called 'tinny'; did you mean 'tiny'?"),
        (["tiny"], "-o is missing: give the folder to write"),
        (["tiny", "-o", "x", "--budget", "huge"], "it has no budget 'huge'; its budgets:"),
        (["tiny", "-o", "x", "--workers", "0"], "greater than or equal to 1, not 0"),
        (["tiny", "-o", "x", "--resume", "--overwrite"], "exclude each other"),
        (["tiny", "-o", "x", "-w", "1", "--scheduler", "tcp://a:1"], "exclude each other"),
        (["tiny", "-o", "x", "--set", "seeds=[1, 1]"], "seeds: a seed is given twice"),
    ],
)
def test_a_wrong_line_is_refused(run, tmp_path, monkeypatch, arguments, error):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(*arguments)
    assert status == 2
    assert error in err
    assert list(tmp_path.iterdir()) == []


def numbers(rows):
    return [row.model_dump(exclude=TIMES) for row in rows]


@pytest.mark.slow
def test_kills_leave_no_trace_and_workers_change_nothing(command, rings, tmp_path):
    """One benchmark with one worker; the same with two, killed in its middle and resumed."""
    diary = tmp_path / "diary"
    slow = [
        "--set",
        f"systems.alone.experiment.system.branches.classifier.backbone.diary={diary}",
        "--set",
        "systems.alone.experiment.system.branches.classifier.backbone.wait=0.05",
    ]
    line = ["benchmark", "tiny", "--budget", "one", *slow, "--set", "seeds=[0, 1]", "-o"]
    with command(*line, tmp_path / "whole", "--workers", "1") as process:
        _, err = process.communicate()
    assert process.returncode == 0, err
    assert (
        len(diary.read_text().splitlines()) == 2
    )  # one for each training of a system that writes it
    diary.unlink()  # what the killed one writes is read below
    killed = tmp_path / "killed"
    process = command(*line, killed, "--workers", "2")
    while len(list(killed.glob("runs/*/*/evaluations/rings/metrics.json"))) < 1:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done = {path: path.stat().st_mtime_ns for path in killed.glob("runs/*/*/run.yaml")}
    with command(*line, killed, "--workers", "2", "--resume") as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert "of 4 cells are done already" in err
    assert "Both, joined" in out  # in one line, also on 80 columns
    assert all(path.stat().st_mtime_ns == time for path, time in done.items())
    trained = len(diary.read_text().splitlines())
    assert trained <= 2 + 2, "two trainings, and again those of which two were killed at most"
    assert numbers(collect(killed, rings)) == numbers(collect(tmp_path / "whole", rings))


@pytest.mark.slow
def test_failures_are_counted_and_end_with_status_1(command, tmp_path):
    mode = "systems.alone.experiment.system.branches.classifier.backbone.mode"
    line = ["benchmark", "tiny", "--budget", "one", "-o", tmp_path / "x", "--set", f"{mode}=nan"]
    with command(*line) as process:
        _, err = process.communicate()
    assert process.returncode == 1
    assert "2 cells failed: 1 diverged, 1 not-run; see " in err
    assert (tmp_path / "x/results.csv").read_text().count(",diverged,") == 1


@pytest.mark.slow
def test_ctrl_c_ends_the_cells_and_says_how_to_go_on(command, tmp_path):
    wait = "systems.alone.experiment.system.branches.classifier.backbone.wait=0.5"
    folder = tmp_path / "x"
    process = command("benchmark", "tiny", "--budget", "one", "-o", folder, "--set", wait)
    while not list(folder.glob("runs/alone/*.partial")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command with --resume goes on with it" in err
    assert not list(Path(folder).glob("failures/*"))


@pytest.mark.slow
def test_a_cluster_runs_cells_and_ends_those_that_nobody_waits_for(command, tmp_path):
    wait = "systems.alone.experiment.system.branches.classifier.backbone.wait"
    line = ["benchmark", "tiny", "--budget", "one", "-o"]
    with LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        address = ["--scheduler", cluster.scheduler_address]
        with command(*line, tmp_path / "x", *address) as process:
            _, err = process.communicate()
        assert process.returncode == 0, err
        folder = tmp_path / "slow"
        process = command(*line, folder, *address, "--set", f"{wait}=5")
        while not list(folder.glob("runs/alone/*.partial")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        process.kill()
        process.communicate()
        deadline = time.monotonic() + 60
        while _cells_of(cluster):
            assert time.monotonic() < deadline, "cells outlive the command"
            time.sleep(0.2)


def _cells_of(cluster):
    workers = [nanny.process.process for nanny in cluster.workers.values()]
    children = [psutil.Process(worker.pid).children(recursive=True) for worker in workers]
    return [
        child for each in children for child in each if "_run_cell" in " ".join(child.cmdline())
    ]


@pytest.mark.slow
def test_the_commands_on_the_page_repeat_its_numbers(tmp_path):
    network = {"backbone": "dnsnet-tiny", "head": "softmax"}
    phase = {"epochs": 2, "batch_size": 8, "optimiser": "adamw", "learning_rate": 0.002}
    suite = {
        "name": "mine",
        "title": "Is it repeated?",
        "description": "A network, and a fusion that begins with it.",
        "compare_with": "alone",
        "seeds": [0, 1],
        "datasets": {
            "thin": {
                "recipe": "si3n4-four-classes",
                "set": {
                    "specimen.thickness_angstrom": {"uniform": [10, 20]},
                    "specimen.width_angstrom": 30,
                    "instrument.pixels": 64,
                },
                "train": {"samples": 32, "seed": 1, "validation_share": 0.25, "sizes": [16, 32]},
                "test": {"samples": 12, "seed": 2},
            }
        },
        "systems": {
            "alone": {
                "experiment": {
                    "system": {"branches": {"classifier": network}},
                    "input": ["log1p", "standardise"],
                    "schedule": [{"name": "alone", "train": ["classifier"], **phase}],
                }
            },
            "fused": {
                "experiment": {
                    "system": {
                        "branches": {"classifier": network, "other": network},
                        "fusion": "concat",
                        "head": "perceptron",
                    },
                    "input": ["log1p", "standardise"],
                    "schedule": [{"name": "fusion", "train": ["fusion", "head"], **phase}],
                },
                "starts_from": {"classifier": "alone#classifier", "other": "alone#classifier"},
            },
        },
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(suite))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    run = partial(subprocess.run, check=True, env=environment, capture_output=True)
    run(["crystalvision", "benchmark", "mine.yaml", "-o", "first"], cwd=tmp_path)
    benchmark = load_benchmark(tmp_path / "first")
    folder = tmp_path / "again"
    folder.mkdir()
    lines = ["set -e", again.preparation(benchmark), again.dataset_commands(benchmark)]
    for system in again.systems_again(benchmark):
        (folder / system.file).write_text(system.experiment)
        lines.append(system.commands)
    run(["bash", "-c", "\n".join(lines)], cwd=folder)
    assert len(benchmark.cells) == 8
    for cell in benchmark.cells:
        repeated = load_metrics(folder / cell.row.run / "evaluations" / cell.row.evaluation)
        for name in ("accuracy", "expected_calibration_error"):
            assert repeated.targets["label"][name] == cell.number(name)
