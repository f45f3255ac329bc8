"""From counts to batches: preparation, order."""

import numpy as np
import pytest
import torch

from crystalvision.datasets import bin_images
from crystalvision.errors import InputError
from crystalvision.training import load_patterns
from crystalvision.training._batches import Batches


def test_patterns_are_those_of_the_dataset_prepared(dataset, make_preprocess):
    indices = dataset.split("validation")
    prepare = make_preprocess({"name": "bin", "size": 2})
    patterns = load_patterns(dataset, indices, prepare, dataset.header.targets)
    binned = torch.from_numpy(bin_images(dataset.images(indices), 2))
    expected = make_preprocess(size=16)(binned)
    assert torch.allclose(patterns.prepare(patterns.counts), expected, atol=1e-6)
    assert patterns.targets["label"].tolist() == dataset.column("label")[indices].tolist()
    assert patterns.targets["severity"].dtype == torch.float32


def test_negative_counts_are_values(dataset, monkeypatch, make_preprocess):
    images = np.linspace(-3, 5, 2 * 32 * 32, dtype=np.float32).reshape(2, 1, 32, 32)
    monkeypatch.setattr(dataset, "images", lambda indices: images[: len(indices)])
    patterns = load_patterns(dataset, np.arange(2), make_preprocess(), {})
    assert patterns.counts.numpy() == pytest.approx(images)
    assert patterns.prepare(patterns.counts).isfinite().all()


def test_values_that_are_no_numbers_are_refused(dataset, monkeypatch, make_preprocess):
    images = np.full((2, 1, 32, 32), np.nan, dtype=np.float32)
    monkeypatch.setattr(dataset, "images", lambda indices: images)
    with pytest.raises(InputError, match=r"samples 0 to 1 have values that are no finite"):
        load_patterns(dataset, np.arange(2), make_preprocess(), {})


def test_reading_no_patterns_is_refused(dataset, make_preprocess):
    with pytest.raises(InputError, match="no patterns to read"):
        load_patterns(dataset, np.array([], dtype=np.int64), make_preprocess(), {})


def make_batches(count: int, size: int, *, shuffle: bool) -> list[list[int]]:
    targets = {"label": torch.arange(count)}
    generator = torch.Generator().manual_seed(0) if shuffle else None
    batches = Batches(torch.arange(count)[:, None], targets, size, generator)
    found = [batch[1]["label"].tolist() for batch in batches]
    assert len(found) == len(batches)
    return found


def test_batches_keep_the_order_without_a_generator():
    assert make_batches(7, 3, shuffle=False) == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_last_batch_of_one_is_left_out_of_training_only():
    assert [len(batch) for batch in make_batches(7, 3, shuffle=True)] == [3, 3]
    assert [len(batch) for batch in make_batches(8, 3, shuffle=True)] == [3, 3, 2]
    assert [len(batch) for batch in make_batches(1, 3, shuffle=True)] == [1]


def test_every_pass_has_another_order():
    targets = {"label": torch.arange(20)}
    batches = Batches(torch.zeros(20, 1), targets, 20, torch.Generator().manual_seed(0))
    first, second = (next(iter(batches))[1]["label"].tolist() for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second) == list(range(20))


def test_cached_outputs_are_batched_alike():
    inputs = {"a": (torch.arange(4)[:, None], torch.arange(4)[:, None] * 10)}
    batches = Batches(inputs, {"label": torch.arange(4)}, 3)
    (features, outputs), label = next(iter(batches))[0]["a"], next(iter(batches))[1]["label"]
    assert features.flatten().tolist() == label.tolist() == [0, 1, 2]
    assert outputs.flatten().tolist() == [0, 10, 20]
