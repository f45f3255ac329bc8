"""The battery finds what is wrong, says so, and lets what is right pass."""

from collections.abc import Callable
from textwrap import dedent

import pytest
import torch
from torch import nn

from crystalvision.contracts import Backbone, Estimate, Fusion, Head
from crystalvision.errors import InputError
from crystalvision.plugins import KINDS, Catalogue, Entry, PluginInfo
from crystalvision.testing.battery import (
    CHECKS,
    NotMetError,
    PluginUnderTest,
    run_battery,
    subjects,
)


class Good(Backbone):
    """One strided convolution."""

    def __init__(self, in_channels: int, width: int = 8) -> None:
        super().__init__()
        self.num_features, self.stride = width, 2
        self.conv = nn.Conv2d(in_channels, width, 5, stride=2, padding=2)
        self.mix = nn.Conv2d(width, width, 5, padding=2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.mix(self.conv(images).relu()).relu()


class WrongWidth(Good):
    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels)
        self.num_features = 9


class WrongStride(Good):
    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels)
        self.stride = 4


class Idle(Good):
    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels)
        self.idle = nn.Linear(2, 2)


class Dead(Good):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images) + 0 * self.mix.weight.sum() - self.mix(images * 0).detach()


class Noisy(Good):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images + torch.rand_like(images))


class Crowd(Good):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images - images.mean(0))


class Blind(Good):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(torch.ones_like(images))


class Random(Good):
    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels)
        generator = torch.Generator()
        generator.seed()
        nn.init.normal_(self.mix.weight, generator=generator)


class Hidden(Good):
    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels)
        self.secret = [1.0]

    def load_state_dict(self, *args: object, **kwargs: object) -> object:
        self.secret = [2.0]
        return super().load_state_dict(*args, **kwargs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.secret[0] * super().forward(images)


class AnyOption(Good):
    def __init__(self, in_channels: int, **options: object) -> None:
        super().__init__(in_channels)


class LooksAtValues(Good):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images) * (2.0 if images.sum().item() > 0 else 1.0)


class Coarse(Good):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        low = torch.is_autocast_enabled("cpu")
        return super().forward(images) * (2 if low else 1)


class CannotLearn(Good):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images * 1e-9) + 1


class GoodHead(Head):
    """One linear layer."""

    targets = ("label",)

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(num_features, num_classes)

    def forward(self, features):
        return self.linear(features)

    def loss(self, outputs, targets):
        return nn.functional.cross_entropy(outputs, targets["label"])

    def predict(self, outputs):
        return {"label": Estimate.of_classes(outputs.softmax(1))}


class Sums(GoodHead):
    def predict(self, outputs):
        return {"label": Estimate.of_classes(outputs.sigmoid())}


class Worst(GoodHead):
    def predict(self, outputs):
        return {"label": Estimate(outputs.argmin(1), outputs.softmax(1))}


class Summed(GoodHead):
    def loss(self, outputs, targets):
        return nn.functional.cross_entropy(outputs, targets["label"], reduction="none")


class Backwards(GoodHead):
    def loss(self, outputs, targets):
        return -super().loss(outputs, targets)


class GoodFusion(Fusion):
    """Side by side."""

    def __init__(self, branch_features: dict[str, int]) -> None:
        super().__init__()
        if not branch_features:
            raise InputError("there is none to join")
        self.names = list(branch_features)
        self.num_features = 4
        self.linear = nn.Linear(sum(branch_features.values()), 4)

    def forward(self, features, outputs):
        return self.linear(torch.cat([features[name] for name in self.names], 1))


class ByPlace(GoodFusion):
    def forward(self, features, outputs):
        return self.linear(torch.cat(list(features.values()), 1))


class OneOnly(GoodFusion):
    def forward(self, features, outputs):
        return super().forward(
            {name: item * (name == self.names[0]) for name, item in features.items()}, outputs
        )


class TakesNone(Fusion):
    num_features = 1

    def __init__(self, branch_features: dict[str, int]) -> None:
        super().__init__()

    def forward(self, features, outputs):
        return sum(item.mean(1, keepdim=True) for item in features.values())


def catalogue(kind: str, factory: Callable[..., object]) -> Catalogue:
    return Catalogue([Entry(KINDS[kind], "thing", PluginInfo("mine", "mine", "1"), factory)])


def check_fails(kind: str, factory: Callable[..., object], check: str, message: str) -> None:
    """One check of the battery fails with a message; the others cost time."""
    (found,) = (item for item in CHECKS[kind] if item.name == check)
    with pytest.raises(NotMetError, match=message):
        found.run(PluginUnderTest(kind, "thing", catalogue(kind, factory)))


def test_the_first_check_that_fails_is_named():
    expected = "^backbone 'thing', odd_sizes_and_channels: num_features=9 promises"
    with pytest.raises(NotMetError, match=expected):
        run_battery("backbone", "thing", catalogue("backbone", WrongWidth))


@pytest.mark.parametrize(
    ("factory", "check", "message"),
    [
        (WrongWidth, "odd_sizes_and_channels", r"num_features=9 promises a map \(2, 9, \*grid"),
        (WrongStride, "odd_sizes_and_channels", "stride=4: a side of 9 pixels gives 5 points"),
        (Idle, "gradients_reach_every_weight", "'idle.weight' takes no part in the result: no gr"),
        (Noisy, "evaluation_is_repeatable", "twice the same images, two results"),
        (Crowd, "evaluation_is_repeatable", "one image alone and in a batch: values differ"),
        (Blind, "evaluation_is_repeatable", "two images have one result"),
        (Random, "the_seed_makes_the_weights", "'mix.weight' differs between two networks"),
        (Hidden, "state_dict_round_trip", "saved weights do not give the same network"),
        (AnyOption, "wrong_options_are_refused", "it takes an option 'wibble' that it knows noth"),
        (LooksAtValues, "torch_export", "torch.export fails: "),
        (Coarse, "autocast", "autocast to bfloat16 changes the result by 100%"),
        (CannotLearn, "overfits_32_patterns", r"it knows \d+ of 32 patterns by heart"),
    ],
)
def test_a_broken_backbone_is_caught_in_words(factory, check, message):
    check_fails("backbone", factory, check, message)


@pytest.mark.parametrize(
    ("factory", "check", "message"),
    [
        (Sums, "says_something_of_each_target", "sums of the probabilities of 'label': values dif"),
        (Worst, "says_something_of_each_target", "the value of 'label' is not the most probable"),
        (Summed, "gradients_reach_every_weight", r"the loss has shape \(20,\); expected one num"),
        (Backwards, "the_loss_teaches_what_is_predicted", r"it learns \d+ of 20 plain values of "),
    ],
)
def test_a_broken_head_is_caught_in_words(factory, check, message):
    check_fails("head", factory, check, message)


@pytest.mark.parametrize(
    ("factory", "check", "message"),
    [
        (ByPlace, "branches_are_named", "order of the branches in the mapping changes"),
        (OneOnly, "every_branch_and_weight_takes_part", "branch 'first' takes no part"),
        (TakesNone, "a_wrong_number_of_branches_is_refused", "it takes no branch at all"),
    ],
)
def test_a_broken_fusion_is_caught_in_words(factory, check, message):
    check_fails("fusion", factory, check, message)


@pytest.mark.parametrize(
    ("kind", "factory"), [("backbone", Good), ("head", GoodHead), ("fusion", GoodFusion)]
)
def test_what_is_right_passes(kind, factory):
    run_battery(kind, "thing", catalogue(kind, factory))


def test_a_family_is_tested_by_its_members_where_they_are_named():
    found = Catalogue.load()
    plain = [item.name for item in subjects(found)]
    assert "dnsnet" in plain
    assert "timm" not in plain
    assert [item.name for item in subjects(found, ("timm:test_resnet",))] == ["timm:test_resnet"]
    assert [item.kind for item in subjects(found, ("softmax",))] == ["head"]


def test_every_check_says_what_it_asks():
    for checks in CHECKS.values():
        for check in checks:
            assert check.run.__doc__, check.name


def test_a_single_file_is_tested_with_one_line(run_python, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.py"
    path.write_text(
        dedent(
            """
            import torch
            from crystalvision import hookimpl
            from crystalvision.contracts import Estimate, Head

            class Mine(Head):
                targets = ("label",)
                def __init__(self, num_features: int, num_classes: int) -> None:
                    super().__init__()
                    self.linear = torch.nn.Linear(num_features, num_classes)
                def forward(self, features):
                    return self.linear(features)
                def loss(self, outputs, targets):
                    return torch.nn.functional.cross_entropy(outputs, targets["label"])
                def predict(self, outputs):
                    return {"label": Estimate.of_classes(outputs.sigmoid())}

            @hookimpl
            def crystalvision_heads():
                return {"mine": Mine}
            """
        )
    )
    line = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", "--pyargs"]
    line += ["crystalvision.testing", "--crystalvision-plugin", path.name]
    told = run_python(*line, "--crystalvision-only", "mine")
    assert told.returncode == 1, told.stdout + told.stderr
    assert "sums of the probabilities of 'label': values differ" in told.stdout
    assert f"1 failed, {len(CHECKS['head']) - 3} passed" in told.stdout


def test_a_name_that_is_not_there_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = ["-p", "no:cacheprovider", "--pyargs", "crystalvision.testing"]
    status = pytest.main([*line, "--crystalvision-only", "wibble"])
    assert status in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED}
    told = capsys.readouterr()
    expected = "--crystalvision-only wibble: no input, backbone, head, fusion of that name"
    assert expected in told.out + told.err
