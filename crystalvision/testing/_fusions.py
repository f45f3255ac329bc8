"""What every fusion must do."""

from collections.abc import Mapping
from typing import cast

import torch

from crystalvision.contracts import Fusion
from crystalvision.errors import InputError
from crystalvision.testing._export import Exported, check_autocast, check_compiled
from crystalvision.testing._gpu import check_gpu
from crystalvision.testing._require import require, require_close
from crystalvision.testing._subject import (
    PluginUnderTest,
    check_gradients,
    check_option_types,
    check_unknown_option,
    disturb,
    images_of,
    trainable,
)

_CLASSES = 4
# Not in alphabetical order: a fusion that sorts its branches would be caught. The first has a head
# for classes, the second one for severity.
_WIDTHS = {"second": 5, "first": 3}
_OUTPUTS = {"second": _CLASSES, "first": 1}

Values = dict[str, torch.Tensor]


def context(subject: PluginUnderTest) -> dict[str, object]:
    """Two branches of different width, or one for a fusion that takes no more."""
    for count in (2, 1):
        given = _supplied(list(_WIDTHS)[:count])
        try:
            subject.create({}, **given)
        except InputError:
            if count == 1:
                raise
        else:
            break
    return given


def make(subject: PluginUnderTest) -> Fusion:
    """A copy of the fusion."""
    return cast("Fusion", subject.copy(0, **context(subject)))


def inputs(subject: PluginUnderTest, batch: int = 6) -> tuple[Values, Values]:
    """Features and raw outputs of each branch."""
    given = context(subject)
    widths = cast("Mapping[str, int]", given["branch_features"])
    counts = cast("Mapping[str, int]", given["branch_outputs"])
    features = {name: images_of(batch, width) for name, width in widths.items()}
    outputs = {name: images_of(batch, count, seed=1) for name, count in counts.items()}
    return features, outputs


def honest_width(subject: PluginUnderTest) -> None:
    """The result is (b, num_features), and each row that of its image alone."""
    fusion = make(subject).eval()
    features, outputs = inputs(subject)
    with torch.no_grad():
        whole = fusion(features, outputs)
        alone = fusion(
            *({name: item[:1] for name, item in each.items()} for each in (features, outputs))
        )
    expected = (6, fusion.num_features)
    require(
        tuple(whole.shape) == expected,
        f"num_features={fusion.num_features} promises {expected}, not {tuple(whole.shape)}",
    )
    require_close(alone, whole[:1], "one image alone and in a batch")


def every_branch_and_weight_takes_part(subject: PluginUnderTest) -> None:
    """Gradients reach every weight, and every branch by its features or its outputs."""
    fusion = make(subject).train()
    features, outputs = inputs(subject)
    for item in (*features.values(), *outputs.values()):
        item.requires_grad_()
    joined = fusion(features, outputs)
    (joined * images_of(*joined.shape, seed=9)).sum().backward()
    for name in features:
        found = [item.grad for item in (features[name], outputs[name]) if item.grad is not None]
        require(any(item.abs().max() > 0 for item in found), f"branch '{name}' takes no part")
    reached: dict[str, float] = {}
    check_gradients(trainable(fusion), reached)
    for name, size in reached.items():
        require(size > 0, f"the gradient of '{name}' is zero: it takes no part in the result")


def branches_are_named(subject: PluginUnderTest) -> None:
    """The order in which branches are given does not matter."""
    fusion = make(subject).eval()
    features, outputs = inputs(subject)
    turned = [dict(reversed(item.items())) for item in (features, outputs)]
    with torch.no_grad():
        require(
            torch.equal(fusion(features, outputs), fusion(*turned)),
            "the order of the branches in the mapping changes the result: go by their names",
        )


def state_dict_round_trip(subject: PluginUnderTest) -> None:
    """Saved weights make the fusion."""
    first, second = make(subject).eval(), make(subject).eval()
    given = inputs(subject)
    disturb(second)
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        same = torch.equal(first(*given), second(*given))
    require(same, "saved weights do not give the same fusion")


def a_wrong_number_of_branches_is_refused(subject: PluginUnderTest) -> None:
    """No branch is refused; one branch and three are taken, or refused with their number."""
    for names in ([], ["alone"], ["one", "two", "three"]):
        given = _supplied(names)
        try:
            fusion = subject.create({}, **given)
        except InputError as error:
            number = str(len(names)) if names else "0"
            names_it = number in str(error) or (not names and "none" in str(error))
            require(names_it, f"the refusal of {len(names)} branches does not say so: {error}")
            continue
        require(names, "it takes no branch at all: there is nothing to join")
        require(fusion.num_features > 0, f"num_features={fusion.num_features}")


def runs_on_a_gpu(subject: PluginUnderTest) -> None:
    """On a GPU what is joined stays there, in training and in evaluation."""
    for training in (True, False):
        fusion = make(subject).train(training)
        check_gpu(fusion, lambda fusion, given: fusion(*given), inputs(subject))


def wrong_options_are_refused(subject: PluginUnderTest) -> None:
    """Unknown options and values of the wrong type."""
    check_unknown_option(subject, **context(subject))
    check_option_types(subject, **context(subject))


def torch_export(subject: PluginUnderTest) -> None:
    """`torch.export` gives a program with equal results, for batches of any size."""
    _exported(subject).check()


def onnx_export(subject: PluginUnderTest) -> None:
    """So does `torch.onnx.export`, with the results of onnxruntime."""
    _exported(subject).check_onnx()


def autocast(subject: PluginUnderTest) -> None:
    """bfloat16 changes little."""
    check_autocast(make(subject), inputs(subject))


def compiles(subject: PluginUnderTest) -> None:
    """`torch.compile` changes nothing but time."""
    check_compiled(make(subject), inputs(subject))


def _supplied(names: list[str]) -> dict[str, object]:
    return {
        "branch_features": {name: _WIDTHS.get(name, 5) for name in names},
        "branch_outputs": {name: _OUTPUTS.get(name, _CLASSES) for name in names},
        "num_classes": _CLASSES,
    }


def _exported(subject: PluginUnderTest) -> Exported:
    return Exported(make(subject), lambda samples: inputs(subject, samples))
