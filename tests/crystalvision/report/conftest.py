"""Runs that are trained and evaluated, and what a report reads from them."""

import shutil

import numpy as np
import pytest
import torch

from crystalvision.evaluation import (
    Metrics,
    bootstrap_intervals,
    classification_metrics,
    evaluate,
    save,
    severity_metrics,
)
from crystalvision.report import load_results
from crystalvision.report._results import Judged
from crystalvision.runs import Run


@pytest.fixture(scope="session")
def evaluated_path(run_path, dataset, catalogue, tmp_path_factory):
    """A run evaluated on its test split; tests that change it must copy it."""
    path = shutil.copytree(run_path, tmp_path_factory.mktemp("evaluated") / "fused")
    save(evaluate(Run.load(path, catalogue), dataset), path)
    return path


@pytest.fixture
def evaluated(evaluated_path, tmp_path):
    """A copy of the same, to be changed."""
    return shutil.copytree(evaluated_path, tmp_path / "fused")


@pytest.fixture
def unevaluated(run_path, tmp_path):
    return shutil.copytree(run_path, tmp_path / "unevaluated")


@pytest.fixture(scope="session")
def result(evaluated_path, catalogue):
    return load_results([evaluated_path], catalogue)[0]


def judge_predictions(label, probabilities, severity, predicted_severity, class_names):
    """Metrics and predictions as a report reads them."""
    judged = Judged(
        index=np.arange(len(label)),
        label=np.asarray(label),
        predicted=np.asarray(probabilities).argmax(axis=1),
        probabilities=np.asarray(probabilities, dtype=float),
        severity=np.asarray(severity, dtype=float),
        predicted_severity=np.asarray(predicted_severity, dtype=float),
    )
    told = classification_metrics(
        torch.from_numpy(judged.probabilities), torch.from_numpy(judged.label), tuple(class_names)
    )
    metrics = Metrics(
        dataset="data.zarr",
        dataset_identity="0" * 64,
        trained_on_this=True,
        split="test",
        samples=len(judged.label),
        class_names=tuple(class_names),
        **told.model_dump(),
        severity=severity_metrics(
            torch.from_numpy(judged.predicted_severity), torch.from_numpy(judged.severity)
        ),
        severity_source="regression",
        intervals=bootstrap_intervals(
            judged.probabilities,
            judged.label,
            judged.severity,
            judged.predicted_severity,
            tuple(class_names),
            resamples=20,
        ),
        temperature=None,
        rejected=None,
        images_per_second=1.0,
        device="cpu",
    )
    return metrics, judged


@pytest.fixture(scope="session")
def judge():
    return judge_predictions
