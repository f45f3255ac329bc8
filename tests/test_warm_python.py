"""Processes that tests start warm are what fresh ones are."""

import json
import os
import signal
import subprocess
import sys
from textwrap import dedent

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.environ.get("OMP_NUM_THREADS") != "1",
    reason="there they are fresh; run with OMP_NUM_THREADS=1, as `make test` does",
)

TELLS = """
import json, os, signal, sys, threading
print(json.dumps({
    "arguments": sys.argv,
    "path": sys.path,
    "folder": os.getcwd(),
    "variables": dict(os.environ),
    "main": sorted({*vars(sys.modules["__main__"])} - {"__annotations__"}),
    "streams": [
        [each.encoding, each.errors, each.isatty(), each.fileno()]
        for each in (sys.stdin, sys.stdout, sys.stderr)
    ],
    "descriptors": sorted(os.listdir("/proc/self/fd")),
    "threads": threading.active_count(),
    "signals": [str(signal.getsignal(each)) for each in (signal.SIGINT, signal.SIGTERM)],
    "own": [name for name in sys.modules if name.partition(".")[0] == "crystalvision"],
    "session": os.getsid(0) == os.getpid(),
    "no_bytecode": sys.dont_write_bytecode,
}, sort_keys=True))
"""

LATE = """
import sys, threading, time
threading.Thread(target=lambda: [time.sleep(0.1), sys.stderr.write('late')]).start()
"""


def test_it_is_what_a_fresh_process_is(run_python, tmp_path):
    changes = {"OTHER": "é", "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **changes}
    for arguments in (["-c", TELLS, "a", "b c"], ["-m", "tells", "x"]):
        (tmp_path / "tells.py").write_text(TELLS)
        fresh = subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        warm = run_python(*arguments, env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL)
        assert (warm.returncode, warm.stderr) == (0, "")
        expected = json.loads(fresh.stdout)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of what a shell put aside with &
            expected["signals"][0] = str(signal.default_int_handler)
        assert json.loads(warm.stdout) == expected


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("", 0, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(7)", 7, ""),
        ("raise SystemExit('why')", 1, "why"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, ""),
        ("import atexit, sys; atexit.register(sys.stderr.write, 'at the end')", 0, "at the end"),
        (LATE, 0, "late"),
    ],
)
def test_it_ends_as_a_fresh_process_does(run_python, code, status, said):
    done = run_python("-c", code)
    assert done.returncode == status
    assert done.stdout == ""
    assert said in done.stderr
    assert bool(done.stderr) == bool(said)


def test_it_is_waited_for_written_to_and_killed(start_python):
    code = dedent(
        """
        import time
        print(input(), flush=True)
        time.sleep(999)
        """
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start_python(["-c", code], **pipes, new_session=True) as process:
        assert os.getsid(process.pid) == process.pid
        process.stdin.write("hello\n")
        process.stdin.flush()
        assert process.stdout.readline() == "hello\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(60)
    assert process.returncode == 1
    assert said.splitlines()[-1] == "KeyboardInterrupt"
    with start_python(["-c", "import time; time.sleep(999)"]) as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL


def test_what_is_read_too_early_needs_a_fresh_interpreter(start_python):
    with pytest.raises(ValueError, match="OMP_NUM_THREADS is read too early"):
        start_python(["-c", ""], env={**os.environ, "OMP_NUM_THREADS": "7"})
