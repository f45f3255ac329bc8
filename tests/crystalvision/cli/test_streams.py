"""Streams that are closed, full or of another encoding lose no work, and are no internal error."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = f"{sys.executable} -c 'import sys; from crystalvision.cli import main; sys.exit(main())'"
SCRIPT = """\
from crystalvision import hookimpl


def write():
    "Print what was done, after the work."
    from pathlib import Path

    from crystalvision.console import err, out, print_json

    for number in range(2_000):
        out.print(f"line {number} ☃ {chr(0xdcff)}")
    err.print("note: ☃")
    print_json({"name": "☃ é \\u202e"})
    Path("done").write_text("whole")


@hookimpl
def crystalvision_commands():
    return {"write": write}
"""


@pytest.fixture
def shell(tmp_path):
    """Runs a line of bash in a folder that has the plugin `tell.py`, whose command is `write`."""
    (tmp_path / "tell.py").write_text(SCRIPT)

    def run(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        whole = line.replace("CV", PROGRAM).replace("WRITE", f"{PROGRAM} -p ./tell.py write")
        return subprocess.run(
            ["bash", "-c", f"set -o pipefail; {whole}"],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, **environment},
        )

    return run


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("WRITE >&-", 0),
        ("WRITE <&- >&- 2>&-", 0),
        ("WRITE | head -n 1", 141),
        ("WRITE 2>&1 >/dev/null | true", 0),
    ],
)
def test_work_is_done_whoever_listens(shell, tmp_path, line, status):
    done = shell(line)
    assert done.stderr.decode() in {"", "note: ☃\n"}
    assert done.returncode == status
    assert (tmp_path / "done").read_text() == "whole"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_told(shell):
    done = shell("WRITE > /dev/full")
    assert (done.returncode, done.stderr.decode()) == (1, "error: the disk is full\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_a_stream_cannot_encode_is_escaped(shell, encoding):
    done = shell("WRITE", PYTHONIOENCODING=encoding)
    snow = "☃" if encoding == "utf-8" else "\\u2603"
    text = done.stdout.decode(encoding)
    assert done.returncode == 0
    assert text.startswith(f"line 0 {snow} \\udcff\n")
    assert json.loads(text[text.index("{") :]) == {"name": "☃ é \u202e"}
    assert done.stderr.decode(encoding) == f"note: {snow}\n"


@pytest.mark.parametrize("line", ["CV --help | true", "CV --version >&-"])
def test_help_that_nobody_reads_is_no_error(shell, line):
    done = shell(line)
    assert done.returncode in {0, 141}
    assert not done.stderr


@pytest.mark.parametrize(
    ("line", "shown", "environment"),
    [
        ("CV plugins show structure aluminium", "a_angstrom", {"COLUMNS": "0"}),
        ("CV --help", "Commands", {"COLUMNS": "0"}),
        ("CV --help", "Commands", {"COLUMNS": "²"}),
        ("CV --help", "Commands", {"COLUMNS": "20", "TERM": "dumb", "NO_COLOR": "1"}),
    ],
)
def test_any_terminal_shows_all_and_a_file_gets_no_escape_codes(shell, line, shown, environment):
    done = shell(line, **environment)
    text = done.stdout.decode()
    assert done.returncode == 0
    assert "\x1b" not in text
    assert shown in "".join(text.split())


def test_a_file_that_is_written_never_gets_what_is_printed(shell, tmp_path):
    """A closed stdout leaves its number free, which the next file that is opened would get."""
    (tmp_path / "tell.py").write_text(
        SCRIPT.replace(
            '    Path("done").write_text("whole")',
            '    import os\n    with open("done", "w") as file:\n'
            '        os.write(1, b"stray")\n        file.write("whole")',
        )
    )
    assert shell("WRITE >&-").returncode == 0
    assert (tmp_path / "done").read_text() == "whole"
