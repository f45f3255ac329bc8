"""No more threads than idle cores, which wait without spinning, unless the user has said."""

import os
import subprocess
import sys
import time

import pytest

from crystalvision import cores, threads
from crystalvision.cores import Usage

CORES = 4


@pytest.fixture
def machine(monkeypatch):
    """A machine of four cores, and how many others use, measured again and again."""

    def make(*loads: float, cores: int = CORES, allowed: int = CORES) -> Usage:
        left = list(loads)
        monkeypatch.setattr(threads, "usable_cores", lambda: cores)
        monkeypatch.setattr(threads, "allowed_cores", lambda: allowed)
        monkeypatch.setattr(threads, "_load", lambda since: left.pop(0))
        return Usage(0.0, 0.0, 0.0)

    return make


def test_a_free_machine_keeps_its_threads_which_sleep_soon(machine):
    found: dict[str, str] = {}
    chosen = threads.set_up(machine(0.3), found)
    assert "OMP_NUM_THREADS" not in found
    assert found["GOMP_SPINCOUNT"] == str(threads.SPINS)
    assert found["KMP_BLOCKTIME"] == str(threads.BLOCK_MS)
    assert chosen.note == ""


def test_a_busy_machine_has_as_many_threads_as_cores_are_idle(machine):
    found: dict[str, str] = {}
    chosen = threads.set_up(machine(1.1, 0.9), found)
    assert found["OMP_NUM_THREADS"] == "3"
    assert chosen.note == (
        "1 of 4 cores are busy with other work, so 3 threads will compute here; to choose "
        "yourself, set OMP_NUM_THREADS, as in: export OMP_NUM_THREADS=4"
    )


def test_a_burst_is_no_load(machine):
    found: dict[str, str] = {}
    threads.set_up(machine(2.0, 0.1), found)
    assert "OMP_NUM_THREADS" not in found


def test_one_thread_is_left_where_no_core_is(machine):
    found: dict[str, str] = {}
    threads.set_up(machine(9.0, 9.0), found)
    assert found["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize(("load", "number"), [(1.0, "2"), (3.0, "1")])
def test_a_container_has_its_part_of_the_machine(machine, load, number):
    found: dict[str, str] = {}
    threads.set_up(machine(load, load, cores=2), found)
    assert found["OMP_NUM_THREADS"] == number


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
def test_the_number_that_the_user_sets_stays(machine, name):
    found = {name: "7"}
    chosen = threads.set_up(machine(3.0, 3.0), found)
    assert found[name] == "7"
    assert found.get("OMP_NUM_THREADS", "7") == "7"
    assert not chosen.automatic
    assert chosen.note == ""


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"])
def test_the_waiting_that_the_user_sets_stays(machine, name):
    found = {name: "5"}
    threads.set_up(machine(0.0), found)
    assert found == {name: "5"}


def test_others_are_told_from_this_process():
    before, after = Usage(10.0, 100.0, 5.0), Usage(12.0, 103.0, 6.5)
    assert after.load_since(before) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("files", "processors"),
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"a/cpu.max": "100000 100000\n", "cpu.max": "max 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({}, 8),
    ],
)
def test_a_control_group_grants_less(monkeypatch, tmp_path, files, processors):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    groups = tmp_path / "cgroup"
    groups.write_text("3:cpu,cpuacct:/\n0::/a\n")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path)
    monkeypatch.setattr(cores, "_OWN_GROUPS", groups)
    monkeypatch.setattr(cores, "_allowed", lambda: set(range(8)))
    assert cores.usable_processors() == processors


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_a_busy_process_is_seen():
    """Measured, in whatever load there is: another process that spins is one core more."""

    def load() -> float:
        before = cores.usage()
        time.sleep(0.3)
        return cores.usage().load_since(before)

    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            time.sleep(0.3)
            assert load() > 0.4
        finally:
            busy.kill()


VARIABLES = ("OMP_NUM_THREADS", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
BARE = {name: value for name, value in os.environ.items() if name not in VARIABLES}


def test_a_strangers_process_is_left_as_it_is():
    code = (
        "import os; before = dict(os.environ); from crystalvision.cli import main; "
        "import crystalvision.runs; assert main(['--version']) == 0; "
        "assert dict(os.environ) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=BARE, timeout=600)


def test_the_command_line_sets_them_before_torch_is_loaded(tmp_path):
    """A plugin of one file is the first that may import torch."""
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "import os, sys\n"
        "from crystalvision import hookimpl\n"
        "assert 'torch' not in sys.modules\n"
        "print(os.environ['GOMP_SPINCOUNT'], file=sys.stderr)\n"
        "@hookimpl\n"
        "def crystalvision_backbones():\n"
        "    return {}\n"
    )
    code = "import sys; from crystalvision.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "-p", str(plugin), "--version"]
    done = subprocess.run(
        command, check=True, env=BARE, timeout=600, capture_output=True, text=True
    )
    assert str(threads.SPINS) in done.stderr
