"""What every fusion must do, whoever brings it."""

import pytest
import torch

from crystalvision.contracts import Fusion
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

CATALOGUE = Catalogue.load()
CLASSES = 4
OUTPUTS = (CLASSES, 1)  # of a head for classes, and of one for severity

every_fusion = pytest.mark.parametrize("name", CATALOGUE.names("fusion"))


def make(name: str, **options: object) -> tuple[Fusion, dict[str, int]]:
    """The fusion of two branches of different width, or else of one."""
    widths = {"second": 5, "first": 3}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            return create(name, widths, **options), widths
        except InputError as error:
            if "one branch" not in str(error):
                raise
        widths.pop("first")
        return create(name, widths, **options), widths


def create(name: str, widths: dict[str, int], **options: object) -> Fusion:
    told = dict(zip(widths, OUTPUTS, strict=False))
    return CATALOGUE.create(
        "fusion",
        name,
        options,
        branch_features=widths,
        branch_outputs=told,
        num_classes=CLASSES,
    )


def inputs(widths: dict[str, int], batch: int = 6) -> tuple[dict, dict]:
    generator = torch.Generator().manual_seed(0)
    features = {
        key: torch.randn(batch, width, generator=generator).requires_grad_()
        for key, width in widths.items()
    }
    outputs = {
        key: torch.randn(batch, count, generator=generator).requires_grad_()
        for key, count in zip(widths, OUTPUTS, strict=False)
    }
    return features, outputs


@every_fusion
def test_the_result_has_the_declared_width(name):
    fusion, widths = make(name)
    for batch in (6, 1):
        assert fusion.eval()(*inputs(widths, batch)).shape == (batch, fusion.num_features)


@every_fusion
def test_every_branch_and_weight_takes_part(name):
    fusion, widths = make(name)
    features, outputs = inputs(widths)
    joined = fusion.train()(features, outputs)
    (
        joined * torch.randn(joined.shape, generator=torch.Generator().manual_seed(1))
    ).sum().backward()
    for key in widths:
        gradients = [item.grad for item in (features[key], outputs[key]) if item.grad is not None]
        assert any(gradient.abs().max() > 0 for gradient in gradients), key
    for key, weight in fusion.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.abs().max() > 0, key


@every_fusion
def test_the_order_in_which_branches_are_given_does_not_matter(name):
    fusion, widths = make(name)
    features, outputs = inputs(widths)
    fusion.eval()
    turned = [dict(reversed(item.items())) for item in (features, outputs)]
    assert torch.equal(fusion(features, outputs), fusion(*turned))


@every_fusion
def test_saved_weights_give_the_same_fusion(name):
    first, widths = make(name)
    second, _ = make(name)
    for weight in second.parameters():
        torch.nn.init.ones_(weight)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.eval()(*inputs(widths)), second.eval()(*inputs(widths)))


@every_fusion
def test_wrong_options_are_refused(name):
    with pytest.raises(InputError, match="has no option 'wibble'"):
        make(name, wibble=1)


def test_concat_puts_features_side_by_side_in_the_order_of_the_description():
    fusion, widths = make("concat")
    features, outputs = inputs(widths)
    expected = torch.cat([features["second"], features["first"]], dim=1)
    assert torch.equal(fusion(features, outputs), expected)


def test_none_refuses_several_branches_and_says_what_to_choose():
    with pytest.raises(InputError, match=r"exactly one branch, not 2 \(a, b\).*'concat'"):
        create("none", {"a": 3, "b": 5})
