"""Making things: options are checked against the factory, results against the contract."""

from pathlib import Path
from typing import Any, Literal, Optional

import pytest

from crystalvision.errors import InputError, PluginError
from crystalvision.plugins import Option

NETS = """
    from typing import Literal
    from crystalvision import hookimpl
    from crystalvision.errors import InputError

    class Net:
        "A network."
        num_features = 8
        stride = 4

        def __init__(self, in_channels: int, *, depth: int, width: int = 32,
                     norm: Literal["batch", "group"] = "batch"):
            self.got = (in_channels, depth, width, norm)
            if width > 1000:
                raise ValueError(f"width={width} is too wide; expected at most 1000")
            if width == 13:
                raise RuntimeError("out of luck")
            if width == 14:
                raise InputError("width=14 brings bad luck")

        def forward(self, images):
            return images

    class Shapeless:
        def __init__(self, in_channels):
            self.num_features = 8

        def forward(self, images):
            return images

    def loose(in_channels, **options):
        net = Net(in_channels, depth=1)
        net.options = options
        return net

    @hookimpl
    def crystalvision_backbones():
        return {"net": Net, "shapeless": Shapeless, "loose": loose, "builtin": dict.fromkeys}
"""


@pytest.fixture
def catalogue(stranger, strangers):
    stranger("acme-nets", acme=NETS)
    return strangers()


def make(catalogue, name="net", **options):
    return catalogue.create("backbone", name, options, in_channels=1)


def test_options_and_the_toolkits_own_arguments_reach_the_factory(catalogue):
    assert make(catalogue, depth=3, norm="group").got == (1, 3, 32, "group")


def test_a_value_is_converted_to_the_annotated_type(catalogue):
    assert make(catalogue, depth="3").got == (1, 3, 32, "batch")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            {"depth": 3, "widht": 8},
            (
                "backbone 'net' has no option 'widht'; did you mean 'width'? "
                "Its options: depth, width=32, norm='batch'"
            ),
        ),
        (
            {},
            "backbone 'net' needs the option 'depth'. Its options: depth, width=32, norm='batch'",
        ),
        ({"depth": "deep"}, "backbone 'net': option depth='deep': Input should be a valid integer"),
        ({"depth": 3, "norm": "none"}, "option norm='none': Input should be 'batch' or 'group'"),
        ({"depth": 3, "in_channels": 3}, "backbone 'net' has no option 'in_channels'"),
        ({"depth": 3, "width": 2000}, "backbone 'net': width=2000 is too wide; expected at most"),
        ({"depth": 3, "width": 14}, "width=14 brings bad luck"),
    ],
)
def test_a_wrong_option_is_bad_input(catalogue, options, error):
    with pytest.raises(InputError) as caught:
        make(catalogue, **options)
    assert error in str(caught.value)
    assert "\n" not in str(caught.value)


def test_options_are_checked_without_making_anything(catalogue):
    entry = catalogue.entry("backbone", "net")
    assert entry.check({"depth": 3, "width": "13"}) == {"depth": 3, "width": 13}
    with pytest.raises(InputError, match="has no option 'dpeth'; did you mean 'depth'"):
        entry.check({"dpeth": 3})


def test_a_factory_that_fails_is_the_plugins_fault(catalogue):
    with pytest.raises(
        PluginError, match=r"^backbone 'net' of acme-nets 1.0 failed: RuntimeError: out of luck$"
    ):
        make(catalogue, depth=3, width=13)


def test_a_result_without_the_contract_is_the_plugins_fault(catalogue):
    with pytest.raises(
        PluginError,
        match=r"^backbone 'shapeless' of acme-nets 1.0 made a Shapeless without 'stride'; see",
    ):
        make(catalogue, "shapeless")


def test_a_factory_that_takes_any_option_gets_them(catalogue):
    assert make(catalogue, "loose", anything="goes").options == {"anything": "goes"}


def test_the_options_are_told_with_types_and_defaults(catalogue):
    options = catalogue.entry("backbone", "net").options()
    assert [(option.name, option.type_name, option.required) for option in options] == [
        ("depth", "int", True),
        ("width", "int", False),
        ("norm", "Literal['batch', 'group']", False),
    ]


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "int"),
        (int | None, "int | None"),
        (Optional[float], "float | None"),  # noqa: UP045 - strangers still write this
        (tuple[int, ...], "tuple[int, ...]"),
        (Literal["a"] | None, "Literal['a'] | None"),
        (Path, "Path"),
        (Any, "Any"),
    ],
)
def test_a_type_is_told_as_a_user_would_write_it(annotation, text):
    assert Option("x", annotation, None, required=False).type_name == text
