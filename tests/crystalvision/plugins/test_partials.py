"""A factory may be a partial: what it binds is no option, or one with that default."""

from functools import partial

import pytest

from crystalvision.errors import InputError
from crystalvision.plugins import documentation, unwrapped

NETS = '''
    from functools import partial
    from crystalvision import hookimpl

    class Net:
        """A network of one kind or another.

        Attributes:
            stride: Its stride.
        """
        num_features = 8
        stride = 4

        def __init__(self, kind: str, in_channels: int, *, depth: int, width: int = 32):
            """Make it.

            Args:
                depth: How deep it is.
                width: How wide it is.
            """
            self.got = (kind, in_channels, depth, width)

        def forward(self, images):
            return images

    def net(kind: str, in_channels: int, *, depth: int, width: int = 32):
        """Any network."""
        return Net(kind, in_channels, depth=depth, width=width)

    named = partial(net, "named", depth=5)
    named.__doc__ = """A named network, five deep.

    Told at length.
    """

    def lazy(in_channels: int, width: int = 32) -> "NameOfTypeCheckersAlone":
        """A network whose type is imported for type checkers alone."""
        return Net("lazy", in_channels, depth=1, width=width)

    @hookimpl
    def crystalvision_backbones():
        return {
            "lazy": lazy,
            "class": partial(Net, "class"),
            "named": named,
            "nested": partial(partial(net, "nested", width=8), depth=2),
            "text": "acme:named",
        }
'''


@pytest.fixture
def catalogue(stranger, strangers):
    stranger("acme-nets", acme=NETS)
    return strangers()


def told(catalogue, name):
    options = catalogue.entry("backbone", name).options()
    return [(option.name, option.type_name, str(option)) for option in options]


def test_what_is_bound_by_position_is_no_option(catalogue):
    assert told(catalogue, "class") == [("depth", "int", "depth"), ("width", "int", "width=32")]
    with pytest.raises(InputError, match="backbone 'class' has no option 'kind'"):
        catalogue.create("backbone", "class", {"depth": 1, "kind": "x"}, in_channels=1)


@pytest.mark.parametrize("name", ["named", "text"])
def test_what_is_bound_by_name_is_an_option_with_that_default(catalogue, name):
    assert told(catalogue, name) == [("depth", "int", "depth=5"), ("width", "int", "width=32")]
    made = catalogue.create("backbone", name, in_channels=1)
    assert made.got == ("named", 1, 5, 32)
    assert catalogue.create("backbone", name, {"depth": "6"}, in_channels=1).got[2] == 6
    with pytest.raises(InputError, match="option depth='deep': Input should be a valid integer"):
        catalogue.create("backbone", name, {"depth": "deep"}, in_channels=1)


def test_partials_may_be_nested(catalogue):
    assert told(catalogue, "nested") == [("depth", "int", "depth=2"), ("width", "int", "width=8")]
    assert catalogue.create("backbone", "nested", in_channels=3).got == ("nested", 3, 2, 8)


def test_a_type_that_a_factory_returns_need_not_exist(catalogue):
    """Only type checkers need it: its options are checked all the same."""
    assert told(catalogue, "lazy") == [("width", "int", "width=32")]
    with pytest.raises(InputError, match="option width='wide': Input should be a valid integer"):
        catalogue.create("backbone", "lazy", {"width": "wide"}, in_channels=1)


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("class", "A network of one kind or another."),
        ("named", "A named network, five deep."),
        ("nested", "Any network."),
        ("text", "A named network, five deep."),
    ],
)
def test_the_summary_is_its_own_or_that_of_its_function(catalogue, name, summary):
    assert catalogue.entry("backbone", name).summary() == summary


def test_the_command_line_shows_a_partial_as_any_other_factory(catalogue):
    from crystalvision.cli._describe import details

    shown = details(catalogue.entry("backbone", "class"))
    assert shown["summary"] == shown["description"] == "A network of one kind or another."
    assert [(each["name"], each["description"]) for each in shown["options"]] == [
        ("depth", "How deep it is."),
        ("width", "How wide it is."),
    ]
    named = details(catalogue.entry("backbone", "named"))
    assert named["description"] == "A named network, five deep.\n\nTold at length."


def test_a_partial_without_any_documentation_has_none():
    def silent():
        pass

    factory = partial(silent)
    assert documentation(factory) == ""
    assert unwrapped(factory) is silent
    factory.__doc__ = ""
    assert documentation(factory) == ""
