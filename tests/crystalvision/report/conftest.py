"""Runs that are trained and evaluated, and what a report reads from them."""

import shutil

import pytest

from crystalvision.evaluation import evaluate, save
from crystalvision.report import load_results
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
