"""Augmentations and tasks on a GPU that is not there: what a training does there to each batch."""

import pytest
import torch

from crystalvision.contracts import Estimate, Target
from crystalvision.plugins import Catalogue
from crystalvision.testing.fake_gpu import GPU, fake_gpu

CATALOGUE = Catalogue.load()
NO_GENERATOR = {"thinning"}
"""Draw on the device, with a generator that only a GPU that is there has."""


def options_of(name, folder):
    """What an augmentation cannot do without."""
    if name != "measured-baseline":
        return {}
    path = folder / "measured.xy"
    path.write_text("".join(f"{10 + 0.1 * step:.1f} {step % 7}\n" for step in range(200)))
    return {"files": [str(path)], "points": 8}


@pytest.mark.parametrize("name", CATALOGUE.names("augmentation"))
@pytest.mark.parametrize("masked", [False, True])
def test_an_augmentation_never_waits(name, masked, tmp_path):
    if name in NO_GENERATOR:
        pytest.skip("draws on the device, which takes one")
    augmentation = CATALOGUE.create("augmentation", name, options_of(name, tmp_path))
    counts = torch.poisson(torch.full((6, 1, *(24,) * max(augmentation.dimensions)), 3.0))
    seen = counts > 1 if masked else None
    expected = augmentation.apply(counts, torch.Generator().manual_seed(0), seen)
    with fake_gpu() as waits:
        given = counts.to(GPU), torch.Generator().manual_seed(0), seen.to(GPU) if masked else None
        found = augmentation.apply(*given)
    assert not waits
    for ours, theirs in zip(expected, found, strict=True):
        if ours is not None:
            assert (theirs.device, theirs.shape, theirs.dtype) == (GPU, ours.shape, ours.dtype)


TARGETS = {
    "classification": Target(name="x", task="classification", classes=tuple("abc")),
    "regression": Target(name="x", task="regression", shape=(2,)),
    "orientation": Target(name="x", task="orientation", shape=(4,), symmetry="m-3m"),
    "fractions": Target(name="x", task="fractions", shape=(3,), components=tuple("abc")),
    "segmentation": Target(name="x", task="segmentation", shape=(8, 8), classes=tuple("abc")),
}


def test_every_task_has_a_target_here():
    assert set(TARGETS) == set(CATALOGUE.names("task"))


@pytest.mark.parametrize("name", TARGETS)
def test_a_task_scores_a_batch_without_waiting(name):
    target, task = TARGETS[name], CATALOGUE.create("task", name)
    draw = torch.Generator().manual_seed(0)
    if target.classes:
        given = torch.rand(6, 3, *target.shape, generator=draw)
        truth = torch.randint(-1, 3, (6, *target.shape), generator=draw)
        truth = truth.clamp_min(0 if not target.shape else -1)
    else:
        given, truth = torch.randn(2, 6, *target.shape, generator=draw)

    def estimate(values: torch.Tensor) -> Estimate:
        return Estimate.of_classes(values.softmax(1)) if target.classes else Estimate(values)

    expected = task.score(estimate(given), truth, target)
    with fake_gpu() as waits:
        found = task.score(estimate(given.to(GPU)), truth.to(GPU), target)
    assert not waits
    assert (found.device, found.shape, found.dtype) == (GPU, expected.shape, expected.dtype)
