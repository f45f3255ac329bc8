"""Systems that are built, and systems that are refused."""

from typing import Any

import pytest
import torch

from crystalvision.contracts import Backbone, Estimate, Fusion, Head, Target
from crystalvision.errors import InputError, PluginError
from crystalvision.models import Branch, System, SystemConfig, build_system
from crystalvision.plugins import Catalogue

CLASSIFIER = {"backbone": "dnsnet-tiny", "head": "softmax"}
REGRESSOR = {"backbone": "dnsnet-tiny", "head": "severity"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def build(
    catalogue: Catalogue,
    *,
    in_channels: int = 1,
    num_classes: int = 4,
    grid: tuple[int, ...] = (16, 16),
    **data: Any,
) -> System:
    config = SystemConfig.model_validate(data)
    classes = tuple(f"class {number}" for number in range(num_classes))
    targets = {
        "label": Target(name="label", task="classification", classes=classes),
        "severity": Target(name="severity", task="regression"),
        "thickness_angstrom": Target(
            name="thickness_angstrom", task="regression", units="angstrom"
        ),
        "orientation": Target(name="orientation", task="orientation", shape=(4,)),
    }
    return build_system(config, catalogue, in_channels=in_channels, targets=targets, grid=grid)


def test_the_fused_system_has_every_part(catalogue):
    system = build(
        catalogue,
        branches={"classifier": CLASSIFIER, "regressor": REGRESSOR},
        fusion="concat",
        head={"name": "perceptron", "hidden": 9},
    )
    assert list(system.parts()) == ["classifier", "regressor", "fusion", "head"]
    assert isinstance(system.fusion, Fusion)
    assert system.fusion.num_features == 2 * system.branches["regressor"].backbone.num_features
    assert system.head.hidden.out_features == 9
    owned = {id(weight) for part in system.parts().values() for weight in part.parameters()}
    assert owned == {id(weight) for weight in system.parameters()}


def test_a_branch_alone_has_no_other_part(catalogue):
    system = build(catalogue, branches={"only": CLASSIFIER})
    assert list(system.parts()) == ["only"]
    assert (system.fusion, system.head) == (None, None)
    with pytest.raises(InputError, match="joins nothing: it has no fusion"):
        system.join({})


def test_options_reach_the_parts(catalogue):
    branch = {"backbone": {"name": "dnsnet-tiny", "final_width": 13}, "head": "softmax"}
    system = build(catalogue, in_channels=3, num_classes=7, branches={"only": branch})
    output = system(torch.zeros(2, 3, 8, 8)).branches["only"]
    assert (output.features.shape, output.outputs.shape) == ((2, 13), (2, 7))


REFUSED = [
    (
        {"branches": {"a": CLASSIFIER, "b": REGRESSOR}},
        r"fusion 'none' joins nothing, but there are 2 branches \(a, b\): keep one.*concat",
    ),
    (
        {"branches": {"a": CLASSIFIER, "b": REGRESSOR}, "head": "perceptron"},
        r"fusion 'none' joins nothing, but there are 2 branches",
    ),
    (
        {"branches": {"a": CLASSIFIER}, "head": "perceptron"},
        r"final head 'perceptron' has nothing to read, since fusion is 'none'.*concat",
    ),
    (
        {"branches": {"a": CLASSIFIER, "b": REGRESSOR}, "fusion": "concat"},
        r"fusion 'concat' needs a final head.*`head: NAME`.*perceptron",
    ),
    (
        {"branches": {"a": {**CLASSIFIER, "head": {"name": "softmax", "target": "lable"}}}},
        (
            r"branch 'a': head 'softmax' learns 'lable', which the dataset does not have; its tar"
            r"gets: label \(4 classes\), severity, thickness_angstrom \(angstrom\), orientation"
        ),
    ),
    (
        {"branches": {"a": {**CLASSIFIER, "head": {"name": "softmax", "target": "severity"}}}},
        (
            r"branch 'a': head 'softmax' tells classes apart, but 'severity' has no classes; tar"
            r"gets with classes: label \(4 classes\)$"
        ),
    ),
    (
        {"branches": {"a": {**CLASSIFIER, "head": {"name": "regression", "target": "label"}}}},
        (
            r"branch 'a': the head 'regression' .* gives real values, but 'label' has classes; "
            r"choose a target that fits: severity, thickness_angstrom \(angstrom\), orientation"
        ),
    ),
    (
        {"branches": {"a": CLASSIFIER}, "grid": (64,)},
        r"branch 'a': backbone 'dnsnet-tiny' reads patterns of 2 dimensions, but these have 1",
    ),
    (
        {"branches": {"a": {"backbone": "dnsnet-tinny", "head": "softmax"}}},
        r"no backbone is called 'dnsnet-tinny'; did you mean 'dnsnet-tiny'\?",
    ),
    (
        {"branches": {"a": {"backbone": {"name": "dnsnet-tiny", "grwth": 3}, "head": "softmax"}}},
        r"backbone 'dnsnet-tiny' has no option 'grwth'; did you mean 'growth'\?",
    ),
    (
        {"branches": {"a": CLASSIFIER}, "fusion": "contat", "head": "softmax"},
        r"no fusion is called 'contat'; did you mean 'concat'\?",
    ),
    ({"branches": {"a": CLASSIFIER}, "in_channels": 0}, "in_channels=0"),
    ({"branches": {"a": CLASSIFIER}, "num_classes": 1}, "the one class 'class 0'; .*at least two"),
]


@pytest.mark.parametrize(("data", "message"), REFUSED)
def test_what_cannot_work_is_refused_in_one_line(catalogue, data, message):
    with pytest.raises(InputError, match=message) as caught:
        build(catalogue, **data)
    assert "\n" not in str(caught.value)


def test_a_final_head_may_be_all_that_classifies(catalogue):
    system = build(
        catalogue, branches={"a": REGRESSOR, "b": REGRESSOR}, fusion="concat", head="softmax"
    )
    told = system.eval().predict(system(torch.zeros(2, 1, 8, 8)))
    assert told["label"].probabilities.shape == (2, 4)
    assert told["severity"].value.shape == (2,)


def test_building_leaves_heads_ready_to_train(catalogue):
    system = build(catalogue, branches={"only": CLASSIFIER})
    assert all(module.training for module in system.modules())


class Liar(Backbone):
    """Gives another width than it declares."""

    num_features = 8
    stride = 1

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


class Means(Head):
    """Gives the features back."""

    targets = ("severity",)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features

    def loss(self, outputs: torch.Tensor, targets: object) -> torch.Tensor:
        return outputs.sum()

    def predict(self, outputs: torch.Tensor) -> dict[str, Estimate]:
        return {"severity": Estimate(outputs[:, 0])}


def test_a_backbone_that_breaks_its_word_is_named():
    branch = Branch("eye", Liar(), Means(), in_channels=1)
    with pytest.raises(
        PluginError, match=r"'eye': the backbone Liar, which declares num_features=8"
    ):
        branch(torch.zeros(2, 1, 4, 4))
