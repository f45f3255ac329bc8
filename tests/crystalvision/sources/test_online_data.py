"""Samples that are made while a model trains: new ones each epoch, whoever makes them."""

import pytest
import torch

from crystalvision.errors import InputError
from crystalvision.training.data_modules import OnlineDataModule


def epoch(loader):
    images, labels, severities = zip(*loader, strict=True)
    return torch.cat(images), torch.cat(labels), torch.cat(severities)


def equal(one, other):
    return all(torch.equal(*pair) for pair in zip(one, other, strict=True))


@pytest.fixture
def make(numbers):
    def make(**settings):
        settings = {"epoch_size": 21, "validation_size": 7, "batch_size": 4, **settings}
        return OnlineDataModule(numbers(), **settings)

    return make


def test_every_epoch_is_new_and_every_validation_the_same(make):
    module = make()
    loader = module.train_dataloader()
    first, second = epoch(loader), epoch(loader)
    assert len(loader) == 5  # whole batches
    assert first[0].shape == (20, 1, 8, 8)
    assert first[0].numpy().dtype == "uint16"
    assert not torch.equal(first[0], second[0])
    validation = epoch(module.val_dataloader())
    assert validation[0].shape == (7, 1, 8, 8)
    assert equal(validation, epoch(module.val_dataloader()))
    assert validation[2].tolist() == pytest.approx([0.9 * (n % 2) for n in range(7)])
    assert not any(torch.equal(image, other) for image in validation[0] for other in first[0])


def test_the_seed_alone_says_which_samples(make):
    first = epoch(make(seed=1).train_dataloader())
    assert equal(first, epoch(make(seed=1).train_dataloader()))
    assert not equal(first, epoch(make(seed=2).train_dataloader()))


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(make):
    expected = make().train_dataloader()
    loader = make(workers=2).train_dataloader()
    for _ in range(2):
        assert equal(epoch(loader), epoch(expected))


def test_an_epoch_smaller_than_a_batch_is_refused(make):
    with pytest.raises(InputError, match="epoch_size is 3; expected at least a batch of 4"):
        make(epoch_size=3)
