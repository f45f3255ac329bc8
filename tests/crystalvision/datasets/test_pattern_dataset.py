import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from crystalvision.datasets import Dataset, PatternDataset, bin_images
from crystalvision.errors import InputError


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("size", [1, 2, 8])
def test_counts_are_summed_over_squares(written, in_memory, size):
    dataset = Dataset.open(written)
    indices = np.array([9, 0, 4, 3])
    patterns = PatternDataset(dataset, indices, bin=size, in_memory=in_memory)
    assert len(patterns) == 4
    raw = dataset.images(indices)
    for position, index in enumerate(indices):
        image, label, severity = patterns[position]
        assert image.dtype == torch.float32
        assert image.shape == (1, 8 // size, 8 // size)
        assert image.sum() == raw[position].sum()
        assert image[0, 0, 0] == raw[position, 0, :size, :size].sum()
        assert image[0, -1, 0] == raw[position, 0, -size:, :size].sum()
        assert label.dtype == torch.int64
        assert label == index % 2
        assert severity.dtype == torch.float32
        assert severity == np.float32([0.0, 0.9])[index % 2]


def test_a_loader_makes_batches_of_it(written):
    dataset = Dataset.open(written)
    patterns = PatternDataset(dataset, dataset.split("train"), bin=2)
    images, labels, severities = next(iter(DataLoader(patterns, batch_size=5)))
    assert images.shape == (5, 1, 4, 4)
    assert labels.shape == severities.shape == (5,)


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_cannot_be_read_is_refused_at_once(written, in_memory):
    dataset = Dataset.open(written)
    with pytest.raises(InputError, match=r"bin=3 does not divide .* 8×8 pixels; .* 1, 2, 4, 8"):
        PatternDataset(dataset, [0], bin=3, in_memory=in_memory)
    with pytest.raises(InputError, match="bin=0"):
        PatternDataset(dataset, [0], bin=0, in_memory=in_memory)
    with pytest.raises(InputError, match="no sample -1"):
        PatternDataset(dataset, [-1], in_memory=in_memory)


def test_sums_do_not_overflow():
    images = np.full((2, 1, 4, 4), 2**16 - 1, dtype=np.uint16)
    assert (bin_images(images, 4) == 16 * (2**16 - 1)).all()
    assert bin_images(images, 1).dtype == np.float32
