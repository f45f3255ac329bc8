"""What was seen as a channel: through inputs, networks, augmentation and export."""

import numpy as np
import pytest
import torch

from crystalvision.config import Part
from crystalvision.contracts import Axis
from crystalvision.datasets import (
    Dataset,
    DatasetHeader,
    DatasetWriter,
    Seen,
    Simulated,
    defect_columns,
)
from crystalvision.errors import InputError
from crystalvision.inputs import build_preprocess
from crystalvision.plugins import Catalogue
from crystalvision.training import load_patterns
from crystalvision_augmentation.beam_stop import BeamStop


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.load()


AXES = tuple(Axis(name=name, size=12, scale=0.1, offset=-0.6) for name in ("q_y", "q_x"))


def prepare(catalogue, *names, axes=AXES):
    return build_preprocess([Part(name=name) for name in names], catalogue, axes)


def test_a_mask_is_a_channel_and_hidden_points_have_the_mean(catalogue):
    counts = torch.rand(2, 1, 12, 12) * 100
    seen = torch.ones(2, 1, 12, 12, dtype=torch.bool)
    seen[0, 0, 3:6, 3:6] = False
    step = prepare(catalogue, "log1p", "standardise", "mask-channel")
    plain = prepare(catalogue, "log1p", "standardise")
    assert step.channels(1) == 2
    images = step(counts, seen=seen)
    assert torch.equal(images[:, 1:], seen.float())
    # Without the channel the picture is the same, so that the two can be compared.
    assert torch.allclose(images[:, :1], plain(counts, seen=seen), atol=1e-6)
    assert images[0, 0, 4, 4] == pytest.approx(0, abs=1e-5)


def test_images_without_a_mask_were_seen_everywhere(catalogue):
    images = prepare(catalogue, "log1p", "mask-channel")(torch.rand(2, 3, 12, 12))
    assert images.shape == (2, 4, 12, 12)
    assert (images[:, 3] == 1).all()


def test_prepared_patterns_have_the_channel_as_well(catalogue, tmp_path):
    """As validation patterns are kept in memory, which no augmentation changes."""
    path = tmp_path / "data.zarr"
    seen = np.ones((12, 12), dtype=bool)
    seen[4:7, 5:] = False
    header = DatasetHeader(
        samples=4,
        image_shape=(1, 12, 12),
        dtype="uint16",
        columns=defect_columns(("a", "b"), (0.0, 1.0)),
        axes=AXES,
        provenance=Simulated(seed=0, recipe={}),
        generator={},
        samples_per_shard=4,
        seen=Seen.of(seen[None]),
    )
    labels = {"label": np.arange(4) % 2, "severity": np.arange(4) % 2}
    with DatasetWriter.open(path, header) as writer:
        writer.write_shard(0, np.full((4, 1, 12, 12), 9, np.uint16), labels)
        writer.finish()
    data, step = Dataset.open(path), prepare(catalogue, "log1p", "mask-channel")
    patterns = load_patterns(data, np.arange(4), step, data.header.targets, prepared=True)
    assert patterns.counts.shape == (4, 2, 12, 12)
    assert np.array_equal(patterns.counts[1, 1].numpy() > 0, seen)


def test_it_comes_last(catalogue):
    with pytest.raises(InputError, match=r"'standardise' comes after the input 'mask-channel'"):
        prepare(catalogue, "mask-channel", "standardise")


@pytest.mark.parametrize("masked", [False, True])
def test_a_beam_stop_is_marked_where_it_is_asked_for(catalogue, masked):
    stop = BeamStop(radius_pixels=2, bar_pixels=0, share=1.0, masked=masked)

    def augment(counts, seen):
        return stop.apply(counts, torch.Generator().manual_seed(0), seen)

    step = prepare(catalogue, "log1p", "mask-channel")
    images = step(torch.full((2, 1, 12, 12), 9.0), augment)
    hidden = (images[:, 1] == 0).sum().item()
    assert hidden == (2 * 13 if masked else 0)
    # What is marked has the mean of the image; what is not is black.
    assert images[:, 0].min().item() == pytest.approx(torch.log(torch.tensor(10.0)) * masked)
