"""What the toolkit's own heads compute."""

import math

import pytest
import torch

from crystalvision.contracts import Targets
from crystalvision.errors import InputError
from crystalvision_heads.perceptron import Perceptron
from crystalvision_heads.severity import SeverityHead
from crystalvision_heads.softmax import SoftmaxHead

TARGETS = Targets(torch.tensor([0, 2]), torch.tensor([0.0, 0.6]))


def test_softmax_is_the_mean_cross_entropy():
    head = SoftmaxHead(3, 3)
    scores = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    first = -math.log(math.e / (math.e + 2))
    second = -math.log(math.e**2 / (math.e**2 + 2))
    assert float(head.loss(scores, TARGETS)) == pytest.approx((first + second) / 2, rel=1e-5)


def test_severity_is_the_mean_squared_error_of_a_linear_output():
    head = SeverityHead(3, 4)
    outputs = torch.tensor([[-0.2], [1.0]])
    assert float(head.loss(outputs, TARGETS)) == pytest.approx((0.04 + 0.16) / 2)
    assert head.predict(outputs).severity.tolist() == pytest.approx([-0.2, 1.0])
    assert head.predict(outputs).probabilities is None


def test_the_perceptron_normalises_before_its_hidden_layer():
    head = Perceptron(6, 4, hidden=10).train()
    features = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))
    scaled = features * torch.tensor([1, 10, 100, 1, 10, 100.0]) + 7
    torch.testing.assert_close(head(features), head(scaled), rtol=1e-3, atol=1e-3)
    assert head.hidden.out_features == 10


def test_the_perceptron_refuses_to_train_on_one_image_in_words():
    head = Perceptron(6, 4)
    with pytest.raises(InputError, match="batches of at least 2 images, not 1: raise batch_size"):
        head.train()(torch.zeros(1, 6))
    assert head.eval()(torch.zeros(1, 6)).shape == (1, 4)


@pytest.mark.parametrize("head", [SoftmaxHead, SeverityHead, Perceptron])
def test_dropout_acts_in_training_only(head):
    module = head(50, 4, dropout=0.5)
    features = torch.rand(8, 50, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(module.train()(features), module(features))
    assert torch.equal(module.eval()(features), module(features))
