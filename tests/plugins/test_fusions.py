"""What the toolkit's own fusions compute."""

import pytest
import torch

from crystalvision.errors import InputError
from crystalvision_fusion.attention import Attention
from crystalvision_fusion.bilinear import Bilinear
from crystalvision_fusion.gated import Gated
from crystalvision_fusion.late import Late
from crystalvision_fusion.sum import Sum

WIDTHS = {"a": 5, "b": 3}


def features(batch=6):
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(batch, width, generator=generator) for name, width in WIDTHS.items()}


@pytest.mark.parametrize("fusion", [Sum, Gated, Bilinear, Attention])
def test_the_scale_of_a_branch_does_not_matter(fusion):
    """Branches of different networks differ in scale by orders of magnitude."""
    made = fusion(WIDTHS, width=8).train()
    given = features(32)
    scaled = {"a": 300 * given["a"] + 5, "b": given["b"]}
    torch.testing.assert_close(made(given, {}), made(scaled, {}), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("fusion", [Gated, Bilinear, Attention])
def test_one_branch_alone_is_refused(fusion):
    with pytest.raises(InputError, match=r"joins at least 2 branches; there are 1 \(a\)"):
        fusion({"a": 5})


def test_a_sum_is_the_sum_of_its_parts():
    fusion = Sum(WIDTHS, width=8).eval()
    given = features()
    nothing = {name: torch.zeros_like(value) for name, value in given.items()}
    alone = [fusion({**nothing, name: given[name]}, {}) for name in WIDTHS]
    torch.testing.assert_close(fusion(given, {}), alone[0] + alone[1])


def test_gates_lie_between_the_branches():
    fusion = Gated(WIDTHS, width=8).eval()
    given = features()
    hidden = [project(given[name]).tanh() for name, project in fusion.projections.items()]
    low, high = torch.minimum(*hidden), torch.maximum(*hidden)
    joined = fusion(given, {})
    assert ((low - 1e-6 <= joined) & (joined <= high + 1e-6)).all()


def test_a_product_is_nothing_where_a_branch_is_nothing():
    fusion = Bilinear(WIDTHS, rank=4, width=8).eval()
    given = features()
    joined = fusion({"a": given["a"], "b": torch.zeros_like(given["b"])}, {})
    torch.testing.assert_close(joined, fusion.out.bias.expand_as(joined))


def test_attention_tells_branches_apart():
    fusion = Attention({"a": 4, "b": 4}, width=8, heads=2).eval()
    fusion.projections["b"].load_state_dict(fusion.projections["a"].state_dict())
    one, other = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    found, turned = fusion({"a": one, "b": other}, {}), fusion({"a": other, "b": one}, {})
    assert not torch.allclose(found, turned)
    with pytest.raises(InputError, match="heads=3 does not divide width=8"):
        Attention(WIDTHS, width=8, heads=3)


def test_late_fusion_averages_probabilities():
    fusion = Late(WIDTHS, {"a": 3, "b": 3}, num_classes=3)
    outputs = {"a": torch.tensor([[2.0, 0.0, 1.0]]), "b": torch.tensor([[0.0, 3.0, 1.0]])}
    mean = (outputs["a"].softmax(1) + outputs["b"].softmax(1)) / 2
    torch.testing.assert_close(fusion({}, outputs).exp(), mean)
    with torch.no_grad():
        fusion.weights.copy_(torch.tensor([0.0, 50.0]))
    torch.testing.assert_close(fusion({}, outputs).exp(), outputs["b"].softmax(1))


def test_late_fusion_reads_a_severity_by_a_learned_layer():
    fusion = Late(WIDTHS, {"a": 3, "b": 1}, num_classes=3)
    assert list(fusion.scores) == ["b"]
    told = fusion({}, {"a": torch.zeros(4, 3), "b": torch.rand(4, 1)})
    torch.testing.assert_close(told.exp().sum(1), torch.ones(4))
