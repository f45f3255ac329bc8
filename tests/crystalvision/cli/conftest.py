"""Runs command lines within the test's own process."""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import dedent

import pytest

from crystalvision import console
from crystalvision.cli import main


@dataclass(frozen=True)
class Outcome:
    """How a command line ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys, monkeypatch) -> Run:
    """Runs `crystalvision ARGUMENTS...` as on a terminal of 80 columns."""
    monkeypatch.delenv("CRYSTALVISION_PLUGINS", raising=False)
    monkeypatch.setattr(console.out, "width", 80)
    monkeypatch.setattr(console.err, "width", 80)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: object) -> Outcome:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


@pytest.fixture
def acme(stranger) -> Callable[[str], None]:
    """Installs a distribution with the command `acme`, whose body is given."""

    def install(body: str) -> None:
        head = """\
        from crystalvision import hookimpl

        @hookimpl
        def crystalvision_commands():
            return {"acme": "acme_cli:acme"}
        """
        lines = "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())
        function = (
            f'import typer\n\ndef acme(ctx: typer.Context):\n    "Do as acme does."\n{lines}\n'
        )
        stranger("acme-tools", entry_points={"acme": "acme"}, acme=head, acme_cli=function)

    return install
