"""What every input must do."""

from collections.abc import Iterator
from typing import cast

import torch
from torch import nn

from crystalvision.contracts import Axis, Input, grid_of
from crystalvision.testing._export import Exported
from crystalvision.testing._gpu import check_gpu
from crystalvision.testing._require import require, require_close
from crystalvision.testing._subject import (
    PluginUnderTest,
    check_option_types,
    check_unknown_option,
    counts_of,
)

_SIDES = {1: (60,), 2: (12, 16), 3: (6, 8, 10)}
_NAMES = ("q_z", "q_y", "q_x")


def axes_for(dimensions: int) -> tuple[Axis, ...]:
    """Axes of patterns of so many dimensions, with the direct beam in the middle."""
    sides = _SIDES[dimensions]
    return tuple(
        Axis(name=name, size=size, scale=0.1, offset=-0.1 * (size // 2))
        for name, size in zip(_NAMES[-dimensions:], sides, strict=True)
    )


def context() -> dict[str, object]:
    """What the toolkit supplies."""
    return {"axes": axes_for(2)}


def _steps(subject: PluginUnderTest) -> Iterator[tuple[Input, tuple[Axis, ...]]]:
    """The step for patterns of each number of dimensions that it works on."""
    # A step that works on few says so by its class, before it is made.
    factory = subject.catalogue.entry(subject.kind, subject.name).load()
    for dimensions in sorted(getattr(factory, "dimensions", {2})):
        if dimensions in _SIDES:
            axes = axes_for(dimensions)
            yield cast("Input", subject.create({}, axes=axes)).eval(), axes


def gives_what_its_axes_say(subject: PluginUnderTest) -> None:
    """Images of the grid of its axes, finite, as float32, without a mask where there was none."""
    for step, axes in _steps(subject):
        counts = counts_of(3, 2, *grid_of(axes))
        before = counts.clone()
        images, seen = step(counts)
        grid = grid_of(step.axes(axes))
        expected = (3, step.channels(2), *grid)
        require(
            tuple(images.shape) == expected,
            f"its axes and channels promise images {expected}, not {tuple(images.shape)}",
        )
        require(images.dtype == torch.float32, f"float32 images become {images.dtype}")
        require(seen is None, "it gives a mask where nobody gave it one")
        require(images.isfinite().all(), "not all values are finite; the first image has no counts")
        require(torch.equal(counts, before), "it changes what it was given in place")


def constant_images_stay_finite(subject: PluginUnderTest) -> None:
    """Images without counts, of few and of saturated pixels."""
    for step, axes in _steps(subject):
        values = torch.tensor([0.0, 1.0, 65_535.0]).reshape(3, *[1] * (1 + len(axes)))
        images, _ = step(values.expand(3, 1, *grid_of(axes)).contiguous())
        require(images.isfinite().all(), "a constant image gives values that are not finite")


def images_do_not_depend_on_each_other(subject: PluginUnderTest) -> None:
    """One image alone gives what it gives in a batch."""
    for step, axes in _steps(subject):
        counts = counts_of(4, 1, *grid_of(axes))
        whole, _ = step(counts)
        require_close(step(counts[2:3])[0], whole[2:3], "one image alone and in a batch")


def a_whole_mask_changes_nothing(subject: PluginUnderTest) -> None:
    """Where all points were seen, the result is that without a mask."""
    for step, axes in _steps(subject):
        counts = counts_of(3, 2, *grid_of(axes))
        everywhere = torch.ones_like(counts[:, :1], dtype=torch.bool)
        images, seen = step(counts, everywhere)
        require(
            seen is not None and seen.dtype == torch.bool and seen.shape[2:] == images.shape[2:],
            "it gives no mask of its images, although it was given one",
        )
        require(bool(seen.all()), "points are hidden, although all were seen")
        require_close(images, step(counts)[0], "with a mask that hides nothing")


def what_was_not_seen_stays_hidden(subject: PluginUnderTest) -> None:
    """An image of which nothing was seen gives nothing that was, and the rest stays finite."""
    for step, axes in _steps(subject):
        counts = counts_of(3, 2, *grid_of(axes))
        seen = torch.rand(3, 1, *grid_of(axes), generator=torch.Generator().manual_seed(0)) > 0.4
        seen[1] = False
        images, still = step(counts * seen, seen)
        require(images.isfinite().all(), "with a mask, not all values are finite")
        still = still[:, :1]  # of a channel that it adds, all may be known
        require(not still[1].any(), "it saw something of an image of which nothing was seen")
        require(bool(still[0].any()), "it hides all of an image of which half was seen")


def runs_on_a_gpu(subject: PluginUnderTest) -> None:
    """On a GPU, images and masks stay there, and nothing waits for it."""
    for step, axes in _steps(subject):
        counts = counts_of(3, 2, *grid_of(axes))
        check_gpu(
            step,
            lambda step, given: [step(*each) for each in given],
            [(counts, None), (counts, counts > 1)],
        )


def has_no_weights(subject: PluginUnderTest) -> None:
    """Nothing in it is learnt or saved: it is made again from its options and the axes."""
    for step, _ in _steps(subject):
        require(not list(step.parameters()), "it has weights; a step of the input has none")
        saved = ", ".join(step.state_dict())
        require(
            not saved,
            f"its state holds {saved}, which no run saves: register buffers with persistent=False",
        )


def wrong_options_are_refused(subject: PluginUnderTest) -> None:
    """Unknown options and values of the wrong type."""
    check_unknown_option(subject, **context())
    check_option_types(subject, **context())


def torch_export(subject: PluginUnderTest) -> None:
    """`torch.export` gives a program with equal results, for batches of any size."""
    _exported(subject).check()


def onnx_export(subject: PluginUnderTest) -> None:
    """So does `torch.onnx.export`, with the results of onnxruntime."""
    _exported(subject).check_onnx()


class _Images(nn.Module):
    """What a step makes of images that were seen whole."""

    def __init__(self, step: Input) -> None:
        super().__init__()
        self.step = step

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        images: torch.Tensor = self.step(counts)[0]
        return images + 0.0  # exporters do not like a graph that does nothing


def _exported(subject: PluginUnderTest) -> Exported:
    """The step for images, or for patterns of the fewest dimensions: exporters take seconds."""
    steps = {len(axes): (step, axes) for step, axes in _steps(subject)}
    step, axes = steps.get(2) or steps[min(steps)]
    return Exported(_Images(step), lambda samples: (counts_of(samples, 1, *grid_of(axes)),))
