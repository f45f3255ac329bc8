"""A small classical run that several test files share."""

import pytest

from crystalvision.runs import train_classical_run
from crystalvision.training import ClassicalExperiment


def describe_classical(**changes):
    """A classical experiment in its smallest form, as YAML would hold it."""
    return {
        "system": {
            "features": ["radial-profile", {"name": "pca", "components": 4}],
            "estimator": {"name": "random-forest", "trees": 20},
        },
        "input": ["log1p", "standardise"],
        **changes,
    }


@pytest.fixture(scope="session")
def make_classical():
    return describe_classical


@pytest.fixture(scope="session")
def classical_experiment():
    return ClassicalExperiment.model_validate(describe_classical())


@pytest.fixture(scope="session")
def classical_path(tmp_path_factory, dataset, classical_experiment, catalogue):
    """A trained run; tests that change it must copy it."""
    path = tmp_path_factory.mktemp("runs") / "forest"
    train_classical_run(classical_experiment, dataset, path, catalogue=catalogue)
    return path
