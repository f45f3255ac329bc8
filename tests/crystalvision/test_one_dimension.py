"""Powder patterns: one dimension, of which a part was not seen, from training to export."""

import numpy as np
import pytest

from crystalvision.contracts import Axis
from crystalvision.datasets import Column, Dataset, DatasetHeader, DatasetWriter, Seen, Simulated
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate
from crystalvision.export import export_run
from crystalvision.plugins import Catalogue
from crystalvision.prediction import UNSEEN, Predictor, draw_explanation, explanation_figure
from crystalvision.runs import Run, train_classical_run, train_run
from crystalvision.training import ClassicalExperiment, Experiment, check_fits

POINTS, SAMPLES = 160, 96
HIDDEN = slice(60, 80)
INPUT = [{"name": "bin", "size": 2}, "log1p", "standardise"]


def write(path, hidden_counts: int) -> Dataset:
    """Lines whose distance tells the class; what lies behind the beam stop holds any counts."""
    seen = np.ones((1, POINTS), dtype=bool)
    seen[:, HIDDEN] = False
    header = DatasetHeader(
        samples=SAMPLES,
        image_shape=(1, POINTS),
        dtype="uint16",
        columns={"label": Column(dtype="int64", classes=("fine", "coarse"))},
        axes=(Axis(name="two_theta", size=POINTS, scale=0.5, offset=10.0, units="degree"),),
        seen=Seen.of(seen),
        provenance=Simulated(seed=0, recipe={"name": "lines"}),
        generator={"tests": "1"},
        samples_per_shard=SAMPLES,
    )
    rng = np.random.default_rng(0)
    labels = np.arange(SAMPLES) % 2
    period = np.where(labels, 8, 16)[:, None]
    phase = rng.uniform(0, 1, (SAMPLES, 1))
    mean = 20 * (1.2 + np.cos(2 * np.pi * (np.arange(POINTS) / period + phase)))
    images = rng.poisson(mean)[:, None].astype(np.uint16)
    images[..., HIDDEN] = hidden_counts
    with DatasetWriter.open(path, header) as writer:
        writer.write_shard(0, images, {"label": labels})
        writer.finish()
    return Dataset.open(path)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Dataset:
    return write(tmp_path_factory.mktemp("data") / "lines.zarr", 0)


def described(**changes) -> Experiment:
    phase = {"name": "eye", "train": ["eye"], "epochs": 12, "batch_size": 16}
    return Experiment.model_validate(
        {
            "system": {"branches": {"eye": {"backbone": "xrdnet", "head": "softmax"}}},
            "input": INPUT,
            "augment": [{"name": "shift", "pixels": 3}, "thinning"],
            "schedule": [{**phase, "optimiser": "adamw", "learning_rate": 0.005}],
            **changes,
        }
    )


@pytest.fixture(scope="module")
def run(data, tmp_path_factory) -> Run:
    path = tmp_path_factory.mktemp("runs") / "powder"
    return train_run(described(), data, path, catalogue=Catalogue.load())


def test_a_network_of_one_dimension_learns_them(run, data):
    found = evaluate(Run.load(run.path), data)
    assert found.metrics.targets["label"].metrics["accuracy"] > 0.9


def test_what_was_not_seen_changes_nothing(run, data, tmp_path):
    """Neither in training nor where a run is judged or used."""
    other = write(tmp_path / "saturated.zarr", 60_000)
    again = train_run(described(), other, tmp_path / "again")
    for name, weight in run.system.state_dict().items():
        assert np.array_equal(weight.numpy(), again.system.state_dict()[name].numpy())
    probabilities = [
        evaluate(run, each).predictions["label"].probabilities for each in (data, other)
    ]
    assert np.array_equal(*probabilities)
    images = other.images(np.arange(6)).astype(np.float32)
    images[..., HIDDEN] = np.nan
    marked = Predictor(run).predict(images, gap_values=UNSEEN)["label"].probabilities
    zeros = Predictor(run).predict(np.nan_to_num(images))["label"].probabilities
    assert not np.allclose(marked, zeros, atol=1e-4)
    images[..., HIDDEN] = 4_000_000_000.0
    assert np.array_equal(
        Predictor(run).predict(images, gap_values=(4e9,))["label"].probabilities, marked
    )


def test_a_curve_is_explained_along_its_axis(run, data, tmp_path):
    images = data.images([0, 1])
    predictor = Predictor(run)
    label = data.header.class_names
    for image in images:
        found = predictor.explain(image)
        assert [axis.name for axis in found.axes] == ["two_theta"]
        (told,) = found.maps
        assert told.values.shape == (160,)
        assert told.said in label
        assert told.values.max() > 0
        assert told.values.min() >= 0
        draw_explanation(found, tmp_path / "why.png", "a curve")
    figure = explanation_figure(found, "a curve")
    assert [each.get_ylabel() for each in figure.axes[:1]] == ["√counts"]
    assert figure.axes[0].get_xlabel() == "2θ [°]"


@pytest.mark.parametrize(("to", "suffix"), [("torch-export", ".pt2"), ("onnx", ".onnx")])
def test_a_network_of_one_dimension_is_exported(run, tmp_path, to, suffix):
    checks = []
    export_run(run, to, tmp_path / f"model{suffix}", on_checked=checks.append)
    assert checks[0].differences["label"] < 1e-4


def test_a_classical_system_describes_them(data, tmp_path):
    experiment = ClassicalExperiment.model_validate(
        {
            "system": {
                "features": {"name": "pca", "components": 4},
                "estimator": {"name": "knn", "neighbours": 5},
            },
            "input": INPUT,
        }
    )
    run = train_classical_run(experiment, data, tmp_path / "pca")
    assert evaluate(Run.load(run.path), data).metrics.targets["label"].metrics["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input": ["polar"]}, "input 'polar' is for patterns of 2 dimensions, .*1 .two_theta."),
        ({"augment": "dihedral"}, "augmentation 'dihedral' .*is for patterns of 2 dimensions"),
        (
            {"system": {"branches": {"eye": {"backbone": "dnsnet-tiny", "head": "softmax"}}}},
            "branch 'eye': backbone 'dnsnet-tiny' reads patterns of 2 dimensions",
        ),
        ({"input": [{"name": "bin", "size": 16}]}, "needs images of at least 16 .*10 of 160"),
    ],
)
def test_what_is_for_images_is_refused_before_training(data, changes, message):
    with pytest.raises(InputError, match=message):
        check_fits(described(**changes), data.header, Catalogue.load())


def test_features_of_images_are_refused(data, tmp_path):
    experiment = ClassicalExperiment.model_validate(
        {"system": {"features": "hog", "estimator": "logistic"}, "input": INPUT}
    )
    with pytest.raises(InputError, match="feature 'hog' is for patterns of 2 dimensions"):
        train_classical_run(experiment, data, tmp_path / "hog")
