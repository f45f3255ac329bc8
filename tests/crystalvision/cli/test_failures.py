"""Every error ends in one line on stderr and a status; `--debug` adds the traceback."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (
            "from crystalvision.errors import InputError\nraise InputError('dose=-1: negative')",
            2,
            "error: dose=-1: negative",
        ),
        (
            "from crystalvision.errors import StorageError\nraise StorageError('data: damaged')",
            1,
            "error: data: damaged",
        ),
        (
            "raise OSError(28, 'No space left on device', 'out.zarr')",
            1,
            "error: out.zarr: the disk is full",
        ),
        ("raise OSError(13, 'no', 'x')", 1, "error: x: permission denied"),
        ("raise OSError(30, 'no')", 1, "error: the file system is read-only"),
        ("raise KeyboardInterrupt", 130, "interrupted"),
        ("raise typer.Abort", 130, "interrupted"),
        (
            "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)",
            143,
            "terminated",
        ),
        ("raise MemoryError", 1, "error: not enough memory"),
        ("raise BrokenPipeError", 141, ""),
        (
            "raise ValueError('bad [red]:star:\\nluck')",
            70,
            (
                "internal error: ValueError: bad [red]:star: luck (run again with --debug for the "
                "traceback, and please report it)"
            ),
        ),
        ("{}['nowhere']", 70, "internal error: KeyError: 'nowhere' (run again with"),
        ("raise FileNotFoundError(2, 'No such file', 'x')", 70, "internal error: FileNotFoundErr"),
    ],
)
def test_an_error_is_one_line_and_a_status(run, acme, body, status, error):
    acme(body)
    outcome = run("acme")
    assert outcome.status == status
    assert outcome.out == ""
    assert outcome.err.startswith(error)
    assert outcome.err.count("\n") == bool(error)


def test_a_long_error_is_not_broken_into_lines(run, acme):
    acme("from crystalvision.errors import InputError\nraise InputError('x ' * 200)")
    assert run("acme").err.count("\n") == 1


@pytest.mark.parametrize("line", [["acme", "--debug"], ["--debug", "acme"]])
def test_debug_shows_the_traceback_and_then_the_line(run, acme, line):
    acme("from crystalvision.errors import InputError\nraise InputError('dose=-1: negative')")
    outcome = run(*line)
    assert outcome.status == 2
    assert outcome.err.startswith("Traceback (most recent call last)")
    assert 'acme_cli.py", line' in outcome.err
    assert outcome.err.endswith("\nerror: dose=-1: negative\n")


def test_debug_works_on_a_line_that_is_wrong(run):
    assert "Traceback" in run("plugins", "--debug", "-p").err


NOISY = (
    "import logging, warnings, sys\n"
    "warnings.warn('mind the gap', UserWarning, stacklevel=1)\n"
    "logging.getLogger('some.library').warning('mind the step')\n"
    "print('done')"
)


def command(body: str, *arguments: str) -> list[str]:
    """A process of its own: pytest takes warnings and log records for itself."""
    code = (
        "import sys, typer\nfrom crystalvision.cli import _commands, main\n"
        f"body = compile({body!r}, 'body', 'exec')\n"
        "app = typer.Typer()\n"
        "@app.command()\ndef noisy():\n    exec(body)\n"
        "_commands.OWN_COMMANDS['noisy'] = 'here:app'\n"
        "sys.modules['here'] = sys.modules['__main__']\n"
        f"sys.exit(main({['noisy', *arguments]!r}))"
    )
    return [sys.executable, "-c", code]


def test_warnings_of_libraries_stay_off_the_screen():
    quiet = subprocess.run(command(NOISY), capture_output=True, text=True, check=True, timeout=60)
    assert quiet.stdout == "done\n"
    assert quiet.stderr == ""


def test_debug_shows_the_warnings_of_libraries():
    loud = subprocess.run(
        command(NOISY, "--debug"), capture_output=True, text=True, check=True, timeout=60
    )
    assert "mind the gap" in loud.stderr
    assert "mind the step" in loud.stderr


@pytest.mark.parametrize("body", ["for i in range(100_000): print(i)", "print('a line')"])
def test_a_reader_that_goes_away_is_no_error(body):
    with subprocess.Popen(
        command(body), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
