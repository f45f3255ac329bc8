"""What the toolkit's own heads compute."""

import math

import pytest
import torch

from crystalvision.contracts import Target
from crystalvision.errors import InputError
from crystalvision_heads.joint import JointHead
from crystalvision_heads.ordinal import OrdinalHead
from crystalvision_heads.perceptron import Perceptron
from crystalvision_heads.regression import RegressionHead
from crystalvision_heads.scores import ScoresHead
from crystalvision_heads.severity import SeverityHead
from crystalvision_heads.softmax import SoftmaxHead

TARGETS = {"label": torch.tensor([0, 2]), "severity": torch.tensor([0.0, 0.6])}


def test_softmax_is_the_mean_cross_entropy():
    head = SoftmaxHead(3, 3)
    scores = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    first = -math.log(math.e / (math.e + 2))
    second = -math.log(math.e**2 / (math.e**2 + 2))
    assert float(head.loss(scores, TARGETS)) == pytest.approx((first + second) / 2, rel=1e-5)


def test_severity_is_the_mean_squared_error_of_a_linear_output():
    head = SeverityHead(3)
    outputs = torch.tensor([[-0.2], [1.0]])
    assert float(head.loss(outputs, TARGETS)) == pytest.approx((0.04 + 0.16) / 2)
    assert head.predict(outputs)["severity"].value.tolist() == pytest.approx([-0.2, 1.0])
    assert head.predict(outputs)["severity"].probabilities is None


def test_values_are_learnt_in_standard_deviations_and_told_in_their_units():
    thickness = Target(name="thickness_angstrom", task="regression", units="angstrom")
    head = RegressionHead(3, {thickness.name: thickness}, thickness.name)
    head.observe({thickness.name: torch.tensor([100.0, 300.0])})
    outputs = torch.tensor([[-1.0], [2.0]])
    assert head.predict(outputs)[thickness.name].value.tolist() == pytest.approx([100, 400])
    loss = head.loss(outputs, {thickness.name: torch.tensor([100.0, 300.0])})
    assert float(loss) == pytest.approx(0.5)


def test_a_vector_is_told_number_by_number():
    stress = Target(name="stress", task="regression", shape=(3,), units="GPa")
    head = RegressionHead(5, {"stress": stress}, "stress")
    head.observe({"stress": torch.tensor([[0.0, 2.0, 7.0], [2.0, 2.0, 1.0]])})
    assert head.scale.tolist() == [1, 1, 3]
    assert head.predict(head(torch.zeros(2, 5)))["stress"].value.shape == (2, 3)
    map_ = stress.model_copy(update={"shape": (3, 4)})
    with pytest.raises(InputError, match=r"'stress' is a map of shape \(3, 4\)"):
        RegressionHead(5, {"stress": map_}, "stress")


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


@pytest.mark.parametrize(
    "module",
    [
        SoftmaxHead(50, 4, dropout=0.5),
        SeverityHead(50, dropout=0.5),
        Perceptron(50, 4, dropout=0.5),
    ],
)
def test_dropout_acts_in_training_only(module):
    features = torch.rand(8, 50, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(module.train()(features), module(features))
    assert torch.equal(module.eval()(features), module(features))


@pytest.mark.parametrize("head", [SoftmaxHead, Perceptron])
def test_weights_of_classes_weigh_their_images(head):
    scores = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    losses = [-scores[row].log_softmax(0)[label] for row, label in enumerate((0, 2))]
    for gamma in (0.0, 1.0):
        known = [math.exp(-loss) for loss in losses]
        focused = [(1 - p) ** gamma * loss for p, loss in zip(known, losses, strict=True)]
        made = head(3, 3, class_weights=[3, 1, 1], focal_gamma=gamma)
        expected = (3 * focused[0] + focused[1]) / 4
        assert float(made.loss(scores, TARGETS)) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 2.0])
def test_a_focal_loss_has_a_slope_where_all_is_known(gamma):
    scores = torch.tensor([[40.0, 0.0, 0.0], [1.0, 0.0, 0.0]], requires_grad=True)
    targets = {"label": torch.tensor([0, 0]), "severity": torch.zeros(2)}
    SoftmaxHead(3, 3, focal_gamma=gamma).loss(scores, targets).backward()
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
    assert scores.grad[1].abs().min() > 0.01


def test_a_focal_loss_cares_less_for_what_is_known():
    scores = torch.tensor([[4.0, 0.0, 0.0], [4.0, 0.0, 0.0]])
    known, unknown = (
        [
            float(
                SoftmaxHead(3, 3, focal_gamma=gamma).loss(
                    scores, {"label": torch.tensor([label] * 2), "severity": torch.zeros(2)}
                )
            )
            for gamma in (0.0, 2.0)
        ]
        for label in (0, 1)
    )
    assert known[1] < 0.01 * known[0]
    assert unknown[1] == pytest.approx(unknown[0], rel=0.05)


def test_smoothed_labels_do_not_ask_for_certainty():
    head = SoftmaxHead(3, 3, label_smoothing=0.3)
    target = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    best = float(head.loss(target.log(), TARGETS))
    for sharper in (0.5, 2.0):
        assert float(head.loss(sharper * target.log(), TARGETS)) > best


def test_weights_that_are_not_one_a_class_are_refused():
    with pytest.raises(InputError, match="2 class_weights were given, but there are 3 classes"):
        SoftmaxHead(7, 3, class_weights=[1, 2])


def test_ordinal_probabilities_are_products_of_conditional_ones():
    head = OrdinalHead(5, 4)
    outputs = torch.tensor([[2.0, 0.5, -1.0]])
    beyond = outputs[0].sigmoid().cumprod(0)
    expected = [1 - beyond[0], beyond[0] - beyond[1], beyond[1] - beyond[2], beyond[2]]
    found = head.predict(outputs)["label"].probabilities[0]
    assert found.tolist() == pytest.approx([float(value) for value in expected], rel=1e-5)


def test_ordinal_asks_only_what_the_label_answers():
    """A label of 1 says that it is beyond 0 and not beyond 1; of 2 it says nothing."""
    head = OrdinalHead(5, 4)
    outputs = torch.tensor([[0.3, -0.4, 7.0]], requires_grad=True)
    targets = {"label": torch.tensor([1]), "severity": torch.zeros(1)}
    loss = head.loss(outputs, targets)
    yes, no = -math.log(1 / (1 + math.exp(-0.3))), -math.log(1 - 1 / (1 + math.exp(0.4)))
    assert loss.item() == pytest.approx((yes + no) / 2, rel=1e-5)
    loss.backward()
    assert outputs.grad[0, 2] == 0


def test_scores_are_read_as_they_are():
    head = ScoresHead(3, 3)
    scores = torch.tensor([[0.2, 0.3, 0.5]]).log()
    assert head.predict(head(scores))["label"].probabilities[0].tolist() == pytest.approx(
        [0.2, 0.3, 0.5]
    )
    with pytest.raises(InputError, match=r"gets 7 features for 3 classes: use it after .* 'late'"):
        ScoresHead(7, 3)


def test_the_joint_loss_weighs_both_tasks_by_learned_variances():
    head = JointHead(3, 3)
    outputs = torch.tensor([[1.0, 0.0, 0.0, -0.2], [0.0, 0.0, 2.0, 1.0]])
    classes = SoftmaxHead(3, 3).loss(outputs[:, :3], TARGETS)
    severity = SeverityHead(3).loss(outputs[:, 3:], TARGETS)
    loss = head.loss(outputs, TARGETS).detach()
    assert float(loss) == pytest.approx(float(classes + severity / 2))
    with torch.no_grad():
        head.log_variances.copy_(torch.tensor([math.log(4), math.log(9)]))
    expected = classes / 4 + severity / 18 + math.log(2) + math.log(3)
    assert float(head.loss(outputs, TARGETS).detach()) == pytest.approx(float(expected))


def test_the_joint_loss_is_least_where_variances_are_the_losses():
    head = JointHead(3, 3)
    outputs = torch.tensor([[1.0, 0.0, 0.0, -0.2], [0.0, 0.0, 2.0, 1.0]])
    optimiser = torch.optim.LBFGS([head.log_variances], max_iter=200)

    def closure():
        optimiser.zero_grad()
        loss = head.loss(outputs, TARGETS)
        loss.backward()
        return loss

    optimiser.step(closure)
    classes = float(SoftmaxHead(3, 3).loss(outputs[:, :3], TARGETS))
    severity = float(SeverityHead(3).loss(outputs[:, 3:], TARGETS))
    # d/ds of exp(-s) a + s/2 is zero at exp(s) = 2 a, and of exp(-s) a/2 + s/2 at exp(s) = a.
    assert head.log_variances.exp().tolist() == pytest.approx([2 * classes, severity], rel=1e-3)


def test_the_joint_head_tells_both():
    told = JointHead(5, 3).predict(torch.tensor([[0.0, 1.0, 2.0, 0.4]]))
    assert told["label"].probabilities.sum().item() == pytest.approx(1)
    assert told["severity"].value.tolist() == pytest.approx([0.4])
