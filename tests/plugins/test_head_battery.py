"""What every head must do, whoever brings it."""

import pytest
import torch

from crystalvision.contracts import Head, Targets
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

CATALOGUE = Catalogue.load()
FEATURES, CLASSES = 7, 5

every_head = pytest.mark.parametrize("name", CATALOGUE.names("head"))


def width_of(name: str) -> int:
    """Features that a head takes here: some number, or else one for each class."""
    try:
        CATALOGUE.create("head", name, num_features=FEATURES, num_classes=CLASSES)
    except InputError as error:
        if "one score a class" not in str(error):
            raise
        return CLASSES
    return FEATURES


def make(name: str, seed: int = 0, **options: object) -> Head:
    with torch.random.fork_rng(devices=[]):
        width = width_of(name)
        torch.manual_seed(seed)
        return CATALOGUE.create("head", name, options, num_features=width, num_classes=CLASSES)


def problem(name: str, count: int = 20) -> tuple[torch.Tensor, Targets]:
    """Features that tell the class and the severity."""
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(count) % CLASSES
    features = 0.02 * torch.randn(count, width_of(name), generator=generator)
    features[torch.arange(count), label] += 1
    return features, Targets(label, label / CLASSES)


@every_head
def test_outputs_are_one_row_an_image(name):
    head = make(name).eval()
    features, _ = problem(name)
    outputs = head(features)
    assert outputs.ndim == 2
    assert len(outputs) == len(features)
    torch.testing.assert_close(head(features[3:4]), outputs[3:4], rtol=1e-4, atol=1e-5)


@every_head
def test_a_prediction_is_probabilities_or_severity(name):
    head = make(name).eval()
    features, _ = problem(name)
    told = head.predict(head(features))
    assert told.probabilities is not None or told.severity is not None
    if told.probabilities is not None:
        assert told.probabilities.shape == (len(features), CLASSES)
        assert (told.probabilities >= 0).all()
        torch.testing.assert_close(told.probabilities.sum(1), torch.ones(len(features)))
    if told.severity is not None:
        assert told.severity.shape == (len(features),)


@every_head
def test_gradients_reach_every_weight_and_the_features(name):
    head = make(name).train()
    features, targets = problem(name)
    features.requires_grad_()
    loss = head.loss(head(features), targets)
    assert loss.shape == ()
    loss.backward()
    for key, weight in [("features", features), *head.named_parameters()]:
        assert weight.grad is not None, key
        assert weight.grad.abs().max() > 0, key


@every_head
def test_the_loss_teaches_what_the_prediction_reads(name):
    head = make(name).train()
    features, targets = problem(name)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        head.loss(head(features), targets).backward()
        optimiser.step()
    told = head.predict(head.eval()(features))
    if told.probabilities is not None:
        assert torch.equal(told.probabilities.argmax(1), targets.label)
    if told.severity is not None:
        assert (told.severity - targets.severity).abs().max() < 0.1


@every_head
def test_saved_weights_give_the_same_head(name):
    first, second = make(name).eval(), make(name).eval()
    features, _ = problem(name)
    for weight in second.parameters():
        torch.nn.init.ones_(weight)
    assert not torch.equal(first(features), second(features))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(features), second(features))


@every_head
def test_a_batch_of_one_trains_or_says_why_not(name):
    head = make(name).train()
    features, _ = problem(name)
    try:
        head(features[:1])
    except InputError as error:
        refusal = str(error)
    else:
        refusal = None
    assert refusal is None or "batch_size" in refusal


@every_head
def test_wrong_options_are_refused(name):
    with pytest.raises(InputError, match="has no option 'wibble'"):
        make(name, wibble=1)
    for option in CATALOGUE.entry("head", name).options():
        with pytest.raises(InputError, match=rf"option {option.name}="):
            make(name, **{option.name: {"not": "a value"}})
