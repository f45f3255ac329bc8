"""What every head must do."""

from typing import cast

import torch

from crystalvision.contracts import Head, Targets
from crystalvision.errors import InputError
from crystalvision.testing._export import Exported, check_autocast, check_compiled
from crystalvision.testing._require import require, require_close
from crystalvision.testing._subject import (
    Subject,
    check_gradients,
    check_option_types,
    check_unknown_option,
    disturb,
    images_of,
    trainable,
)

_FEATURES, _CLASSES = 7, 5


def context(subject: Subject) -> dict[str, int]:
    """Seven features, or one a class for a head that reads no other number."""
    for features in (_FEATURES, _CLASSES):
        given = {"num_features": features, "num_classes": _CLASSES}
        try:
            subject.create({}, **given)
        except InputError:
            if features == _CLASSES:
                raise
        else:
            break
    return given


def make(subject: Subject) -> Head:
    """A copy of the head."""
    return cast("Head", subject.copy(0, **context(subject)))


def problem(subject: Subject, count: int = 20) -> tuple[torch.Tensor, Targets]:
    """Features that tell the class and the severity."""
    label = torch.arange(count) % _CLASSES
    features = 0.02 * images_of(count, context(subject)["num_features"])
    features[torch.arange(count), label] += 1
    return features, Targets(label, label / _CLASSES)


def outputs_are_one_row_an_image(subject: Subject) -> None:
    """In evaluation, each row of outputs (b, o) is that of its features alone."""
    head = make(subject).eval()
    features, _ = problem(subject)
    with torch.no_grad():
        outputs = head(features)
        require(
            outputs.ndim == 2 and len(outputs) == len(features),
            f"features of {len(features)} images give outputs of shape {tuple(outputs.shape)}; "
            f"expected ({len(features)}, o)",
        )
        require(torch.equal(head(features), outputs), "twice the same features, two results")
        require_close(head(features[3:4]), outputs[3:4], "one image alone and in a batch")


def predicts_probabilities_or_severity(subject: Subject) -> None:
    """Probabilities (b, k) with rows that sum to one, or severities (b,), or both."""
    head = make(subject).eval()
    features, _ = problem(subject)
    with torch.no_grad():
        told = head.predict(head(features))
    require(
        told.probabilities is not None or told.severity is not None,
        "predict gives neither probabilities nor severity",
    )
    if told.probabilities is not None:
        shape = tuple(told.probabilities.shape)
        expected = (len(features), _CLASSES)
        require(shape == expected, f"probabilities have shape {shape}, expected {expected}")
        require((told.probabilities >= 0).all(), "a probability is negative")
        sums = told.probabilities.sum(1)
        require_close(sums, torch.ones_like(sums), "sums of the probabilities", 1e-5)
    if told.severity is not None:
        shape = tuple(told.severity.shape)
        require(shape == (len(features),), f"severity has shape {shape}, expected (b,)")


def gradients_reach_every_weight(subject: Subject) -> None:
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


def the_loss_teaches_what_is_predicted(subject: Subject) -> None:
    """Trained on features that tell the target, it predicts the target."""
    head = make(subject).train()
    features, targets = problem(subject)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        torch.autograd.backward(head.loss(head(features), targets))
        optimiser.step()
    with torch.no_grad():
        told = head.predict(head.eval()(features))
    if told.probabilities is not None:
        right = int((told.probabilities.argmax(1) == targets.label).sum())
        require(right == len(features), f"it learns {right} of {len(features)} plain classes")
    if told.severity is not None:
        error = float((told.severity - targets.severity).abs().max())
        require(error < 0.1, f"it learns plain severities but for errors of up to {error:.2f}")


def state_dict_round_trip(subject: Subject) -> None:
    """Saved weights make the head."""
    first, second = make(subject).eval(), make(subject).eval()
    features, _ = problem(subject)
    disturb(second)
    with torch.no_grad():
        expected = first(features)
        require(not torch.equal(second(features), expected), "the weights do not matter")
        second.load_state_dict(first.state_dict())
        require(torch.equal(second(features), expected), "saved weights do not give the same head")


def one_image_trains_or_is_refused(subject: Subject) -> None:
    """Training on one image works, or an InputError says what to do."""
    head = make(subject).train()
    features, _ = problem(subject)
    try:
        head(features[:1])
    except InputError as error:
        require("batch_size" in str(error), f"the refusal does not say batch_size: {error}")


def wrong_options_are_refused(subject: Subject) -> None:
    """Unknown options and values of the wrong type."""
    check_unknown_option(subject, **context(subject))
    check_option_types(subject, **context(subject))


def torch_export(subject: Subject) -> None:
    """`torch.export` gives a program with equal results, for batches of any size."""
    _exported(subject).check()


def onnx_export(subject: Subject) -> None:
    """So does `torch.onnx.export`, with the results of onnxruntime."""
    _exported(subject).check_onnx()


def autocast(subject: Subject) -> None:
    """bfloat16 changes little."""
    check_autocast(make(subject), (problem(subject)[0],))


def compiles(subject: Subject) -> None:
    """`torch.compile` changes nothing but time."""
    check_compiled(make(subject), (problem(subject)[0],))


def _exported(subject: Subject) -> Exported:
    return Exported(make(subject), lambda samples: (problem(subject, samples)[0],))
