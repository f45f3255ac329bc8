"""What a system computes and what it learns."""

import pytest
import torch

from crystalvision.contracts import Target, Targets
from crystalvision.errors import InputError
from crystalvision.models import BranchOutput, System, SystemConfig, SystemOutput, build_system
from crystalvision.plugins import Catalogue

TARGETS = {
    "label": Target(
        name="label",
        task="classification",
        classes=("a", "b", "c", "d"),
        class_severities=(0.0, 0.3, 0.6, 0.9),
    ),
    "severity": Target(name="severity", task="regression"),
}
FUSED = {
    "branches": {
        "classifier": {"backbone": "dnsnet-tiny", "head": "softmax"},
        "regressor": {"backbone": "dnsnet-tiny", "head": "severity"},
    },
    "fusion": "concat",
    "head": "perceptron",
}


def fused(seed: int = 0) -> System:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = SystemConfig.model_validate(FUSED)
        return build_system(config, Catalogue.load(), in_channels=1, targets=TARGETS, grid=(16, 16))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(3, 1, 9, 11, generator=torch.Generator().manual_seed(0))


def test_the_whole_is_its_parts_joined(images):
    system = fused().eval()
    output = system(images)
    branches = system.branch_outputs(images)
    for name, branch in system.branches.items():
        features = branch.backbone(images).mean((2, 3))
        torch.testing.assert_close(branches[name].features, features)
        torch.testing.assert_close(branches[name].outputs, branch.head(features))
        torch.testing.assert_close(output.branches[name].outputs, branches[name].outputs)
    joined = torch.cat([branches["classifier"].features, branches["regressor"].features], dim=1)
    torch.testing.assert_close(output.final, system.head(joined))
    torch.testing.assert_close(system.join(branches), output.final)


def test_outputs_may_be_joined_later_in_any_order(images):
    system = fused().eval()
    branches = system.branch_outputs(images)
    kept = {name: BranchOutput(*(item.features, item.outputs)) for name, item in branches.items()}
    turned = dict(reversed(kept.items()))
    assert torch.equal(system.join(turned), system.join(branches))


def test_the_final_head_speaks_of_classes_and_the_branch_of_severity(images):
    system = fused().eval()
    output = system(images)
    told = system.predict(output)
    assert list(told) == list(system.targets) == ["label", "severity"]
    torch.testing.assert_close(told["label"].probabilities, output.final.softmax(1))
    torch.testing.assert_close(told["severity"].value, output.branches["regressor"].outputs[:, 0])


def test_a_system_without_a_final_head_reads_its_branch(images):
    data = {"branches": {"only": FUSED["branches"]["classifier"]}}
    config = SystemConfig.model_validate(data)
    system = build_system(
        config, Catalogue.load(), in_channels=1, targets=TARGETS, grid=(16, 16)
    ).eval()
    output = system(images)
    told = system.predict(output)
    assert isinstance(output, SystemOutput)
    assert output.final is None
    assert list(told) == ["label"]
    torch.testing.assert_close(
        told["label"].probabilities, output.branches["only"].outputs.softmax(1)
    )


def test_saved_weights_give_the_same_system(images):
    first, second = fused(0).eval(), fused(1).eval()
    assert not torch.equal(first(images).final, second(images).final)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(images).final, second(images).final)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 8, 8), r"'classifier' takes images of shape \(b, 1, h, w\), not \(2, 3, 8, 8\)"),
        ((1, 8, 8), r"not \(1, 8, 8\)"),
        ((2, 1, 3, 8), r"'classifier' needs images of at least 4×4 pixels, not 3×8: bin less"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, message):
    with pytest.raises(InputError, match=message):
        fused()(torch.zeros(shape))


def rings(count: int) -> tuple[torch.Tensor, Targets]:
    """Noisy rings whose radius tells the class."""
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(count) % 4
    axis = torch.arange(16) - 7.5
    radius = (axis[:, None].square() + axis.square()).sqrt()
    image = torch.exp(-(radius - (2 + 1.5 * label)[:, None, None]).square())
    noise = 0.3 * torch.randn(count, 16, 16, generator=generator)
    return (image + noise)[:, None], {"label": label, "severity": 0.3 * label}


def test_a_tiny_system_learns_a_few_patterns():
    system = fused().train()
    images, targets = rings(32)
    optimiser = torch.optim.AdamW(system.parameters(), lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        output = system(images)
        losses = [
            system.branches[name].head.loss(item.outputs, targets)
            for name, item in output.branches.items()
        ]
        (sum(losses) + system.head.loss(output.final, targets)).backward()
        optimiser.step()
    system.train()  # 60 steps are too few for the running statistics; the batch's own will do
    with torch.no_grad():
        output = system(images)
    told = system.predict(output)
    assert torch.equal(told["label"].value, targets["label"])
    assert (told["severity"].value - targets["severity"]).abs().mean() < 0.1
    classes = system.branches["classifier"].head.predict(output.branches["classifier"].outputs)
    assert torch.equal(classes["label"].value, targets["label"])


def test_severity_alone_tells_the_nearest_class():
    config = SystemConfig.model_validate(
        {"branches": {"a": {"backbone": "dnsnet-tiny", "head": "severity"}}}
    )
    label = TARGETS["label"].model_copy(update={"class_severities": (0.3, 0.0, 0.9, 0.6)})
    targets = {**TARGETS, "label": label}
    system = build_system(config, Catalogue.load(), in_channels=1, targets=targets, grid=(16, 16))
    outputs = torch.tensor([[0.29], [-5.0], [7.0], [0.44], [0.46]])
    output = SystemOutput({"a": BranchOutput(torch.zeros(5, 1), outputs)}, None)
    told = system.predict(output)
    assert told["label"].value.tolist() == [0, 1, 2, 0, 3]
    torch.testing.assert_close(told["label"].probabilities.sum(1), torch.ones(5))
    # Half-way between two classes, and a normal distribution of half their distance elsewhere.
    half = system.predict(
        SystemOutput({"a": BranchOutput(torch.zeros(1, 1), torch.tensor([[0.45]]))}, None)
    )["label"].probabilities[0]
    torch.testing.assert_close(half[0], half[3])
    torch.testing.assert_close(half[0] / half[1], torch.tensor(4.0).exp())
    assert not [name for name in system.state_dict() if "severities" in name]


def test_a_head_for_classes_is_asked_before_the_severity(images):
    config = SystemConfig.model_validate(FUSED)
    known = build_system(
        config, Catalogue.load(), in_channels=1, targets=TARGETS, grid=(16, 16)
    ).eval()
    output = known(images)
    assert not known.derived
    found = known.predict(output)["label"].probabilities
    torch.testing.assert_close(found, output.final.softmax(1))


def test_severity_alone_tells_no_class_where_two_have_the_same():
    config = SystemConfig.model_validate({"branches": {"a": FUSED["branches"]["regressor"]}})
    label = TARGETS["label"].model_copy(update={"class_severities": (0.0, 0.3, 0.3, 0.9)})
    targets = {**TARGETS, "label": label}
    system = build_system(config, Catalogue.load(), in_channels=1, targets=targets, grid=(16, 16))
    assert list(system.targets) == ["severity"]
