"""Where the time of a step of training goes."""

from collections.abc import Callable, Iterator
from typing import Any

from _models.settings import Result

_BACKWARD = "autograd::engine::evaluate_function: "

_KINDS = {
    "convolution": ("convolution", "conv2d", "conv_", "addmm", "linear", "mm"),
    "batch norm": ("batch_norm", "batchnorm"),
    "concatenation": ("cat", "narrow", "slice", "split"),
    "ReLU": ("relu", "threshold"),
    "squeeze-and-excitation": ("mean", "sigmoid", "mul", "expand", "sum", "div"),
    "pooling": ("pool",),
    "optimiser": ("optimizer", "_foreach", "zero_grad", "accumulategrad", "add_"),
}


def shares(work: Callable[[], object], device: str) -> Result:
    """Share of the time of one step by what it does.

    An operation of the backward pass counts with that of the forward pass that it undoes. What
    autograd adds up where a tensor was used more than once is `adding gradients`. Means, products
    and sigmoids count as squeeze-and-excitation, and so do convolutions of single points.

    Args:
        work: The step, warm.
        device: On `cuda`, the GPU's time is divided.
    """
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU]
    if device == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities, record_shapes=True) as profiler:
        work()
    times: dict[str, float] = dict.fromkeys((*_KINDS, "adding gradients", "rest"), 0.0)
    for event in profiler.events():
        if event.cpu_parent is None and not event.is_async:
            for kind, spent in _divided(event, device):
                times[kind] += spent
    total = sum(times.values())
    return {kind: spent / total for kind, spent in times.items()}


def _divided(event: Any, device: str) -> Iterator[tuple[str, float]]:
    """The time of an event, by kind."""
    if event.name.startswith(_BACKWARD):
        inner = 0.0
        for child in event.cpu_children:
            if child.name.startswith("aten::add"):
                yield "adding gradients", _time(child, device)
            else:
                yield _kind(child), _time(child, device)
            inner += _time(child, device)
        yield "rest", max(0.0, _time(event, device) - inner)
    elif event.name.startswith(("Optimizer", "ProfilerStep")):
        yield "optimiser", _time(event, device)
    else:
        yield _kind(event), _time(event, device)


def _kind(event: Any) -> str:
    name = event.name.lower()
    for kind, words in _KINDS.items():
        if any(word in name for word in words):
            single = kind == "convolution" and _single_point(event)
            return "squeeze-and-excitation" if single else kind
    return "rest"


def _single_point(event: Any) -> bool:
    """Whether an operation, or the first of those within it that tells, works on single points."""
    for shapes in (event.input_shapes, *(child.input_shapes for child in event.cpu_children)):
        images = [shape for shape in shapes or () if len(shape) == 4]
        if images:
            return list(images[0][2:]) == [1, 1]
    return False


def _time(event: Any, device: str) -> float:
    return float(event.device_time_total if device == "cuda" else event.cpu_time_total)
