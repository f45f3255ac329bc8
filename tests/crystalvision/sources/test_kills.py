"""Twenty rounds of SIGKILL at random moments, on drivers and on workers."""

import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from crystalvision.datasets import verify
from crystalvision.sources import generate

ROUNDS = 20
DRIVER = """
import json, sys
from contextlib import ExitStack
from pathlib import Path
from crystalvision.plugins import PluginSelection
from crystalvision.sources import Cluster, SourceSpec, generate

def main(path, plugin, recipe, workers):
    spec = SourceSpec("numbers", json.loads(recipe), plugins=PluginSelection((Path(plugin),)))
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster.local(int(workers))) if int(workers) else None
        generate(spec, path, mode="resume", cluster=cluster)

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_kills_leave_no_trace(numbers, plugins, tmp_path, contents, workers):
    """The driver is killed in every round, and half of the times its workers before it."""
    spec = numbers(samples=800)
    generate(spec, tmp_path / "whole.zarr")
    whole = contents(tmp_path / "whole.zarr")
    path = tmp_path / "d.zarr"
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    recipe = '{"samples": 800, "seed": 5, "sleep": 0.03}'
    command = [sys.executable, script, path, plugins.files[0], recipe, str(workers)]
    chance = random.Random(workers)
    grown = set()
    for _ in range(ROUNDS):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        begun = len(list(path.glob("images/c/*/0/0/0")))
        while process.poll() is None and len(list(path.glob("images/c/*/0/0/0"))) == begun:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))
        children = psutil.Process(process.pid).children(recursive=True)
        if workers and chance.random() < 0.5:
            for child in chance.sample(children, min(len(children), 2)):
                os.kill(child.pid, signal.SIGKILL)
            time.sleep(chance.uniform(0, 0.5))
        process.kill()
        process.wait()
        psutil.wait_procs(children, timeout=20)
        assert not [child for child in children if child.is_running()], "workers outlive the driver"
        grown.add(len(list(path.glob("images/c/*/0/0/0"))))
        found = contents(path)
        for shard in range(200):
            if f"images/c/{shard}/0/0/0" in found:
                assert found[f"images/c/{shard}/0/0/0"] == whole[f"images/c/{shard}/0/0/0"]
    assert len(grown) > 5  # it went on, round by round
    generate(spec, path, mode="resume")
    assert verify(path) == []
    assert contents(path) == whole
