"""What strangers' parts return is checked where it is first used; the error names who gave it."""

import numpy as np
import pytest
import torch
from torch import nn

from crystalvision.cli import main
from crystalvision.contracts import (
    Augmentation,
    Backbone,
    Estimate,
    Fusion,
    Head,
    Target,
    mark_origin,
)
from crystalvision.errors import PluginError
from crystalvision.models import Branch, System
from crystalvision.prediction import Predictor
from crystalvision.training import augmenter

WRONG = {
    "tuple": (lambda x: (x, x), "a tuple of 2"),
    "list": (lambda x: [x], "a list of 1"),
    "dict": (lambda x: {"features": x}, "a dict with the keys features"),
    "None": (lambda x: None, "None"),
    "array": (lambda x: x.detach().numpy(), "a ndarray"),
    "integers": (lambda x: x.long(), "type int64"),
    "complex": (lambda x: x.to(torch.complex64), "type complex64"),
    "device": (lambda x: x.to("meta"), "on meta"),
    "batch": (lambda x: x[:1], "a tensor of shape (1, "),
    "rank": (lambda x: x[..., None], "a tensor of shape (2, "),
}


class Eye(Backbone):
    """Gives four channels, spoilt."""

    def __init__(self, spoil=lambda x: x):
        super().__init__()
        self.num_features, self.stride, self.spoil = 4, 2, spoil
        self.convolution = nn.Conv2d(1, 4, 3, 2, 1)

    def forward(self, images):
        return self.spoil(self.convolution(images))


class Reader(Head):
    """Reads four features, spoilt."""

    targets = ("label",)

    def __init__(self, spoil=lambda x: x, told=lambda x: {"label": Estimate.of_classes(x)}):
        super().__init__()
        self.linear, self.spoil, self.told = nn.Linear(4, 4), spoil, told

    def forward(self, features):
        return self.spoil(self.linear(features))

    def loss(self, outputs, targets):
        return outputs.mean()

    def predict(self, outputs):
        return self.told(outputs)


class Join(Fusion):
    """Gives the features of the one branch, spoilt."""

    def __init__(self, spoil=lambda x: x):
        super().__init__()
        self.num_features, self.spoil = 4, spoil

    def forward(self, features, outputs):
        return self.spoil(features["a"])


def system(backbone=None, head=None, fusion=None):
    branch = Branch("a", backbone or Eye(), head or Reader(), in_channels=1)
    targets = {"label": Target(name="label", task="classification", classes=tuple("wxyz"))}
    return System({"a": branch}, fusion, None if fusion is None else Reader(), targets)


IMAGES = torch.rand(2, 1, 8, 8)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", ["backbone", "head", "fusion"])
def test_parts_of_a_system(kind, wrong):
    spoil, found = WRONG[wrong]
    part = {"backbone": Eye, "head": Reader, "fusion": Join}[kind](spoil)
    mark_origin(part, f"{kind} 'mine' of mine.py")
    built = system(**{kind: part})
    with pytest.raises(PluginError) as said:
        built(IMAGES)
    assert f"the {kind} 'mine' of mine.py" in str(said.value)
    assert found in str(said.value)
    assert "expected a tensor (b, " in str(said.value)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    "told",
    [
        lambda x: x,
        lambda x: (x.softmax(1), None),
        lambda x: None,
        lambda x: {},
        lambda x: {"label": x},
        lambda x: {"label": Estimate(x.argmax(1), x.softmax(1)[0])},
        lambda x: {"label": Estimate(x.argmax(1), x.softmax(1)[:, :3])},
        lambda x: {"label": Estimate(x.argmax(1), x.softmax(1).tolist())},
        lambda x: {"label": Estimate(x.argmax(1).float())},
        lambda x: {"label": Estimate(x.argmax(1), None, x)},
        lambda x: {"label": Estimate(x.argmax(1)), "severity": Estimate(x[:, 0])},
    ],
)
def test_predictions(told):
    built = system(head=Reader(told=told))
    with pytest.raises(
        PluginError, match=r"branch 'a': the head Reader, in predict, (for 'label', )?gave .*exp"
    ):
        built.predict(built(IMAGES))


class Change(Augmentation):
    """Gives something else."""

    def __init__(self, spoil):
        self.spoil = spoil

    def apply(self, counts, generator, seen=None):
        return self.spoil(counts), seen


@pytest.mark.parametrize("wrong", WRONG)
def test_augmentations(wrong):
    spoil, found = WRONG[wrong]
    change = augmenter([Change(spoil)], torch.Generator())
    with pytest.raises(PluginError, match="the augmentation Change gave ") as said:
        change(IMAGES, None)
    assert found in str(said.value)


def test_answers_that_are_no_numbers(run, dataset):
    head = run.system.head
    told = head.predict
    head.predict = lambda outputs: {
        "label": Estimate.of_classes(told(outputs)["label"].probabilities * torch.nan)
    }
    with pytest.raises(PluginError, match=r"backbone 'dnsnet-tiny'.*not finite for 3 of 3 images"):
        Predictor(run).predict(dataset.images(np.arange(3)))


PLUGIN = '''
from torch import nn
from crystalvision import hookimpl

class Two(nn.Module):
    """Returns a tuple."""
    def __init__(self, in_channels: int):
        super().__init__()
        self.num_features, self.stride = {features}
        self.layer = nn.Conv2d(in_channels, 8, 3, 2, 1)
    def forward(self, images):
        return {returned}

@hookimpl
def crystalvision_backbones():
    return {{"two": Two}}
'''


@pytest.mark.parametrize(
    ("features", "returned", "said"),
    [
        (
            "8, 2",
            "(self.layer(images),) * 2",
            "gave a tuple of 2; expected a tensor (b, 8, h', w')",
        ),
        ("16, 2", "self.layer(images)", "which declares num_features=16, gave a tensor of shape"),
        ("'8', 2", "self.layer(images)", "has num_features='8'; expected a whole number"),
        ("8, 2.5", "self.layer(images)", "has stride=2.5; expected a whole number of points"),
    ],
)
def test_from_the_command_line(features, returned, said, tmp_path, dataset_path, capsys):
    file = tmp_path / "two.py"
    file.write_text(PLUGIN.format(features=features, returned=returned))
    command = ["-p", str(file), "train", "single", "-d", str(dataset_path)]
    setting = "system.branches.classifier.backbone=two"
    assert main([*command, "-o", str(tmp_path / "run"), "--set", setting]) == 1
    told = capsys.readouterr().err
    assert f"the backbone 'two' of {file}" in told
    assert said in told
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("run")] == []
