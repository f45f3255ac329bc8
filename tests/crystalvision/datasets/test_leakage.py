"""No sample and no specimen is in two splits, however a dataset came to be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crystalvision.datasets import (
    Column,
    Dataset,
    DatasetWriter,
    Imported,
    Simulated,
    SplitSettings,
    assign_splits,
    merge,
)
from crystalvision.datasets import _splits as module
from crystalvision.datasets._splits import SPLIT_NAMES, rank_in_parts, split_arrays

SPECIMENS = {"specimen": Column(dtype="int64")}
HASH = "5" * 64


@pytest.fixture
def make(numbered, tmp_path):
    """Writes a dataset of 60 samples; with specimens, three neighbours show one."""

    def write(name, *, specimens=False, samples=60, **changes):
        path = tmp_path / f"{name}.zarr"
        recipe = {"name": name, **changes.pop("recipe", {})}
        columns = SPECIMENS if specimens else {}
        header = numbered.make_header(
            samples=samples, recipe=recipe, columns=columns, samples_per_shard=16, **changes
        )
        with DatasetWriter.open(path, header) as writer:
            for shard in range(header.shards):
                images, rows = numbered.make_shard(header, shard)
                rows["specimen"] = np.asarray(header.shard_indices(shard)) // 3
                writer.write_shard(shard, images, {key: rows[key] for key in header.columns})
            writer.finish()
        return path

    return write


def leaks(dataset, specimens):
    """Specimens with samples in more than one split."""
    assigned = np.full(len(dataset), -1)
    for number, name in enumerate(SPLIT_NAMES):
        part = dataset.split(name)
        assert len(part)
        assert (assigned[part] == -1).all(), "a sample is in two splits"
        assigned[part] = number
    assert (assigned >= 0).all(), "a sample is in no split"
    return [
        specimen
        for specimen in np.unique(specimens)
        if len(set(assigned[specimens == specimen])) > 1
    ]


def resplit(path, seed):
    dataset = Dataset.open(path)
    with DatasetWriter.hold(path, dataset.header) as writer:
        writer.split(SplitSettings(seed=seed))
    return Dataset.open(path)


@pytest.mark.parametrize("seed", range(4))
def test_without_specimens_each_sample_is_in_one_split(make, seed):
    dataset = resplit(make("simulated"), seed)
    assert leaks(dataset, np.arange(60)) == []


@pytest.mark.parametrize("seed", range(4))
def test_samples_of_one_specimen_are_in_one_split(make, seed):
    dataset = resplit(make("imported", specimens=True), seed)
    assert leaks(dataset, dataset.column("specimen")) == []


def merged(make, tmp_path):
    """Two doses of the same specimens, two measurements, and a simulation of its own.

    Returns:
        The merged dataset, and the specimen that each of its samples shows.
    """
    one, two = (Imported(files=60, content_sha256=mark * 64) for mark in "12")
    inputs = [
        make("low", recipe={"dose": 1}, drawn_from=HASH),
        make("high", recipe={"dose": 9}, drawn_from=HASH),
        make("first", specimens=True, provenance=one),
        make("second", specimens=True, provenance=two),
        make("third", seed=3),
    ]
    path = tmp_path / "merged.zarr"
    merge(inputs, path)
    third = np.arange(60) // 3
    shown = [np.arange(60), np.arange(60), 100 + third, 200 + third, 300 + np.arange(60)]
    return path, np.concatenate(shown)


@pytest.mark.parametrize("seed", range(4))
def test_merged_data_keep_specimens_together(make, tmp_path, seed):
    path, shown = merged(make, tmp_path)
    assert leaks(resplit(path, seed), shown) == []


def test_these_tests_see_a_leak(make, tmp_path, monkeypatch):
    """They fail if specimens are ignored, be it by the split or by the merge."""
    path, shown = merged(make, tmp_path)
    imported = make("imported", specimens=True)

    def without_specimens(settings, samples, columns):
        return split_arrays(settings, samples, {"label": columns["label"]})

    for name in ("crystalvision.datasets._writer", "crystalvision.datasets._recover"):
        monkeypatch.setattr(f"{name}.split_arrays", without_specimens)
    dataset = resplit(imported, 0)
    assert len(leaks(dataset, dataset.column("specimen"))) > 3
    assert len(leaks(resplit(path, 0), shown)) > 10


def test_a_merge_that_forgets_shared_seeds_would_be_seen(make, tmp_path, monkeypatch):
    monkeypatch.setattr(Simulated, "things", None)
    path, shown = merged(make, tmp_path)
    assert len(leaks(Dataset.open(path), shown)) > 10


labelled = arrays(np.int64, st.integers(1, 120), elements=st.integers(0, 4))
shares = st.tuples(st.integers(0, 49), st.integers(0, 49)).map(lambda p: (p[0] / 100, p[1] / 100))
seeds = st.integers(0, 2**63 - 1)


@settings(deadline=None)
@given(labelled, shares, seeds)
def test_shares_hold_within_one_sample(labels, share, seed):
    validation, test = share
    parts = assign_splits(labels, seed, validation, test)
    for part, wanted in ((1, validation), (2, test)):
        assert abs((parts == part).sum() - wanted * len(labels)) <= 0.5 + 1e-6
        for label in np.unique(labels):
            of_class = labels == label
            found = (parts[of_class] == part).sum()
            # Validation makes up for what the test part was rounded by.
            allowed = 1 if part == 2 else 2
            assert abs(found - wanted * of_class.sum()) < allowed + 1e-6


@settings(deadline=None)
@given(labelled, seeds, st.data())
def test_specimens_are_never_torn_apart(labels, seed, data):
    specimens = data.draw(
        arrays(np.int64, len(labels), elements=st.integers(-(2**62), 2**62) | st.integers(0, 9))
    )
    parts = assign_splits(labels, seed, 0.2, 0.3, specimens)
    for specimen in np.unique(specimens):
        assert len(set(parts[specimens == specimen])) == 1


@settings(deadline=None)
@given(labelled, seeds, shares)
def test_subsets_are_nested_and_have_the_proportions_of_their_part(labels, seed, share):
    parts = assign_splits(labels, seed, *share)
    ranks = rank_in_parts(labels, parts, seed)
    for part in np.unique(parts):
        here = parts == part
        size = int(here.sum())
        # Each rank once: so the first k are k samples, and lie within the first k + 1.
        assert sorted(ranks[here]) == list(range(size))
        order = labels[here][np.argsort(ranks[here])]
        for label in np.unique(order):
            found = np.cumsum(order == label)
            wanted = np.arange(1, size + 1) * (order == label).mean()
            assert (abs(found - wanted) <= 1 + 1e-6).all()


def test_the_property_of_subsets_can_fail(monkeypatch):
    """Ranks in the order of the hash alone have no fixed proportions."""
    labels = np.arange(400) % 4
    parts = np.zeros(400, dtype=np.uint8)
    ranks = np.empty(400, dtype=int)
    ranks[np.argsort(module._hash(0, np.arange(400)))] = np.arange(400)
    of_first = np.cumsum(labels[np.argsort(ranks)] == 0) - np.arange(1, 401) / 4
    assert abs(of_first).max() > 2
    assert sorted(rank_in_parts(labels, parts)) == list(range(400))
