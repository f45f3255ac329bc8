"""Training on samples that are made while it trains: new ones each epoch, whoever makes them."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate
from crystalvision.inputs import build_preprocess
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.runs import train_run
from crystalvision.sources import SourceSpec, generate
from crystalvision.training import (
    Experiment,
    Online,
    OnlinePatterns,
    Silent,
)

SELECTION = PluginSelection((Path(__file__).with_name("blobs.py"),))
EPOCH = 24


def blobs(**changes):
    recipe = {"name": "blobs", "samples": 48, "seed": 3, **changes}
    return SourceSpec("blobs", recipe, plugins=SELECTION)


@pytest.fixture(scope="module")
def parts():
    return Catalogue.load(SELECTION)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "blobs.zarr"
    generate(blobs(), path)
    return Dataset.open(path)


@pytest.fixture(scope="module")
def experiment():
    phase = {"name": "one", "train": ["one"], "batch_size": 8, "learning_rate": 0.003}
    return Experiment.model_validate(
        {
            "system": {
                "branches": {"one": {"backbone": "dnsnet-tiny", "head": "softmax"}},
                "fusion": "none",
            },
            "input": [{"name": "bin", "size": 2}, "log1p", "standardise"],
            "schedule": [{**phase, "epochs": 3, "optimiser": "adamw"}],
        }
    )


@pytest.fixture
def patterns(data, parts):
    def make(workers=0):
        made = Online(blobs(), EPOCH, workers).drawn(data, 3, 0, parts)
        targets = {"label": data.header.target("label")}
        preprocess = build_preprocess((), parts, data.header.axes)
        return OnlinePatterns(made, preprocess, targets)

    return make


def epoch(patterns, number, generator):
    patterns.begin(number)
    images, targets = zip(*patterns.batches(8, generator), strict=True)
    return torch.cat(images), torch.cat([each["label"] for each in targets])


def test_each_epoch_has_samples_of_its_own(patterns, data):
    online, generator = patterns(), torch.Generator()
    shown = [epoch(online, number, generator)[0] for number in range(3)]
    stored = torch.from_numpy(data.images(range(48)))
    together = torch.cat([*shown, stored]).flatten(1).to(torch.int64)
    assert len(torch.unique(together, dim=0)) == 3 * EPOCH + 48
    again = epoch(patterns(), 1, generator)
    assert torch.equal(again[0], shown[1])
    assert torch.equal(again[1], epoch(online, 1, generator)[1])


def test_without_shuffling_it_is_always_the_first_epoch(patterns):
    online = patterns()
    first = epoch(online, 0, None)
    assert torch.equal(epoch(online, 2, None)[0], first[0])
    assert torch.equal(online.targets["label"], first[1])


def test_processes_that_make_them_change_nothing(patterns):
    generator = torch.Generator()
    one, two = (epoch(patterns(workers), 1, generator) for workers in (0, 1))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])


def test_lightning_gets_new_samples_each_epoch(data, parts):
    from crystalvision.training.data_modules import PatternDataModule

    def module():
        online = Online(blobs(), EPOCH)
        return PatternDataModule(data, input="none", batch_size=8, online=online, catalogue=parts)

    def images(loader):
        return torch.cat([images for images, _ in loader])

    made = module()
    loader = made.train_dataloader()
    first, second = images(loader), images(loader)
    assert len(first) == len(torch.unique(first.flatten(1).int(), dim=0)) == EPOCH
    assert not torch.equal(first, second)
    again = module()
    again.trainer = SimpleNamespace(current_epoch=1, global_rank=0, world_size=1)
    assert torch.equal(images(again.train_dataloader()), second)
    stored = torch.from_numpy(data.images(data.split("validation"))).float()
    assert torch.equal(images(made.val_dataloader()), stored)


class StopAfter(Silent):
    def __init__(self, epochs):
        self.left = epochs

    def epoch_ended(self, record):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_a_training_that_is_stopped_ends_as_it_would_have(data, experiment, parts, tmp_path):
    online = Online(blobs(), EPOCH)
    whole = train_run(experiment, data, tmp_path / "a", catalogue=parts, online=online)
    with pytest.raises(KeyboardInterrupt):
        train_run(
            experiment,
            data,
            tmp_path / "b",
            catalogue=parts,
            online=online,
            listener=StopAfter(2),
        )
    again = train_run(experiment, data, tmp_path / "b", catalogue=parts, online=online)
    expected = whole.system.state_dict()
    for name, value in again.system.state_dict().items():
        assert torch.equal(value, expected[name])
    # And it is not judged on what it has learnt.
    made = whole.record.dataset.online
    assert (made.samples, made.made.source) == (EPOCH, "blobs")
    generate(blobs(seed=made.made.seed), tmp_path / "same.zarr")
    with pytest.raises(
        InputError, match=rf"the seed that the training data had \({made.made.seed}"
    ):
        evaluate(whole, Dataset.open(tmp_path / "same.zarr"), catalogue=parts)
    generate(blobs(seed=made.made.seed + 1), tmp_path / "other.zarr")
    assert evaluate(whole, Dataset.open(tmp_path / "other.zarr"), catalogue=parts).metrics


def test_no_epoch_has_the_seed_of_the_data(data, parts, tmp_path):
    seed = Online(blobs(), EPOCH).drawn(data, 3, 0, parts).made.seed
    generate(blobs(seed=seed), tmp_path / "same.zarr")
    other = Online(blobs(), EPOCH).drawn(Dataset.open(tmp_path / "same.zarr"), 3, 0, parts)
    assert other.made.seed not in {seed, 3}


def test_samples_that_are_not_like_the_data_are_refused(data, parts):
    with pytest.raises(InputError, match=r"images 'shape' is \(1, 8, 8\), there \(1, 16, 16\)"):
        Online(blobs(pixels=8), EPOCH).drawn(data, 3, 0, parts)
    label = data.header.columns["label"]
    more = label.model_copy(update={"classes": (*label.classes, "one more")})
    other = Dataset.open(data.path)
    columns = {**data.header.columns, "label": more}
    other.header = data.header.model_copy(update={"columns": columns})
    with pytest.raises(InputError, match=r"target 'label' has classes .*, there .*one more"):
        Online(blobs(), EPOCH).drawn(other, 3, 0, parts)
    with pytest.raises(InputError, match="1 samples an epoch, for 3 epochs: expected 2 or more"):
        Online(blobs(), 1).drawn(data, 3, 0, parts)
