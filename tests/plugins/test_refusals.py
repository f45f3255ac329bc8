"""What the toolkit's own plugins refuse, beyond what the battery asks of everybody's."""

import pytest
import torch

from crystalvision.contracts import Fusion, strides
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

CATALOGUE = Catalogue.load()
OWN = [
    entry.name
    for entry in CATALOGUE.of_kind("backbone")
    if entry.plugin.distribution == "crystalvision"
    and not any(option.required for option in entry.options())
]


def fusion(name: str, widths: dict[str, int]) -> Fusion:
    outputs = dict.fromkeys(widths, 4)
    return CATALOGUE.create(
        "fusion", name, {}, branch_features=widths, branch_outputs=outputs, num_classes=4
    )


@pytest.mark.parametrize("name", OWN)
def test_images_need_a_channel(name):
    with pytest.raises(InputError, match="in_channels=0"):
        CATALOGUE.create("backbone", name, {}, in_channels=0)


@pytest.mark.parametrize("name", ["dnsnet-tiny", "ziletti", "xrdnet", "resnet18"])
def test_a_backbone_alone_refuses_images_that_do_not_fit(name):
    """Without a branch around it, too: one for each way that we make a backbone."""
    backbone = CATALOGUE.create("backbone", name, {}, in_channels=1)
    (dimensions,) = backbone.dimensions
    sides = strides(backbone, dimensions)
    with pytest.raises(
        InputError, match=rf"\(b, 1, {'h, w' if dimensions == 2 else 'n'}\), not \(1, 3, "
    ):
        backbone(torch.zeros(1, 3, *sides))
    with pytest.raises(InputError, match=f"at least {'×'.join(map(str, sides))} pixels, not "):
        backbone(torch.zeros(1, 1, *sides[:-1], sides[-1] - 1))


def test_concat_puts_features_side_by_side_in_the_order_of_the_description():
    made = fusion("concat", {"second": 5, "first": 3})
    features = {"first": torch.ones(2, 3), "second": torch.zeros(2, 5)}
    expected = torch.cat([features["second"], features["first"]], dim=1)
    assert torch.equal(made(features, {}), expected)


def test_none_refuses_several_branches_and_says_what_to_choose():
    with pytest.raises(InputError, match=r"exactly one branch, not 2 \(a, b\).*'concat'"):
        fusion("none", {"a": 3, "b": 5})
