"""Two processes that train together: nobody else reaches them, and both end when they are told to.

Real processes: a training that would take minutes, of which some seconds are waited for.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from crystalvision.errors import CrystalVisionError
from crystalvision.plugins import PluginSelection
from crystalvision.runs import train_run
from crystalvision.training import Machine

BEGIN_SECONDS, END_SECONDS = 240.0, 20.0
LOOPBACK = {"127.0.0.1", "::1"}


class Training:
    """`crystalvision train --devices 2`, and its other process."""

    def __init__(self, folder: Path, line: list[str], start_python: Callable[..., Any]) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.process = start_python(
            ["-m", "crystalvision", *line],
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stderr=subprocess.PIPE,
            new_session=True,
        )
        checkpoint = folder / "run.partial" / "checkpoint-a.safetensors"
        until = time.monotonic() + BEGIN_SECONDS
        while not checkpoint.exists():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.1)
        (self.other,) = psutil.Process(self.process.pid).children()

    def addresses(self) -> set[str]:
        """Where the two listen."""
        both = [psutil.Process(self.process.pid), self.other]
        found = [connection for each in both for connection in each.net_connections("all")]
        return {each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN}

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; the exit status, and what was said, some seconds later."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=END_SECONDS)
        return self.process.returncode, said

    def left(self) -> list[Path]:
        """The temporary files that are left once the other process has gone, within seconds."""
        psutil.wait_procs([self.other], timeout=END_SECONDS)
        assert not self.other.is_running()
        # torch keeps a cache of its own there, one for each user.
        return [path for path in self.temporary.iterdir() if "torchinductor" not in path.name]


@pytest.fixture
def training(make_experiment, dataset_path, tmp_path, start_python):
    settings = make_experiment()
    settings["schedule"][0]["epochs"] = 100_000
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(settings))
    line = ["train", file, "-d", dataset_path, "-o", tmp_path / "run", "--devices", 2]
    running = Training(tmp_path, [str(each) for each in line], start_python)
    yield running
    running.process.kill()
    running.process.communicate()


def test_they_listen_to_this_machine_alone_and_end_though_one_hangs(training):
    addresses = training.addresses()
    assert addresses
    assert addresses <= LOOPBACK
    training.other.suspend()
    time.sleep(1)  # until the first waits for it in torch
    status, said = training.end(signal.SIGTERM)
    assert status == 143
    assert said.strip().endswith("terminated; the same command goes on with it")
    assert training.left() == []


@pytest.mark.slow
@pytest.mark.parametrize("hangs", [False, True])
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_they_end_whatever_they_do(training, number, status, hangs):
    if hangs:
        training.other.suspend()
        time.sleep(1)
    assert training.end(number)[0] == status
    assert training.left() == []


@pytest.mark.slow
def test_one_that_dies_ends_the_training(training):
    training.other.kill()
    _, said = training.process.communicate(timeout=END_SECONDS)
    assert training.process.returncode == 1
    assert "process 1 of the training ended with status -9: the same command continues" in said
    assert training.left() == []


def test_one_that_cannot_begin_is_not_waited_for(experiment, dataset, catalogue, tmp_path):
    """Torch would wait for it half an hour."""
    missing = PluginSelection(files=(tmp_path / "gone.py",))
    with pytest.raises(CrystalVisionError, match="process 1 of the training ended with status 1: "):
        train_run(
            experiment,
            dataset,
            tmp_path / "run",
            catalogue=catalogue,
            machine=Machine(devices=2),
            selection=missing,
        )
    assert [path.name for path in tmp_path.iterdir()] == []
