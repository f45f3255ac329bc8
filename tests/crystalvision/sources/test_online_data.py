"""Samples that are made while a model trains: new ones each epoch, whoever makes them."""

import pytest
import torch

from crystalvision.errors import InputError
from crystalvision.training.data_modules import OnlineDataModule


def epoch(loader):
    batches = [flat(batch) for batch in loader]
    return tuple(torch.cat(each) for each in zip(*batches, strict=True))


def flat(batch):
    images, targets = batch
    return images, targets["label"], targets["severity"]


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


class Trainer:
    """What a data module asks of a trainer."""

    def __init__(self, rank=0, world=1, epoch=0):
        self.global_rank, self.world_size, self.current_epoch = rank, world, epoch


def test_processes_that_train_together_have_other_batches(make):
    expected = list(make().train_dataloader())
    shares = []
    for rank in range(2):
        module = make()
        module.trainer = Trainer(rank, 2)
        shares.append(list(module.train_dataloader()))
    assert [len(share) for share in shares] == [2, 2]  # of five, since all have as many
    found = [batch for pair in zip(*shares, strict=True) for batch in pair]
    assert all(equal(flat(a), flat(b)) for a, b in zip(found, expected[:4], strict=True))


def test_fewer_batches_than_processes_are_refused(make):
    module = make()
    module.trainer = Trainer(world=6)
    with pytest.raises(InputError, match=r"an epoch has 5 batches for 6 processes; .* at least 24"):
        module.train_dataloader()


def test_a_training_that_goes_on_has_the_samples_of_its_epoch(make):
    loader = make().train_dataloader()
    epochs = [epoch(loader) for _ in range(3)]
    module = make()
    module.trainer = Trainer(epoch=2)
    assert equal(epoch(module.train_dataloader()), epochs[2])
