"""Processes that we start end with us, whatever state they and we are in."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from crystalvision.errors import TerminatedError
from crystalvision.processes import command_of, end_all, import_path, terminable, worker_pool

SECONDS = 20.0  # more than any of these takes, on a busy machine
DEAF = {
    "stopped": "import os, signal\ndef main(): ready(); os.kill(os.getpid(), signal.SIGSTOP)",
    "in C with the lock": "import re\ndef main(): ready(); re.match('(a+)+$', 'a' * 60 + 'b')",
    "ignoring signals": (
        "import signal, time\n"
        "def main():\n"
        "    for number in (2, 15): signal.signal(number, signal.SIG_IGN)\n"
        "    ready(); time.sleep(999)"
    ),
}
READY = "from pathlib import Path\ndef ready(): Path({place!r}).touch()\n"


def wait_for(condition):
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(params=DEAF.values(), ids=DEAF)
def deaf(request, tmp_path):
    """A folder with a module whose `main()` answers nothing, and how to tell that it has begun."""
    begun = tmp_path / "begun"
    (tmp_path / "deaf.py").write_text(READY.format(place=str(begun)) + request.param)
    return tmp_path, begun


def test_a_child_dies_with_a_parent_that_is_killed(deaf):
    folder, begun = deaf
    code = (
        "import subprocess; from crystalvision.processes import command_of; "
        "child = subprocess.Popen(command_of('deaf')); print(child.pid, flush=True); child.wait()"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE
    ) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        wait_for(begun.exists)
        parent.kill()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_what_does_not_end_is_killed(deaf):
    folder, begun = deaf
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{import_path()}"}
    child = subprocess.Popen(command_of("deaf"), env=environment)
    wait_for(begun.exists)
    end_all([child], patience=0.2)
    assert child.returncode == -signal.SIGKILL


def test_who_ends_by_itself_is_not_killed():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"])
    end_all([child], patience=SECONDS)
    assert child.returncode == 0


def test_a_pool_dies_with_its_parent(tmp_path):
    """Its workers wait for work at a pipe whose other end they hold themselves."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, time\n"
        "from crystalvision.processes import worker_pool\n"
        "if __name__ == '__main__':\n"
        "    with worker_pool(1) as executor:\n"
        "        print(executor.submit(os.getpid).result(), flush=True)\n"
        "        time.sleep(999)\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_pool_works_and_ends():
    with worker_pool(1) as executor:
        assert executor.submit(abs, -2).result(SECONDS) == 2


def test_a_pool_that_hangs_is_not_waited_for():
    workers = []

    def interrupted():
        with worker_pool(1) as executor:
            workers.append(psutil.Process(executor.submit(os.getpid).result(SECONDS)))
            executor.submit(time.sleep, 999)
            workers[0].suspend()
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - started < SECONDS
    assert not workers[0].is_running()


def test_a_handler_of_the_users_stays():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with terminable():
            os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_no_handler_of_errors_keeps_a_process_that_is_to_end():
    assert not issubclass(TerminatedError, Exception)
    with pytest.raises(TerminatedError), terminable():
        os.kill(os.getpid(), signal.SIGTERM)
