"""What every head must do."""

from collections.abc import Mapping
from typing import Any, cast

import torch

from crystalvision.config import Part
from crystalvision.contracts import Head, Target, Targets
from crystalvision.errors import InputError, PluginError
from crystalvision.models import ask_estimates, class_count
from crystalvision.testing._export import Exported, check_autocast, check_compiled
from crystalvision.testing._gpu import check_gpu
from crystalvision.testing._require import NotMetError, require, require_close
from crystalvision.testing._subject import (
    PluginUnderTest,
    check_gradients,
    check_option_types,
    check_unknown_option,
    disturb,
    images_of,
    trainable,
)

_FEATURES, _CLASSES = 7, 5
_GRID, _MAP = (8, 8), (4, 4)
_NAMES = tuple("abcde")
_TARGETS = {
    "label": Target(name="label", task="classification", classes=_NAMES),
    "severity": Target(name="severity", task="regression"),
    "fractions": Target(name="fractions", task="fractions", shape=(5,), components=_NAMES),
}
"""What a head finds where a test names no targets of its own."""


def context(subject: PluginUnderTest) -> dict[str, Any]:
    """Seven features, or one a class for a head that reads no other number."""
    part = Part.of(subject.name, **subject.options)
    classes = class_count(part, subject.catalogue, _known(subject)) or _CLASSES
    for features in (_FEATURES, _CLASSES):
        given = {
            "num_features": features,
            "num_classes": classes,
            "targets": _known(subject),
            "grid": _GRID,
            "map_grid": _MAP,
        }
        try:
            subject.create({}, **given)
        except InputError:
            if features == _CLASSES:
                raise
        else:
            break
    return given


def _known(subject: PluginUnderTest) -> Mapping[str, Target]:
    return {**_TARGETS, **subject.targets}


def make(subject: PluginUnderTest) -> Head:
    """A copy of the head."""
    return cast("Head", subject.copy(0, **context(subject)))


def problem(subject: PluginUnderTest, count: int = 20) -> tuple[torch.Tensor, Targets]:
    """Features that tell the targets: pooled ones, or maps that are the same everywhere."""
    label = torch.arange(count) % _CLASSES
    features = 0.02 * images_of(count, context(subject)["num_features"])
    features[torch.arange(count), label] += 1
    head, known = make(subject), _known(subject)
    if head.reads == "map":
        features = features[..., None, None].expand(*features.shape, *_MAP).contiguous()
    for name in head.targets:
        require(name in known, f"it learns '{name}', which the battery must be given a Target of")
    return features, {name: _values(known[name], label) for name in head.targets}


def _values(target: Target, label: torch.Tensor) -> torch.Tensor:
    """Values that follow from a class of five, (b, *shape): unit vectors, or shares."""
    shape = (len(label), *(1 for _ in target.shape))
    if target.classes:
        return (label % len(target.classes)).reshape(shape).expand(len(label), *target.shape)
    values = (label / _CLASSES).reshape(shape).repeat(1, *target.shape)
    if len(target.shape) == 1:
        values[:, 0] = 1
        values[:, 2:] = 0
        whole = values.sum(1) if target.components else values.norm(dim=1)
        values = values / whole[:, None]
    return values


def outputs_are_one_row_an_image(subject: PluginUnderTest) -> None:
    """In evaluation, each row of outputs, (b, o) of pooled features, is that of its own alone."""
    head = make(subject).eval()
    features, _ = problem(subject)
    with torch.no_grad():
        outputs = head(features)
        require(
            (outputs.ndim == 2 or (outputs.ndim > 2 and head.reads == "map"))
            and len(outputs) == len(features),
            f"features of {len(features)} images give outputs of shape {tuple(outputs.shape)}; "
            f"expected ({len(features)}, o)",
        )
        require(torch.equal(head(features), outputs), "twice the same features, two results")
        require_close(head(features[3:4]), outputs[3:4], "one image alone and in a batch")


def says_something_of_each_target(subject: PluginUnderTest) -> None:
    """An estimate of each target: a value, or a class and probabilities that sum to one."""
    head = make(subject).eval()
    features, _ = problem(subject)
    with torch.no_grad():
        outputs = head(features)
        try:
            said = ask_estimates(head, outputs, _known(subject))
        except PluginError as error:
            raise NotMetError(str(error)) from error
    for name, estimate in said.items():
        if estimate.probabilities is None:
            continue
        require((estimate.probabilities >= 0).all(), f"a probability of '{name}' is negative")
        sums = estimate.probabilities.sum(1)
        require_close(sums, torch.ones_like(sums), f"sums of the probabilities of '{name}'", 1e-5)
        best = estimate.probabilities.gather(1, estimate.value[:, None])[:, 0]
        require(
            torch.equal(best, estimate.probabilities.amax(1)),
            f"the value of '{name}' is not the most probable class",
        )


def gradients_reach_every_weight(subject: PluginUnderTest) -> None:
    """The loss is one finite number, and every weight and feature takes part in it."""
    head = make(subject).train()
    features, targets = problem(subject)
    features.requires_grad_()
    loss = head.loss(head(features), targets)
    require(loss.shape == (), f"the loss has shape {tuple(loss.shape)}; expected one number")
    require(loss.isfinite(), f"the loss is {float(loss.detach())}")
    torch.autograd.backward(loss)
    reached: dict[str, float] = {}
    check_gradients({"features": features, **trainable(head)}, reached)
    for name, size in reached.items():
        require(size > 0, f"the gradient of '{name}' is zero: it takes no part in the loss")


def the_loss_teaches_what_is_predicted(subject: PluginUnderTest) -> None:
    """Trained on features that tell the target, it predicts the target."""
    head = make(subject).train()
    features, targets = problem(subject)
    head.observe(targets)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        torch.autograd.backward(head.loss(head(features), targets))
        optimiser.step()
    with torch.no_grad():
        said = head.eval().predict(head(features))
    for name, estimate in said.items():
        value, truth = estimate.value, targets[name]
        if _known(subject)[name].classes:
            right, count = int((value == truth).sum()), truth.numel()
            require(right == count, f"it learns {right} of {count} plain values of '{name}'")
        elif not _known(subject)[name].symmetry:
            error = float((value - truth).abs().max())
            require(
                error < 0.1,
                f"it learns plain values of '{name}' but for errors of up to {error:.2f}",
            )


def state_dict_round_trip(subject: PluginUnderTest) -> None:
    """Saved weights make the head."""
    first, second = make(subject).eval(), make(subject).eval()
    features, _ = problem(subject)
    disturb(second)
    with torch.no_grad():
        expected = first(features)
        require(not torch.equal(second(features), expected), "the weights do not matter")
        second.load_state_dict(first.state_dict())
        require(torch.equal(second(features), expected), "saved weights do not give the same head")


def one_image_trains_or_is_refused(subject: PluginUnderTest) -> None:
    """Training on one image works, or an InputError says what to do."""
    head = make(subject).train()
    features, _ = problem(subject)
    try:
        head(features[:1])
    except InputError as error:
        require("batch_size" in str(error), f"the refusal does not say batch_size: {error}")


def runs_on_a_gpu(subject: PluginUnderTest) -> None:
    """On a GPU outputs, loss and predictions stay there, and nothing waits for it."""

    def work(head: Head, given: tuple[torch.Tensor, Targets]) -> object:
        features, targets = given
        outputs = head.train()(features)
        said = head.eval().predict(outputs)
        parts = [[one.value, one.probabilities, one.spread] for one in said.values()]
        return outputs, head.loss(outputs, targets), parts

    check_gpu(make(subject), work, problem(subject))


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
    check_autocast(make(subject), (problem(subject)[0],))


def compiles(subject: PluginUnderTest) -> None:
    """`torch.compile` changes nothing but time."""
    check_compiled(make(subject), (problem(subject)[0],))


def _exported(subject: PluginUnderTest) -> Exported:
    return Exported(make(subject), lambda samples: (problem(subject, samples)[0],))
