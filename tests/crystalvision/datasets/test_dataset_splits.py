import numpy as np
import pytest

from crystalvision.datasets import Dataset, assign_splits, verify
from crystalvision.errors import InputError


def sizes(parts):
    return np.bincount(parts, minlength=3).tolist()


def test_every_class_is_split_in_the_same_proportions():
    labels = np.random.default_rng(1).permutation(np.repeat([0, 1, 2, 3], [100, 200, 50, 150]))
    parts = assign_splits(labels)
    for label, total in enumerate([100, 200, 50, 150]):
        assert sizes(parts[labels == label]) == [total * 7 // 10, total // 10, total // 5]


@pytest.mark.parametrize("number", [4, 8, 11, 37, 101])
def test_totals_are_rounded_over_the_whole_dataset(number):
    parts = assign_splits(np.arange(number) % 4)
    assert sizes(parts)[1:] == [round(number * 0.1), round(number * 0.2)]


def test_small_classes_keep_something_to_train_on():
    labels = np.repeat(np.arange(4), 2)
    parts = assign_splits(labels)
    assert sizes(parts) == [5, 1, 2]
    assert all((parts[labels == label] == 0).any() for label in range(4))


def test_the_assignment_is_a_pure_function_of_labels_and_seed():
    labels = np.arange(400) % 4
    before = labels.copy()
    np.testing.assert_array_equal(assign_splits(labels), assign_splits(labels))
    np.testing.assert_array_equal(labels, before)
    moved = (assign_splits(labels, seed=1) != assign_splits(labels, seed=0)).mean()
    assert 0.3 < moved < 0.6  # chance: 1 − (.7² + .1² + .2²) = .46
    # Written down, so that a dataset of today has the same test part tomorrow.
    assert np.flatnonzero(assign_splits(np.zeros(20, dtype=int)) == 2).tolist() == [1, 5, 7, 14]


def test_the_assignment_does_not_follow_the_index():
    parts = assign_splits(np.zeros(3000, dtype=int))
    for part in (1, 2):
        thirds = np.bincount(np.flatnonzero(parts == part) // 1000, minlength=3)
        expected = (parts == part).sum() / 3
        assert (abs(thirds - expected) < 5 * np.sqrt(expected)).all()


def test_a_part_may_be_empty():
    assert sizes(assign_splits(np.zeros(10, dtype=int), validation=0, test=0)) == [10, 0, 0]
    assert sizes(assign_splits(np.zeros(10, dtype=int), validation=0.5, test=0)) == [5, 5, 0]
    assert sizes(assign_splits(np.array([], dtype=int))) == [0, 0, 0]


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0.2), (0.1, -0.2), (0.5, 0.5)])
def test_shares_that_make_no_sense_are_refused(validation, test):
    with pytest.raises(InputError, match=f"validation={validation} and test={test}"):
        assign_splits(np.zeros(10, dtype=int), validation=validation, test=test)


def test_the_stored_splits_cover_the_dataset_once(numbered, tmp_path):
    header = numbered.make_header(samples=50)
    dataset = Dataset.open(numbered.write(tmp_path / "d.zarr", header))
    parts = [dataset.split(name) for name in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [35, 5, 10]
    assert all((np.diff(part) > 0).all() and part.dtype == np.int64 for part in parts)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), dataset.split("all"))
    labels = dataset.column("label")
    np.testing.assert_array_equal(parts[2], np.flatnonzero(assign_splits(labels) == 2))
    assert verify(dataset.path) == []
