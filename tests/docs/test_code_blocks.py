"""Every fenced block of the README and of docs/ is run, or checked against what it is about.

Python is run, one page in one namespace and one folder; commands are parsed by the real command
line; YAML, TOML and JSON are parsed. A comment on the line before a fence may say otherwise:

    <!-- block: file NAME -->      write the block to the page's folder as NAME
    <!-- block: run -->            run its commands, not only parse them
    <!-- block: skip REASON -->    leave it alone, for a reason
"""

import json
import re
import shlex
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
import yaml

from crystalvision.classical import build_classical
from crystalvision.cli import main
from crystalvision.cli._arguments import split_arguments
from crystalvision.cli._main import build_group
from crystalvision.config import validate
from crystalvision.contracts import Target
from crystalvision.datasets import detector_axes
from crystalvision.inputs import build_preprocess
from crystalvision.models import build_system
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.training import ClassicalExperiment, Schedule, check_experiment
from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.simulator import Simulator

ROOT = Path(__file__).parents[2]
AXES = detector_axes((256, 256), (0.0125, 0.0125), None)
TARGETS = {
    "label": Target(name="label", task="classification", classes=tuple("abcd")),
    "severity": Target(name="severity", task="regression"),
    "thickness_angstrom": Target(name="thickness_angstrom", task="regression", units="angstrom"),
}
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})\s*(\w*)\s*$")
_MARK = re.compile(r"^\s*<!--\s*block:\s*(file|run|skip)\b\s*(.*?)\s*-->\s*$")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str
    mark: str = ""
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    position = 0
    while position < len(lines):
        opening = _FENCE.match(lines[position])
        if opening is None:
            position += 1
            continue
        indent, fence, language = opening.groups()
        start = position + 1
        end = start
        while end < len(lines) and lines[end].strip() != fence:
            end += 1
        if end == len(lines):
            raise ValueError(f"{page.name}:{start}: the fence is never closed")
        mark = _MARK.match(lines[position - 1]) if position else None
        text = "\n".join(line.removeprefix(indent) for line in lines[start:end]) + "\n"
        found.append(Block(page, start, language, text, *(mark.groups() if mark else ("", ""))))
        position = end + 1
    return found


def commands(block: Block) -> list[list[str]]:
    """The commands of a shell block, in words; of a console block, the lines that begin with $."""
    text = block.text.replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def parse_command(words: list[str]) -> None:
    """Parse `crystalvision ...` as the program would, without running the command."""
    arguments = split_arguments(words)
    catalogue = Catalogue.load(PluginSelection.from_environment(arguments.plugins))
    command = build_group(catalogue)
    rest = list(arguments.rest)
    try:
        context = command.make_context("crystalvision", rest)
        while hasattr(command, "resolve_command"):
            rest = [*context._protected_args, *context.args]
            if not rest:
                return  # a group that does something by itself, such as `crystalvision plugins`
            name, command, rest = command.resolve_command(context, rest)
            context = command.make_context(name, rest, parent=context)
    except typer.Exit:  # --help, --version
        return


def check_make(words: list[str]) -> None:
    """Each target of `make ...` must be in the Makefile."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    for word in words:
        assert "=" in word or word in targets, f"the Makefile has no target {word}"


def check_install(words: list[str]) -> None:
    """Each extra of `pip install .[a,b]` must be in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for word in words:
        for extras in re.findall(r"\[([\w,-]+)\]", word):
            assert set(extras.split(",")) <= set(project["optional-dependencies"]), word


def check_yaml(data: dict, source: str) -> None:
    """A recipe must simulate, an experiment and a schedule must be valid."""
    catalogue = Catalogue.load()
    if "classes" in data or "extends" in data:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recipe.yaml"
            path.write_text(yaml.safe_dump(data))
            Simulator(load_recipe(str(path), catalogue), catalogue)
    elif "system" in data:
        experiment = check_experiment(data, source)
        if isinstance(experiment, ClassicalExperiment):
            build_classical(
                experiment.system,
                catalogue,
                preprocess=build_preprocess(experiment.input, catalogue, AXES),
                channels=1,
                targets=TARGETS,
                seed=0,
            )
        else:
            build_system(
                experiment.system,
                catalogue,
                in_channels=1,
                targets=TARGETS,
                grid=(128, 128),
                axes=AXES,
            )
    else:
        assert list(data) == ["schedule"]
        validate(Schedule, {"phases": data["schedule"]}, source)


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "crystalvision": parse_command,
    "make": check_make,
    "pip": check_install,
    "git": lambda _words: None,
    "cd": lambda _words: None,
}


def check_commands(block) -> None:
    for words in commands(block):
        program, *arguments = words
        assert program in CHECKS, f"{block}: `{program}` is no command that this test can check"
        if block.mark == "run":
            assert program == "crystalvision", f"{block}: only crystalvision can be run here"
            assert main(arguments) == 0, f"{block}: `{' '.join(words)}` failed"
        else:
            CHECKS[program](arguments)


def check(block, namespace: dict[str, object]) -> None:
    """Do with a block what its language and its mark ask for."""
    if block.mark == "skip":
        assert block.argument, f"{block}: say why it is skipped"
    elif block.mark == "file":
        path = Path(block.argument)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    elif block.language == "python":
        exec(compile(block.text, str(block), "exec"), namespace)
    elif block.language in {"console", "bash", "sh"}:
        check_commands(block)
    elif block.language == "yaml":
        check_yaml(yaml.safe_load(block.text), str(block))
    elif block.language == "toml":
        tomllib.loads(block.text)
    elif block.language == "json":
        json.loads(block.text)
    else:
        assert block.language == "text", f"{block}: unknown language '{block.language}'"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_do_what_they_say(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CRYSTALVISION_PLUGINS", raising=False)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        check(block, namespace)


def page_with(tmp_path: Path, text: str):
    page = tmp_path / "page.md"
    page.write_text(text)
    return blocks(page)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("```python\n1 / 0\n```", "division by zero"),
        ("```console\n$ crystalvision trian\n```", "No such command 'trian'"),
        ("```bash\ncrystalvision train quick --bogus 3\n```", "No such option: --bogus"),
        ("```bash\ncrystalvision -p ./nowhere.py plugins\n```", "no such file"),
        ("```bash\nmake coffee\n```", "the Makefile has no target coffee"),
        ("```bash\npip install '.[test,coffee]'\n```", "coffee"),
        ("```bash\nrm -rf /\n```", "is no command that this test can check"),
        ("<!-- block: skip -->\n```python\n1 / 0\n```", "say why it is skipped"),
        (
            "<!-- block: run -->\n```bash\ncrystalvision plugins show backbone nonet\n```",
            "failed",
        ),
        ("```yaml\na: [1\n```", "expected ',' or ']'"),
        ("```\nplain\n```", "unknown language ''"),
    ],
)
def test_a_block_that_is_wrong_is_found(tmp_path, text, error):
    (block,) = page_with(tmp_path, text)
    with pytest.raises(Exception, match=re.escape(error)):
        check(block, {})


def test_blocks_are_read_with_their_marks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (
        "Text.\n\n<!-- block: file a/b.py -->\n```python\nx = 1\n```\n\n"
        "1. In a list:\n\n   ```console\n   $ crystalvision plugins \\\n       --json\n"
        "   {}\n   ```\n\n<!-- block: skip needs a GPU -->\n```python\n1 / 0\n```\n"
    )
    first, second, third = page_with(tmp_path, text)
    check(first, {})
    assert Path("a/b.py").read_text() == "x = 1\n"
    assert commands(second) == [["crystalvision", "plugins", "--json"]]
    check(second, {})
    check(third, {})
    assert str(third) == "page.md:17"


def test_a_fence_that_is_never_closed_is_found(tmp_path):
    with pytest.raises(ValueError, match=r"page.md:1: the fence is never closed"):
        page_with(tmp_path, "```python\nx = 1\n")
