"""The process of a cell: what it tells, how it dies, and that it dies with who started it."""

import ast
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import torch

from crystalvision.benchmarks._outcome import killed, outcome_of
from crystalvision.benchmarks._process import CellProcess
from crystalvision.errors import PluginError
from crystalvision.training import DivergenceError

PARENT = """
import sys
from crystalvision.benchmarks._job import Job
from crystalvision.benchmarks._process import CellProcess

process = CellProcess(Job.model_validate_json(sys.argv[1]))
print(process._process.pid, flush=True)
process.outcome(lambda message: print(message, flush=True))
"""


def test_errors_are_told_apart():
    memory = PluginError("backbone 'x' failed")
    memory.__cause__ = torch.OutOfMemoryError("CUDA out of memory")
    for error, status in (
        (DivergenceError("loss is nan"), "diverged"),
        (MemoryError(), "out-of-memory"),
        (memory, "out-of-memory"),
        (RuntimeError("size mismatch\nhere"), "failed"),
        (SystemExit(3), "failed"),
    ):
        outcome = outcome_of(error)
        assert outcome.status == status
        assert outcome.error
        assert "\n" not in outcome.error
    assert killed(signal.SIGKILL, "").status == "out-of-memory"
    assert "signal 11" in killed(signal.SIGSEGV, "").error


@pytest.fixture
def make_job(make_cell_job, tmp_path):
    return lambda **options: make_cell_job(tmp_path / options.get("mode", "slow"), **options)


def test_a_process_tells_that_it_was_killed(make_job):
    process = CellProcess(make_job(mode="killed"))
    try:
        outcome = process.outcome(lambda _message: None)
    finally:
        process.close()
    assert outcome.status == "out-of-memory"
    assert "most likely by the system for want of memory" in outcome.error


def test_a_process_tells_how_it_goes_and_dies_with_who_started_it(make_job, start_python):
    """Whatever a plugin prints is no message."""
    job = make_job(mode="loud", epochs=1000, wait=0.05)
    line = ["-c", PARENT, job.model_dump_json()]
    with start_python(line, stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        messages = [parent.stdout.readline()]
        while "classifier 3/1000" not in messages[-1]:
            assert parent.poll() is None
            messages.append(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        psutil.wait_procs([child], timeout=20)
    assert {"now": "classifier 2/1000"} in map(ast.literal_eval, messages)
    assert not child.is_running()
    before = {path: path.stat().st_mtime_ns for path in Path(job.folder).rglob("*")}
    time.sleep(0.5)
    assert {path: path.stat().st_mtime_ns for path in Path(job.folder).rglob("*")} == before
