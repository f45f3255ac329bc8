"""New exposures of stored patterns: what is drawn, what is remembered, and trainings with them."""

import numpy as np
import pytest

import crystalvision as cv
from crystalvision.datasets import SPECIMEN, Dataset, thin
from crystalvision.errors import InputError
from crystalvision.sources import SourceSpec

DOSE = 1e6
KEPT = 0.01
NETWORK = {
    "system": {
        "branches": {"eye": {"backbone": {"name": "ziletti", "widths": [4]}, "head": "softmax"}}
    },
    "input": ["sqrt"],
    "augment": "none",
    "schedule": [
        {"name": "eye", "train": ["eye"], "epochs": 2, "batch_size": 8, "optimiser": "adam"}
        | {"learning_rate": 0.001}
    ],
}


@pytest.fixture(scope="module")
def high(small_recipe, tmp_path_factory):
    """Forty patterns of a million electrons each."""
    recipe = small_recipe.model_dump(mode="json")
    recipe["instrument"]["dose_electrons"] = DOSE
    path = tmp_path_factory.mktemp("high") / "high.zarr"
    return cv.simulate({"source": "simulation", **recipe}, path, card=False)


@pytest.fixture
def opened(high, catalogue):
    """Opens exposures of it."""

    def open_(**changes):
        recipe = {"of": str(high.path), "kept": KEPT, "samples": 90, "seed": 3} | changes
        return SourceSpec("exposures", recipe).open(catalogue)

    return open_


def test_each_round_exposes_every_training_pattern_once(high, opened):
    train = high.split("train")
    samples = list(opened().samples(range(2 * len(train))))
    shown = np.array([sample.columns[SPECIMEN] for sample in samples]).reshape(2, -1)
    assert [sorted(one) for one in shown.tolist()] == [train.tolist()] * 2
    assert (shown[0] != shown[1]).any()
    labels = high.column("label")
    assert all(one.columns["label"] == labels[one.columns[SPECIMEN]] for one in samples)


def test_counts_are_those_of_a_lower_dose(high, opened):
    samples = list(opened().samples(range(60)))
    before = high.images([sample.columns[SPECIMEN] for sample in samples]).astype(float)
    after = np.array([sample.image for sample in samples], dtype=float)
    assert samples[0].columns["dose_electrons"] == pytest.approx(KEPT * DOSE)
    lit = before > 50
    # Binomial: the scatter about the expected is √(kept (1 - kept) n), n of them the counts.
    scatter = (after - KEPT * before)[lit] / np.sqrt(KEPT * (1 - KEPT) * before[lit])
    assert scatter.mean() == pytest.approx(0, abs=5 / np.sqrt(lit.sum()))
    assert scatter.std() == pytest.approx(1, abs=0.05)


def test_a_sample_depends_on_seed_and_index_alone(opened):
    (alone,) = opened().samples([41])
    *_, last = opened().samples([7, 41])
    np.testing.assert_array_equal(alone.image, last.image)
    (other,) = opened(seed=4).samples([41])
    assert (other.image != alone.image).any()


def test_the_share_may_be_drawn(opened):
    source = opened(kept={"log_uniform": [1e-3, 1e-1]})
    doses = np.array([one.columns["dose_electrons"] for one in source.samples(range(30))])
    assert DOSE * 1e-3 <= doses.min() < 1e4 < doses.max() <= DOSE * 1e-1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kept": 2}, "kept lies between 2 and 2"),
        ({"kept": {"uniform": [0, 0.1]}}, "kept lies between 0 and 0.1"),
        ({"of": "nowhere.zarr"}, "nowhere.zarr"),
        ({"part": "train"}, "part"),
    ],
)
def test_what_makes_no_sense_is_refused(opened, changes, complaint):
    with pytest.raises(InputError, match=complaint) as error:
        opened(**changes)
    assert "\n" not in str(error.value)


def test_exposures_of_one_pattern_stay_in_one_split(high, tmp_path):
    recipe = {"of": str(high.path), "split": "all", "kept": KEPT, "samples": 120}
    data = cv.simulate(recipe, tmp_path / "fresh.zarr", card=False)
    specimens = {name: set(data.column(SPECIMEN, data.split(name))) for name in ("train", "test")}
    assert specimens["train"]
    assert not specimens["train"] & specimens["test"]
    assert high.header.origins.items() <= data.header.origins.items()


def test_a_network_learns_from_new_exposures_and_is_not_judged_on_old_ones(high, tmp_path):
    thin(high.path, tmp_path / "low.zarr", KEPT)
    fresh = {"of": str(high.path), "kept": KEPT, "samples": 1, "seed": 0}
    run = cv.train(NETWORK, tmp_path / "low.zarr", tmp_path / "run", online=fresh, workers=0)
    assert run.record.dataset.online.samples == len(high.split("train"))
    run.evaluate(Dataset.open(tmp_path / "low.zarr"))  # its own test split
    thin(high.path, tmp_path / "other.zarr", 2 * KEPT)
    with pytest.raises(InputError, match="have samples in common"):
        run.evaluate(Dataset.open(tmp_path / "other.zarr"))
