"""One writer at a time, and who it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from crystalvision.errors import InputError
from crystalvision.locks import take_lock

HOLD = (
    "import sys; from pathlib import Path; from crystalvision.locks import take_lock; "
    "lock = take_lock(Path(sys.argv[1]), 'taken'); print('held', flush=True); sys.stdin.read()"
)


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells")
def test_who_holds_it_is_named(tmp_path):
    place = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match=rf"^taken \(process {other.pid} holds it\)$"):
            take_lock(place, "taken")
        other.stdin.close()
        other.wait()
        take_lock(place, "taken").release()


def test_a_pipe_is_no_lock(tmp_path):
    os.mkfifo(tmp_path / "lock")
    with pytest.raises(InputError, match="lock is in the way: expected a file"):
        take_lock(tmp_path / "lock", "taken")


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def acquire(*args, **named):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(FileLock, "acquire", acquire)
    with pytest.raises(OSError, match="its file system has no locks"):
        take_lock(tmp_path / "lock", "taken")
