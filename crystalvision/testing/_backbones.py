"""What every backbone must do."""

import math
import tempfile
from itertools import product
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import save_file
from torch import nn

from crystalvision.contracts import Backbone, dimensions_of, strides
from crystalvision.errors import InputError
from crystalvision.models import Branch, count_parameters
from crystalvision.testing._export import Exported, check_autocast, check_compiled
from crystalvision.testing._gpu import check_gpu
from crystalvision.testing._require import NotMetError, require, require_close
from crystalvision.testing._subject import (
    PluginUnderTest,
    check_gradients,
    check_option_types,
    check_unknown_option,
    counts_of,
    disturb,
    images_of,
    trainable,
)

_PATTERNS, _CLASSES, _STEPS = 32, 4, 300
_COMPILED_UP_TO = 200_000  # weights


def make(subject: PluginUnderTest, in_channels: int = 1, seed: int = 0) -> Backbone:
    """A copy of the backbone for images of so many channels."""
    return cast("Backbone", subject.copy(seed, in_channels=in_channels))


def batch_for(
    backbone: Backbone,
    samples: int,
    points: int = 1,
    extra: int = 0,
    dimensions: int | None = None,
) -> torch.Tensor:
    """Images of so many points of the map a side, and some pixels more.

    Of as many dimensions as are given, by default the fewest that the backbone reads.
    """
    sides = strides(backbone, dimensions or min(dimensions_of(backbone)))
    return images_of(samples, 1, *(points * side + extra for side in sides))


def odd_sizes_and_channels(subject: PluginUnderTest) -> None:
    """Images of two channels and of sides that the stride does not divide give a finite map."""
    backbone = make(subject, in_channels=2).eval()
    for dimensions in sorted(dimensions_of(backbone)):
        least = strides(backbone, dimensions)
        sides = [(1 + place % 2) * side + 5 - 2 * place for place, side in enumerate(least)]
        with torch.no_grad():
            maps = backbone(images_of(2, 2, *sides))
        require(
            maps.ndim == 2 + dimensions and maps.shape[:2] == (2, backbone.num_features),
            f"num_features={backbone.num_features} promises a map (2, {backbone.num_features}, "
            f"*grid') of {dimensions} dimensions, not {tuple(maps.shape)}",
        )
        for side, stride, found in zip(sides, least, maps.shape[2:], strict=True):
            require(
                side // stride <= found <= math.ceil(side / stride),
                f"stride={backbone.stride}: a side of {side} pixels gives {found} points",
            )
        require(maps.isfinite().all(), "not all values of the map are finite")
        require(maps.dtype == torch.float32, f"the map of float32 images is {maps.dtype}")


def honest_stride(subject: PluginUnderTest) -> None:
    """Images of one stride give one point, of two strides two: it is also the smallest image."""
    backbone = make(subject).eval()
    for dimensions, points in product(sorted(dimensions_of(backbone)), (1, 2)):
        images = batch_for(backbone, 1, points, dimensions=dimensions)
        with torch.no_grad():
            found = tuple(backbone(images).shape[2:])
        require(
            found == (points,) * dimensions,
            f"stride={backbone.stride}: images of {tuple(images.shape[2:])} pixels should give a "
            f"map of {'×'.join([str(points)] * dimensions)} points, not "
            f"{'×'.join(map(str, found))}",
        )


def gradients_reach_every_weight(subject: PluginUnderTest) -> None:
    """In training, every weight takes part in the result."""
    # All hidden units of a small layer may be off for one draw of weights, but not for each.
    reached: dict[str, float] = {}
    for seed in range(3):
        backbone = (make(subject) if not seed else subject.seeded(seed, in_channels=1)).train()
        maps = backbone(batch_for(backbone, 3, extra=1))
        (maps * images_of(*maps.shape, seed=9)).sum().backward()
        check_gradients(trainable(backbone), reached)
        if all(reached.values()):
            return
    without = next(name for name, size in reached.items() if size == 0)
    raise NotMetError(f"the gradient of '{without}' is zero: it takes no part in the result")


def evaluation_is_repeatable(subject: PluginUnderTest) -> None:
    """In evaluation, a result is that of its image alone, each time."""
    backbone = make(subject)
    batch = batch_for(backbone, 3, extra=1)
    for module in backbone.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0  # or the first guess of the statistics would drown the images
    with torch.no_grad():
        backbone.train()(images_of(4, *batch.shape[1:], seed=1))
        backbone.eval()
        whole = backbone(batch)
        require(torch.equal(whole, backbone(batch)), "twice the same images, two results")
        require_close(backbone(batch[1:2]), whole[1:2], "one image alone and in a batch")
    require(
        not torch.allclose(whole[0], whole[1]), "two images have one result: it does not read them"
    )


def state_dict_round_trip(subject: PluginUnderTest) -> None:
    """Saved weights make the network."""
    first, second = make(subject).eval(), make(subject).eval()
    disturb(second)
    batch = batch_for(first, 1)
    with torch.no_grad():
        expected = first(batch)
        require(not torch.equal(second(batch), expected), "the weights do not matter")
        second.load_state_dict(first.state_dict())
        require(torch.equal(second(batch), expected), "saved weights do not give the same network")


def the_seed_makes_the_weights(subject: PluginUnderTest) -> None:
    """Made twice with one seed of torch's own generator, it has the same weights."""
    saved = make(subject).state_dict()
    for name, value in subject.seeded(0, in_channels=1).state_dict().items():
        require(
            torch.equal(value, saved[name]),
            f"'{name}' differs between two networks made with one seed: draw weights from torch's "
            "own generator",
        )


def wrong_options_are_refused(subject: PluginUnderTest) -> None:
    """Unknown options and values of the wrong type."""
    check_unknown_option(subject, in_channels=1)
    check_option_types(subject, in_channels=1)


def images_that_do_not_fit_are_refused(subject: PluginUnderTest) -> None:
    """Images of other channels or smaller than the stride, with what was expected."""
    backbone = make(subject)
    sides = strides(backbone, min(dimensions_of(backbone)))
    branch = Branch("eye", backbone, nn.Identity(), in_channels=1)  # type: ignore[arg-type]
    wrong = {"(b, 1, ": images_of(1, 3, *sides)}
    if sides[-1] > 1:
        wrong[f"{'×'.join(map(str, sides))} p"] = images_of(1, 1, *sides[:-1], sides[-1] - 1)
    for expected, images in wrong.items():
        try:
            branch(images)
        except InputError as error:
            require(expected in str(error), f"the refusal does not say {expected}: {error}")
        else:
            raise NotMetError(f"images of {tuple(images.shape)} are taken")


def one_image_trains_or_is_refused(subject: PluginUnderTest) -> None:
    """Training on one smallest image works, or an InputError says what to do."""
    backbone = make(subject).train()
    try:
        backbone(batch_for(backbone, 1))
    except InputError as error:
        require("batch_size" in str(error), f"the refusal does not say batch_size: {error}")
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):  # torch's batch normalisation
            raise


def runs_on_a_gpu(subject: PluginUnderTest) -> None:
    """On a GPU the map stays there, and nothing waits for it; of large networks in training."""
    for training in (True, False):
        backbone = make(subject).train(training)
        if training or count_parameters(backbone) <= _COMPILED_UP_TO:
            batch = batch_for(backbone, 2, extra=1)
            check_gpu(backbone, lambda network, given: network(given), batch)


def own_weights_from_a_file(subject: PluginUnderTest) -> None:
    """An option `weights`, where there is one, takes a file, and refuses another architecture's."""
    if not any(option.name == "weights" for option in subject.offered_options):
        return
    state = make(subject).state_dict()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.safetensors"
        save_file(state, path)
        again = subject.create({"weights": str(path)}, in_channels=1).state_dict()
        for name, value in state.items():
            require(torch.equal(again[name], value), f"weights={path.name}: '{name}' differs")
        name = max(state, key=lambda key: state[key].numel())
        save_file({**state, name: state[name].flatten()[:-1].clone()}, path)
        try:
            subject.create({"weights": str(path)}, in_channels=1)
        except InputError as error:
            # Around somebody else's network, its own name for the weight is the one to tell.
            named = name in str(error) or name.partition(".")[2] in str(error)
            require(named, f"the refusal does not name '{name}': {error}")
        else:
            raise NotMetError("weights of another architecture are taken")


def torch_export(subject: PluginUnderTest) -> None:
    """`torch.export` gives a program with equal results, for batches of any size."""
    _exported(subject).check()


def onnx_export(subject: PluginUnderTest) -> None:
    """So does `torch.onnx.export`, with the results of onnxruntime."""
    _exported(subject).check_onnx()


def autocast(subject: PluginUnderTest) -> None:
    """bfloat16 changes little."""
    backbone = make(subject)
    check_autocast(backbone, (batch_for(backbone, 2),))


def compiles(subject: PluginUnderTest) -> None:
    """`torch.compile` changes nothing but time.

    Large networks are captured and differentiated for it alone: what a network's own code can spoil
    shows there, and making C++ of hundreds of layers takes many minutes.
    """
    backbone = make(subject)
    large = count_parameters(backbone) > _COMPILED_UP_TO
    check_compiled(
        backbone, (batch_for(backbone, 2),), backend="aot_eager" if large else "inductor"
    )


def overfits_32_patterns(subject: PluginUnderTest) -> None:
    """Trained on 32 small patterns of four classes, it knows all of them."""
    backbone = make(subject)
    images, labels = _patterns(backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # of dropout, and of the classifier
        reader = nn.Sequential(
            nn.BatchNorm1d(backbone.num_features), nn.Linear(backbone.num_features, _CLASSES)
        )
        best = _fit(backbone, reader, images, labels)
    require(
        best == _PATTERNS,
        f"after {_STEPS} steps of Adam it knows {best} of {_PATTERNS} patterns by heart",
    )


def _fit(backbone: Backbone, reader: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> int:
    """Patterns that are known in evaluation mode at best."""
    network = nn.Sequential(backbone, nn.Flatten(2), nn.AdaptiveAvgPool1d(1), nn.Flatten(), reader)
    optimiser = torch.optim.Adam(trainable(network).values(), lr=1e-3)
    best = 0
    for step in range(1, _STEPS + 1):
        optimiser.zero_grad()
        torch.autograd.backward(nn.functional.cross_entropy(network(images), labels))
        optimiser.step()
        if step % 10 == 0:
            # Batch statistics that follow by 1 % a step would still be those of the first weights.
            torch.optim.swa_utils.update_bn([images], network)
            network.eval()
            with torch.no_grad():
                predicted = network(images).argmax(1)
            best = max(best, int((predicted == labels).sum()))
            network.train()
        if best == len(labels):
            break
    return best


def _patterns(backbone: Backbone) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of spots of four spacings, shifted and noisy, at least 32 pixels wide."""
    sides = [
        stride * math.ceil(32 / stride)
        for stride in strides(backbone, min(dimensions_of(backbone)))
    ]
    width = sides[-1]
    labels = torch.arange(_PATTERNS) % _CLASSES
    shift = torch.rand(_PATTERNS, 1, generator=torch.Generator().manual_seed(0))
    cycles = torch.tensor([2.0, 4.0, 7.0, 11.0])[labels][:, None]
    rows = torch.cos(2 * math.pi * (cycles * torch.arange(width) / width + shift))
    images = rows.reshape(_PATTERNS, 1, *[1] * (len(sides) - 1), width)
    return images + 0.2 * images_of(_PATTERNS, 1, *sides), labels


def _exported(subject: PluginUnderTest) -> Exported:
    """The backbone behind the preparation of counts, as a run is exported."""
    backbone = make(subject)
    sides = batch_for(backbone, 1, extra=1).shape[2:]
    network = nn.Sequential(_Prepared(), backbone)
    return Exported(network, lambda samples: (counts_of(samples, 1, *sides),))


class _Prepared(nn.Module):
    """Counts whose logarithm is standardised, each image by itself."""

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        images = torch.log1p(counts)
        dims = tuple(range(1, images.ndim))
        images = images - images.mean(dims, keepdim=True)
        return images / (images.square().mean(dims, keepdim=True).sqrt() + 1e-4)
