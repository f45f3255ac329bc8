"""`crystalvision plugins new`: every kind of project is built, installed, shown and tested."""

import importlib
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_wheel

from crystalvision.cli import main
from crystalvision.errors import InputError
from crystalvision.scaffold import KINDS, project_names

NAMES = {kind: f"salt-{kind}" for kind in KINDS}


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """One project of every kind, as the command writes it."""
    folder = tmp_path_factory.mktemp("projects")
    for kind, name in NAMES.items():
        assert main(["plugins", "new", name, "--kind", kind, "-o", str(folder / name)]) == 0
    return folder


@pytest.fixture(scope="module")
def site(projects, tmp_path_factory):
    """Where the wheels of all projects are installed."""
    site, before = tmp_path_factory.mktemp("site"), Path.cwd()
    for name in NAMES.values():
        os.chdir(projects / name)  # a build happens in the project's folder
        try:
            wheel = build_wheel(str(site))
        finally:
            os.chdir(before)
        with zipfile.ZipFile(site / wheel) as archive:
            archive.extractall(site)
    return site


@pytest.fixture
def installed(site, monkeypatch):
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.delenv("CRYSTALVISION_PLUGINS", raising=False)

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_every_project_is_listed_once_it_is_installed(run, installed):
    told = json.loads(run("plugins", "--json")[1])
    assert told["failures"] == []
    ours = {row["kind"]: row for row in told["plugins"] if row["name"].startswith("salt-")}
    assert ours.pop("recipe")["name"] == NAMES["source"]
    assert set(ours) == set(KINDS)
    for kind, row in ours.items():
        assert (row["name"], row["distribution"]) == (NAMES[kind], NAMES[kind])
        assert row["error"] == ""
        assert row["summary"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_project_shows_its_options_with_their_meaning(run, installed, kind):
    measure = [] if kind != "backbone" else ["--size", "32"]
    status, out, _ = run("plugins", "show", kind, NAMES[kind], "--json", *measure)
    assert status == 0
    options = json.loads(out)["options"]
    # The options of a source are the keys of its recipe; a file leaves a reader nothing to choose.
    assert options or kind in {"source", "reader"}
    assert all(option["description"] and not option["required"] for option in options)


@pytest.mark.slow  # one of every kind, each with its own training
def test_the_tests_of_every_project_pass(run_python, projects, site):
    files = sorted(projects.glob("*/tests/test_*.py"))
    assert len(files) == len(KINDS)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    line = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = run_python(*line, "--import-mode=importlib", *files, cwd=projects, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout


@pytest.mark.slow
def test_networks_pass_the_battery_in_one_line(projects, site):
    pytest.importorskip("crystalvision.testing")
    names = [NAMES[kind] for kind in ("backbone", "head", "fusion")]
    for name in names:
        line = f"pytest --pyargs crystalvision.testing --crystalvision-only {name}"
        assert line in (projects / name / "README.md").read_text()
    only = [word for name in names for word in ("--crystalvision-only", name)]
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [*line, "--pyargs", "crystalvision.testing", *only],
        cwd=projects,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "check",
    [
        ["format", "--check"],
        ["check", "--select=B,D1,E,F,UP", "--ignore=D107", "--per-file-ignores=**/tests/*:D1"],
    ],
)
def test_every_project_is_formatted_and_free_of_lint(projects, check):
    line = [sys.executable, "-m", "ruff", *check, "--isolated", "--no-cache", "--line-length=100"]
    done = subprocess.run(
        [*line, "--target-version=py311", "."],
        cwd=projects,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_project_says_what_to_type_and_leaves_the_licence_to_its_author(projects):
    for kind, name in NAMES.items():
        readme = (projects / name / "README.md").read_text()
        assert f"crystalvision plugins show {kind} {name}" in readme
        assert "pytest" in readme
        assert "## Licence" in readme
        assert "{{" not in readme
        assert "{%" not in readme
        project = tomllib.loads((projects / name / "pyproject.toml").read_text())["project"]
        assert "license" not in project
        package = name.replace("-", "_")
        assert project["entry-points"]["crystalvision"] == {package: package}
        assert sorted(path.name for path in (projects / name).iterdir()) == [
            ".gitignore",
            "README.md",
            "pyproject.toml",
            "src",
            "tests",
        ]


def test_the_command_says_what_to_do_next(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run("plugins", "new", "salt_net")
    assert status == 0
    assert out.splitlines()[0] == "backbone 'salt-net'  in salt-net"
    assert "  cd salt-net\n" in out
    assert (tmp_path / "salt-net" / "src" / "salt_net" / "backbone.py").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["salt-net"]
    status, out, _ = run("plugins", "new", "pepper", "--kind", "head", "--json")
    told = json.loads(out)
    assert told["folder"] == "pepper"
    assert "src/pepper/head.py" in told["files"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["SaltNet"], "a plugin cannot be called 'SaltNet': expected lower-case"),
        (["SaltNet"], "; 'salt-net' would do"),
        (["3d nets"], "; 'd-nets' would do"),
        (["salt--net"], "; 'salt-net' would do"),
        (["../salt"], "a plugin cannot be called '../salt'"),
        (["class"], "that is a word of Python"),
        (["json"], "there is a package 'json' already"),
        (["torch"], "there is a package 'torch' already"),
        (["crystalvision"], "there is a package 'crystalvision' already"),
        (["dnsnet"], "there is a backbone 'dnsnet' already, from crystalvision"),
        (["softmax", "--kind", "head"], "there is a head 'softmax' already"),
        (
            ["salt", "--kind", "bakcbone"],
            "--kind bakcbone: expected one of reader, input, augmentation, backbone, head",
        ),
    ],
)
def test_names_that_cannot_be_are_refused_in_a_line(run, tmp_path, monkeypatch, arguments, error):
    monkeypatch.chdir(tmp_path)
    status, _, err = run("plugins", "new", *arguments)
    assert status == 2
    assert error in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_one_kind_may_be_that_of_another(run, tmp_path):
    assert run("plugins", "new", "softmax", "-o", tmp_path / "new")[0] == 0


def test_what_is_there_is_never_written_over(run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    status, _, err = run("plugins", "new", "salt", "-o", tmp_path)
    assert status == 2
    assert "exists already and is not empty" in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("plugins", "new", "salt", "-o", empty)[0] == 0
    assert (empty / "pyproject.toml").is_file()


def test_a_disk_that_refuses_leaves_nothing(run, tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    status, _, err = run("plugins", "new", "salt", "-o", tmp_path / "salt")
    assert status == 1
    assert "No space left on device" in err
    assert list(tmp_path.iterdir()) == []


def test_all_names_are_made_of_one():
    names = project_names("salt_net2")
    assert (names.distribution, names.package, names.type_name) == (
        "salt-net2",
        "salt_net2",
        "SaltNet2",
    )
    with pytest.raises(InputError, match="a letter first"):
        project_names("-")
