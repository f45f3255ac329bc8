"""A dataset as torch reads it."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from crystalvision.datasets import Dataset, PatternDataset, bin_images
from crystalvision.errors import InputError


def test_samples_are_as_they_are_stored(written):
    dataset = Dataset.open(written)
    indices = np.array([9, 0, 4, 3])
    patterns = PatternDataset(dataset, indices)
    assert len(patterns) == 4
    for position, index in enumerate(indices):
        image, targets = patterns[position]
        label, severity = targets["label"], targets["severity"]
        assert np.array_equal(image.numpy(), dataset.images([index])[0])
        assert image.numpy().dtype == dataset.header.dtype
        assert (label.dtype, label.item()) == (torch.int64, index % 2)
        assert severity.dtype == torch.float32
        assert severity == np.float32([0.0, 0.9])[index % 2]


def test_torchs_own_loader_makes_batches_of_it(written):
    dataset = Dataset.open(written)
    patterns = PatternDataset(dataset, dataset.split("train"))
    images, targets = next(iter(DataLoader(patterns, batch_size=5)))
    assert images.shape == (5, 1, 8, 8)
    assert targets["label"].shape == targets["severity"].shape == (5,)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_depend_on_the_generator_alone(written, workers):
    dataset = Dataset.open(written)
    patterns = PatternDataset(dataset, np.arange(9))
    loader = patterns.loader(4, generator=torch.Generator().manual_seed(3), workers=workers)
    passes = [[batch[0] for batch in loader] for _ in range(2)]
    generator = torch.Generator().manual_seed(3)
    for images in passes:
        # The ninth sample alone would be a batch without statistics.
        assert [len(batch) for batch in images] == [4, 4]
        order = torch.randperm(9, generator=generator)[:8].numpy()
        assert np.array_equal(torch.cat(images).numpy(), dataset.images(order))


def test_without_a_generator_everything_comes_in_order(written):
    dataset = Dataset.open(written)
    batches = list(PatternDataset(dataset, np.arange(9)).loader(4))
    assert [len(images) for images, _, _ in batches] == [4, 4, 1]
    images = torch.cat([images for images, _, _ in batches])
    assert np.array_equal(images.numpy(), dataset.images(np.arange(9)))


def test_what_is_no_sample_is_refused_at_once(written):
    with pytest.raises(InputError, match="no sample -1"):
        PatternDataset(Dataset.open(written), [-1])


def test_sums_do_not_overflow():
    images = np.full((2, 1, 4, 4), 2**16 - 1, dtype=np.uint16)
    assert (bin_images(images, 4) == 16 * (2**16 - 1)).all()
    assert bin_images(images, 1).dtype == np.float32
