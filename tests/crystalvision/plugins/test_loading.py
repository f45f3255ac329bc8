"""Loading installed plugins: what fails costs only itself."""

import sys

import pytest

from crystalvision.errors import InputError, PluginError

GOOD = """
    from crystalvision import hookimpl

    @hookimpl
    def crystalvision_backbones():
        return {"foonet": lambda in_channels: None}
"""


def failure(catalogue, plugin: str) -> str:
    (error,) = [each.error for each in catalogue.failures if each.plugin.name == plugin]
    return error


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import a_module_that_is_not_there", "ModuleNotFoundError: No module named"),
        ("raise RuntimeError('no such card')", "RuntimeError: no such card"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def oops(:", "SyntaxError"),
        ("x = 1", "it has no function marked @hookimpl of crystalvision"),
    ],
)
def test_a_plugin_that_fails_to_import_costs_only_itself(stranger, strangers, source, error):
    stranger("bad-nets", bad=source)
    stranger("good-nets", good=GOOD)
    catalogue = strangers()
    assert catalogue.names("backbone") == ["foonet"]
    assert error in failure(catalogue, "bad")
    assert str(catalogue.failures[0].plugin) == "bad-nets 1.0"


def test_an_entry_point_to_nothing_is_listed_with_its_error(stranger, strangers):
    stranger("bad-nets", entry_points={"bad": "bad:plugin"}, bad="x = 1")
    assert "AttributeError" in failure(strangers(), "bad")


def test_an_entry_point_to_none_is_listed_with_its_error(stranger, strangers):
    stranger("bad-nets", entry_points={"bad": "bad:plugin"}, bad="plugin = None")
    assert "no function marked @hookimpl" in failure(strangers(), "bad")


def test_a_misspelt_hook_fails_at_load_and_names_the_nearest(stranger, strangers):
    stranger("bad-nets", bad=GOOD.replace("crystalvision_backbones", "crystalvision_backbone"))
    stranger("good-nets", good=GOOD)
    catalogue = strangers()
    assert failure(catalogue, "bad").startswith(
        "unknown hook 'crystalvision_backbone'; did you mean 'crystalvision_backbones'? Hooks: "
    )
    assert [entry.plugin.name for entry in catalogue.of_kind("backbone")] == ["good"]


def test_a_hook_with_a_wrong_argument_fails_at_load(stranger, strangers):
    wrong = """
    @hookimpl
    def crystalvision_heads(banana):
        return {}
    """
    stranger("bad-nets", bad=GOOD + wrong)
    catalogue = strangers()
    assert "banana" in failure(catalogue, "bad")
    assert "\n" not in failure(catalogue, "bad")
    assert catalogue.entries == []


def test_the_same_module_twice_is_refused_by_name(stranger, strangers):
    stranger("acme-nets", entry_points={"first": "acme", "second": "acme"}, acme=GOOD)
    catalogue = strangers()
    assert failure(catalogue, "second") == ("it is the same module as the plugin 'acme-nets:first'")
    assert catalogue.names("backbone") == ["foonet"]


@pytest.mark.parametrize(
    ("returned", "error"),
    [
        ("1 / 0", "crystalvision_backbones() failed: ZeroDivisionError: division by zero"),
        ("None", "crystalvision_backbones(): it returned a NoneType; expected a mapping of names"),
        ("['ab']", "crystalvision_backbones(): it returned a list; expected a mapping of names"),
        ("{7: print}", "it offers the name 7; expected text"),
        ("{'a:b': print}", "it offers the name 'a:b'; expected text without ':'"),
    ],
)
def test_a_hook_that_fails_or_returns_nonsense_is_listed(stranger, strangers, returned, error):
    source = GOOD.replace('{"foonet": lambda in_channels: None}', returned)
    stranger("bad-nets", bad=source)
    stranger("good-nets", good=GOOD)
    catalogue = strangers()
    assert error in failure(catalogue, "bad")
    assert catalogue.names("backbone") == ["foonet"]


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("nowhere.at_all:Net", "ModuleNotFoundError: No module named 'nowhere'"),
        ("math:Net", "AttributeError: module 'math' has no attribute 'Net'"),
        ("math", "expected 'module:attribute'"),
        ("good_nets_that_exit:Net", "SystemExit"),
    ],
)
def test_text_that_names_nothing_fails_only_when_asked_for(stranger, strangers, target, error):
    source = GOOD.replace("return {", f'return {{"lost": "{target}", ')
    stranger("acme-nets", entry_points={"acme": "acme"}, acme=source, good_nets_that_exit="exit(1)")
    catalogue = strangers()
    assert catalogue.names("backbone") == ["foonet", "lost"]
    with pytest.raises(PluginError, match=r"'lost' of acme-nets 1\.0 cannot be") as caught:
        catalogue.create("backbone", "lost", in_channels=1)
    assert f"from '{target}'" in str(caught.value)
    assert error in str(caught.value)


def test_text_is_imported_only_when_asked_for(stranger, strangers):
    source = GOOD.replace("return {", 'return {"lazy": "acme_lazy:make", ')
    lazy = """
        IMPORTED = True

        def make(in_channels):
            "A network."
    """
    stranger("acme-nets", entry_points={"acme": "acme"}, acme=source, acme_lazy=lazy)
    catalogue = strangers()
    assert "acme_lazy" not in sys.modules
    assert catalogue.entry("backbone", "lazy").summary() == "A network."
    assert "acme_lazy" in sys.modules


def test_something_that_cannot_be_called_is_refused(stranger, strangers):
    stranger("acme-nets", acme=GOOD.replace("lambda in_channels: None", "42"))
    with pytest.raises(PluginError, match="is of type int; expected a callable"):
        strangers().create("backbone", "foonet", in_channels=1)


@pytest.mark.parametrize("name", ["bad", "bad-nets"])
def test_a_plugin_is_blocked_by_its_name_or_its_distribution(stranger, strangers, name):
    stranger("bad-nets", bad="raise AssertionError('it was imported')")
    stranger("good-nets", good=GOOD)
    catalogue = strangers(f"no:{name}")
    assert catalogue.failures == []
    assert catalogue.names("backbone") == ["foonet"]


def test_blocking_what_is_not_there_is_an_error_that_lists_what_is(stranger, strangers):
    stranger("good-nets", good=GOOD)
    with pytest.raises(
        InputError, match=r"^-p no:goood: no such plugin; installed: .*\bgood, good-nets$"
    ):
        strangers("no:goood")
