"""Data for Lightning, and training on what is read from the disk."""

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer

from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.training import (
    PatternsInMemory,
    PatternsOnDisk,
    open_patterns,
)
from crystalvision.training.data_modules import PatternDataModule
from crystalvision_augmentation.dihedral import Dihedral


class Recorder(LightningModule):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen = {"train": [], "validation": [], "test": []}

    def _keep(self, stage, batch):
        self.seen[stage].append(batch)
        return self.layer(batch[0].mean().reshape(1, 1)).sum()

    def training_step(self, batch, _index):
        return self._keep("train", batch)

    def validation_step(self, batch, _index):
        self._keep("validation", batch)

    def test_step(self, batch, index):
        self._keep("test", batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def run(module, epochs=1):
    recorder = Recorder()
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(recorder, datamodule=module)
    trainer.test(recorder, datamodule=module, verbose=False)
    return recorder.seen


@pytest.fixture(autouse=True)
def _quiet():
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*logging interval.*")
        warnings.filterwarnings("ignore", ".*GPU available but not used.*")
        yield


INPUT = [{"name": "bin", "size": 2}, "log1p", "standardise"]


def module(dataset, **settings):
    return PatternDataModule(dataset, **{"input": INPUT, "batch_size": 16, **settings})


@pytest.mark.parametrize("memory_bytes", [0, 2**31])
def test_lightning_gets_the_splits_prepared(dataset: Dataset, make_preprocess, memory_bytes):
    seen = run(module(dataset, memory_bytes=memory_bytes))
    prepare = make_preprocess({"name": "bin", "size": 2})
    for name in ("validation", "test"):
        indices = dataset.split(name)
        images = torch.cat([batch[0] for batch in seen[name]])
        expected = prepare(torch.from_numpy(dataset.images(indices).astype("float32")))
        assert torch.equal(images, expected)
        labels = torch.cat([batch[1]["label"] for batch in seen[name]])
        assert labels.tolist() == dataset.column("label")[indices].tolist()
    images = torch.cat([batch[0] for batch in seen["train"]])
    # A last batch of one sample, which has no batch statistics, is left out.
    count = len(dataset.split("train"))
    assert len(images) == count - (count % 16 == 1)


def test_training_images_alone_are_augmented(dataset: Dataset):
    plain, turned = (run(module(dataset, seed=3, augment=each)) for each in ((), (Dihedral(),)))
    assert torch.equal(plain["validation"][0][0], turned["validation"][0][0])
    one, other = plain["train"][0][0], turned["train"][0][0]
    assert not torch.equal(one, other)
    assert torch.allclose(one.flatten(1).sort().values, other.flatten(1).sort().values)


class OneOfSeveral:
    """What a data module asks of a trainer."""

    training, testing = True, False

    def __init__(self, rank=0, world=1, epoch=0):
        self.global_rank, self.world_size, self.current_epoch = rank, world, epoch


def labels(loader):
    return [batch[1]["severity"].tolist() for batch in loader]


def test_the_order_follows_from_the_seed_and_the_epoch(dataset: Dataset):
    loader = module(dataset, seed=1).train_dataloader()
    first, second = labels(loader), labels(loader)
    assert first != second
    again = module(dataset, seed=1)
    again.trainer = OneOfSeveral(epoch=1)
    assert labels(again.train_dataloader()) == second
    assert labels(module(dataset, seed=2).train_dataloader()) != first


def test_processes_that_train_together_share_each_batch(dataset: Dataset):
    whole = labels(module(dataset).train_dataloader())
    shares = []
    for rank in range(2):
        one = module(dataset)
        one.trainer = OneOfSeveral(rank, 2)
        shares.append(labels(one.train_dataloader()))
        assert labels(one.val_dataloader()) == labels(module(dataset).val_dataloader())
    found = [first + second for first, second in zip(*shares, strict=True)]
    assert found[:-1] == whole[:-1]
    with pytest.raises(InputError, match="batch_size is 0"):
        module(dataset, batch_size=0)


def test_fewer_samples_for_training(dataset: Dataset):
    small, large = (
        sum(map(len, labels(module(dataset, train_size=size).train_dataloader())))
        for size in (8, 20)
    )
    assert (small, large) == (8, 20)
    with pytest.raises(InputError, match="100000 samples of split 'train' were asked for"):
        module(dataset, train_size=100_000).train_dataloader()


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_from_the_disk_are_those_from_memory(dataset, make_preprocess, workers: int):
    indices = dataset.split("train")
    prepare = make_preprocess({"name": "bin", "size": 2})
    memory = open_patterns(dataset, indices, prepare, dataset.header.targets)
    disk = open_patterns(
        dataset, indices, prepare, dataset.header.targets, memory_bytes=0, workers=workers
    )
    assert isinstance(memory, PatternsInMemory)
    assert isinstance(disk, PatternsOnDisk)
    assert len(disk) == len(memory) == len(indices)
    generators = [torch.Generator().manual_seed(1) for _ in range(2)]
    batches = [
        patterns.batches(8, generator)
        for patterns, generator in zip((memory, disk), generators, strict=True)
    ]
    assert len(batches[0]) == len(batches[1])
    for _ in range(2):
        for one, other in zip(*batches, strict=True):
            assert torch.equal(memory.prepare(one[0]), disk.prepare(other[0]))
            assert list(one[1]) == list(other[1]) == ["label", "severity"]
            assert all(torch.equal(one[1][name], other[1][name]) for name in one[1])


def test_training_from_the_disk_gives_the_same_weights(
    dataset, patterns, make_system, make_preprocess
):
    from crystalvision.training import Phase, fit

    prepare = make_preprocess()
    disk = tuple(
        PatternsOnDisk(dataset, dataset.split(name), prepare, dataset.header.targets)
        for name in ("train", "validation")
    )
    systems = [make_system(), make_system()]
    phases = [
        Phase.model_validate(
            {"name": name, "train": [name], "epochs": 1, "batch_size": 8}
            | {"optimiser": "adam", "learning_rate": 1e-3}
        )
        for name in ("classifier", "head")
    ]
    for system, (training, validation) in zip(systems, (patterns, disk), strict=True):
        fit(system, phases, training, validation, augment=[Dihedral()], seed=2)
    weights = [system.state_dict() for system in systems]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
