"""Plugins of a single file: `-p ./my_backbone.py`."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue, PluginSelection

GOOD = """
    from crystalvision import hookimpl

    def make(in_channels, width: int = 4):
        "A network in a file."

    @hookimpl
    def crystalvision_backbones():
        return {"filenet": make}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(source: str, name: str = "my_backbone.py") -> str:
        Path(name).write_text(dedent(source))
        return f"./{name}"

    yield write
    sys.modules.pop("crystalvision_plugin_my_backbone", None)


def test_a_single_file_is_loaded_and_named_by_its_path(write, strangers):
    entry = strangers(write(GOOD)).entry("backbone", "filenet")
    assert entry.plugin.distribution == "my_backbone.py"
    assert entry.summary() == "A network in a file."
    assert [str(option) for option in entry.options()] == ["width=4"]


def test_a_file_named_as_an_installed_module_shadows_nothing(write, strangers):
    import json

    strangers(write(GOOD, "json.py"))
    assert sys.modules["json"] is json
    sys.modules.pop("crystalvision_plugin_json")


def test_the_environment_variable_loads_files_too(write, monkeypatch):
    monkeypatch.setenv("CRYSTALVISION_PLUGINS", f"no:crystalvision, {write(GOOD)}")
    assert Catalogue.load().names("backbone") == ["filenet"]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import a_module_that_is_not_there", "ModuleNotFoundError: No module named"),
        ("def oops(:", "SyntaxError"),
        ("exit(0)", "SystemExit: 0"),
        ("x = 1", "it has no function marked @hookimpl of crystalvision"),
        (
            GOOD.replace("crystalvision_backbones", "crystalvision_bakbones"),
            "unknown hook 'crystalvision_bakbones'; did you mean 'crystalvision_backbones'?",
        ),
    ],
)
def test_a_file_that_fails_is_bad_input_because_it_was_asked_for(write, strangers, source, error):
    path = write(source)
    with pytest.raises(InputError) as caught:
        strangers(path)
    assert str(caught.value).startswith("-p my_backbone.py: ")
    assert error in str(caught.value)


def test_a_missing_file_is_bad_input(strangers):
    with pytest.raises(InputError, match=r"^-p nowhere.py: no such file$"):
        strangers("./nowhere.py")


def test_a_file_given_twice_is_bad_input(write, strangers):
    path = write(GOOD)
    with pytest.raises(InputError, match=r"^-p my_backbone.py: it is loaded already$"):
        strangers(path, path)


@pytest.mark.parametrize("value", ["my_backbone", "acme-nets", ""])
def test_a_value_that_is_neither_a_block_nor_a_file_is_bad_input(value):
    with pytest.raises(InputError, match=f"^-p {value}: expected no:NAME to block a plugin, or"):
        PluginSelection.parse([value])
