"""Every hook is documented, and has its row in KINDS."""

import inspect

import pytest

from crystalvision import hookspecs
from crystalvision.plugins import KINDS

HOOKS = {
    name: thing
    for name, thing in vars(hookspecs).items()
    if inspect.isfunction(thing) and name.startswith("crystalvision_")
}


def test_there_are_hooks():
    assert "crystalvision_backbones" in HOOKS


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_marked_typed_and_has_an_example(name):
    hook = HOOKS[name]
    assert hasattr(hook, "crystalvision_spec"), "it lacks @hookspec"
    assert "return" in inspect.get_annotations(hook)
    assert "Example: `return {" in (hook.__doc__ or "")


def test_every_hook_is_a_kind_and_every_kind_a_hook():
    assert {kind.hook for kind in KINDS.values()} == set(HOOKS)
    assert list(KINDS) == [kind.name for kind in KINDS.values()]
    for kind in KINDS.values():
        assert kind.hook == f"crystalvision_{kind.name}s"


def test_what_the_toolkit_supplies_is_said_in_the_hooks_docstring():
    for kind in KINDS.values():
        for parameter in kind.context:
            assert f"`{parameter}`" in (HOOKS[kind.hook].__doc__ or "")
