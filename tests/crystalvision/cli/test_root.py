"""The program itself: help, version, finding commands, `-p`."""

import subprocess
import sys

import pytest

import crystalvision
from crystalvision.cli._commands import OWN_COMMANDS

HEAVY = ["torch", "lightning", "matplotlib", "ase", "pymatgen", "sklearn", "scipy", "zarr"]


def python(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return result.stdout


STATUSES = """
import sys
from crystalvision.cli import main
for line in {lines!r}:
    status = main(line)
    print(status, [name for name in {names!r} if name in sys.modules])
"""


def test_help_imports_nothing_heavy():
    lines = [["--help"], [], ["plugins", "--help"], ["train", "--help"]]
    printed = python(STATUSES.format(lines=lines, names=HEAVY)).splitlines()
    assert printed.count("0 []") == len(lines)


def test_what_knows_datasets_alone_imports_no_torch(dataset_path):
    lines = [["dataset", command, str(dataset_path)] for command in ("info", "verify")]
    printed = python(STATUSES.format(lines=lines, names=["torch"])).splitlines()
    assert printed.count("0 []") == len(lines)


def test_help_lists_the_commands_with_their_summaries(run):
    outcome = run("--help")
    assert outcome.status == 0
    for name in [*OWN_COMMANDS, "simulate"]:
        (line,) = [line for line in outcome.out.splitlines() if line.startswith(f"│ {name} ")]
        summary = line.strip("│ ").removeprefix(name).strip()
        assert summary, "it has no summary"
        assert not summary.startswith("crystalvision"), "its own name says nothing"
    assert "--plugin" in outcome.out
    assert "--debug" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_each_command_has_help_that_fits_80_columns(run, name):
    outcome = run(name, "--help")
    assert outcome.status == 0
    assert f"Usage: crystalvision {name}" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_version(run):
    assert run("--version").out == f"crystalvision {crystalvision.__version__}\n"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["trian"], "error: no such command 'trian'. Did you mean 'train'?"),
        (["--verson"], "error: no such option: --verson"),
        (["plugins", "shwo"], "error: no such command 'shwo'. Did you mean 'show'?"),
        (["plugins", "show", "backbone"], "error: missing argument 'name'"),
        (["dataset"], "error: missing command (see crystalvision dataset --help)"),
        (["-p"], "error: -p needs a value: no:NAME"),
        (["plugins", "-p", "--"], "error: -p needs a value: no:NAME"),
        (["-p", "nowhere.py", "plugins"], "error: -p nowhere.py: no such file"),
        (["-p", "dnsnet", "plugins"], "error: -p dnsnet: expected no:NAME to block a plugin"),
    ],
)
def test_a_wrong_line_is_one_line_and_status_2(run, line, error):
    outcome = run(*line)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.lower().startswith(error.lower())
    assert outcome.err.count("\n") == 1


def test_a_command_of_a_plugin_gets_the_state(run, acme):
    acme("print(type(ctx.obj).__name__, ctx.obj.debug, sorted(ctx.obj.selection.blocked))")
    assert run("acme").out == "State False []\n"
    assert run("--debug", "-p", "no:crystalvision_heads", "acme").out == (
        "State True ['crystalvision_heads']\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        ["-p", "no:acme", "acme"],
        ["acme", "-p", "no:acme"],
        ["acme", "-pno:acme"],
        ["acme", "--plugin", "no:acme-tools"],
        ["--plugin=no:acme-tools", "acme"],
    ],
)
def test_a_plugin_is_blocked_from_anywhere_on_the_line(run, acme, line):
    acme("print('acme was here')")
    assert run("acme").out == "acme was here\n"
    outcome = run(*line)
    assert outcome.status == 2
    assert outcome.err.startswith("error: no such command 'acme'")


def test_what_follows_two_dashes_is_left_to_the_command(run, stranger):
    source = """
        from crystalvision import hookimpl

        def echo(words: list[str]):
            print(words)

        @hookimpl
        def crystalvision_commands():
            return {"echo": echo}
    """
    stranger("acme-tools", acme=source)
    assert run("echo", "--", "-p", "--debug").out == "['-p', '--debug']\n"


def test_a_single_file_brings_a_command(run, tmp_path):
    path = tmp_path / "hello.py"
    path.write_text(
        "from crystalvision import hookimpl\n"
        "def hello(name: str = 'you'):\n    print('hello', name)\n"
        "@hookimpl\ndef crystalvision_commands():\n    return {'hello': hello}\n"
    )
    assert run("hello", "--name", "me", "-p", path).out == "hello me\n"
    sys.modules.pop("crystalvision_plugin_hello")


def test_help_reads_a_commands_summary_without_importing_it(run, acme):
    acme("print('acme was here')")
    outcome = run("--help")
    assert "Do as acme does." in outcome.out
    assert "acme_cli" not in sys.modules
    assert "Do as acme does." in run("acme", "--help").out


def test_a_command_that_cannot_be_imported_costs_only_itself(run, stranger):
    source = """
        from crystalvision import hookimpl

        @hookimpl
        def crystalvision_commands():
            return {"lost": "nowhere:lost", "seven": 7, "odd": lambda *, x: object}
    """
    stranger("acme-tools", acme=source)
    assert run("--help").status == 0
    outcome = run("lost")
    assert outcome.status == 1
    assert outcome.err.startswith(
        "error: command 'lost' of acme-tools 1.0 cannot be loaded from 'nowhere:lost': Module"
    )
    assert "command 'seven' of acme-tools 1.0 is of type int" in run("seven").err


def test_a_command_that_typer_cannot_read_is_the_plugins_fault(run, stranger):
    source = """
        from crystalvision import hookimpl

        def odd(thing: int | str):
            ...

        @hookimpl
        def crystalvision_commands():
            return {"odd": odd}
    """
    stranger("acme-tools", acme=source)
    outcome = run("odd")
    assert outcome.status == 1
    assert outcome.err.startswith("error: command 'odd' of acme-tools 1.0 cannot be made a command")


COMMAND = """
    from crystalvision import hookimpl

    @hookimpl
    def crystalvision_commands():
        return {"NAME": print}
"""


def test_a_name_that_two_distributions_offer_fails_when_called_and_names_both(run, stranger):
    stranger("acme-tools", acme=COMMAND.replace("NAME", "polish"))
    stranger("zeta-tools", zeta=COMMAND.replace("NAME", "polish"))
    error = "the command 'polish' is offered by acme-tools 1.0 and zeta-tools 1.0"
    outcome = run("polish")
    assert outcome.status == 2
    assert outcome.err == f"error: {error}: leave one out, for example with -p no:zeta\n"
    assert run("plugins").status == 0
    assert "is offered by" in run("--help").out
    assert "offered by" not in run("polish", "-p", "no:zeta", "--help").err


def test_a_plugin_cannot_take_a_name_of_ours(run, stranger):
    stranger("acme-tools", acme=COMMAND.replace("NAME", "train"))
    outcome = run("train")
    assert outcome.status == 2
    version = crystalvision.__version__
    assert f"offered by crystalvision {version} and acme-tools 1.0" in outcome.err
    assert outcome.err.endswith("-p no:acme\n")


def test_a_typer_app_joins_with_its_subcommands(run, stranger):
    source = """
        import typer
        from crystalvision import hookimpl

        app = typer.Typer(help="Zoo keeping.")

        @app.command()
        def feed(animal: str):
            print("fed", animal)

        @app.command()
        def clean():
            raise typer.Exit(3)

        @hookimpl
        def crystalvision_commands():
            return {"zoo": app}
    """
    stranger("zoo-tools", zoo=source)
    assert "Zoo keeping." in run("--help").out
    assert run("zoo", "feed", "lion").out == "fed lion\n"
    assert run("zoo", "clean").status == 3
