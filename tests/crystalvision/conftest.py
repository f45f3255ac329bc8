"""A small dataset and small systems that several test files share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from crystalvision.contracts import Axis, Target
from crystalvision.datasets import Dataset, DatasetHeader, DatasetWriter, Simulated, defect_columns
from crystalvision.inputs import Preprocess, as_parts, build_preprocess
from crystalvision.models import System, SystemConfig, build_system
from crystalvision.plugins import Catalogue
from crystalvision.runs import Run, train_run
from crystalvision.training import (
    Experiment,
    Patterns,
    Phase,
    load_patterns,
    seeded,
)

CLASS_NAMES = ("no_defect", "pristine", "random_displacement", "vacancies_25")
SEVERITIES = (0.0, 0.3, 0.6, 0.9)
TARGETS = {
    "label": Target(
        name="label",
        task="classification",
        classes=CLASS_NAMES,
        class_severities=SEVERITIES,
    ),
    "severity": Target(name="severity", task="regression"),
}


def draw_patterns(labels: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Counts (n, 1, size, size): a ring whose radius tells the class, and Poisson noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    radius = np.hypot(y, x)
    rings = np.stack([np.exp(-((radius - (3 + 3 * k)) ** 2) / 4) for k in range(4)])
    return rng.poisson(20 * rings[labels] + 0.3)[:, None].astype(np.uint16)


def write_dataset(path: Path, *, samples: int = 160, size: int = 32, seed: int = 0) -> Path:
    """A whole dataset of four balanced classes, written by the toolkit's own writer."""
    header = DatasetHeader(
        samples=samples,
        image_shape=(1, size, size),
        dtype="uint16",
        columns=defect_columns(CLASS_NAMES, SEVERITIES),
        axes=tuple(
            Axis(name=name, size=size, scale=0.0125, offset=-0.0125 * size / 2)
            for name in ("q_y", "q_x")
        ),
        provenance=Simulated(seed=seed, recipe={"name": "rings"}),
        generator={"tests": "1"},
        samples_per_shard=samples // 4,
    )
    labels = np.arange(samples) % 4
    images = draw_patterns(labels, size, seed)
    severity = np.asarray(SEVERITIES, dtype=np.float32)[labels]
    with DatasetWriter.open(path, header) as writer:
        for shard in writer.missing_shards():
            rows = np.asarray(writer.shard_indices(shard))
            writer.write_shard(
                shard, images[rows], {"label": labels[rows], "severity": severity[rows]}
            )
        writer.finish()
    return path


def describe_experiment(**changes: object) -> dict[str, object]:
    """The fused system in its smallest form, as YAML would hold it."""
    fast = {"optimiser": "adamw", "batch_size": 16}
    phases = [
        {"name": "classifier", "train": ["classifier"], "epochs": 3, "learning_rate": 0.003},
        {"name": "regressor", "train": ["regressor"], "epochs": 2, "learning_rate": 0.003},
        {"name": "fusion", "train": ["fusion", "head"], "epochs": 4, "learning_rate": 0.003},
    ]
    return {
        "system": {
            "branches": {
                "classifier": {"backbone": "dnsnet-tiny", "head": "softmax"},
                "regressor": {"backbone": "dnsnet-tiny", "head": "severity"},
            },
            "fusion": "concat",
            "head": "perceptron",
        },
        "input": ["log1p", "standardise"],
        "augment": "dihedral",
        "schedule": [{**phase, **fast} for phase in phases],
        **changes,
    }


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Small networks are quickest on one thread; weights repeat for one number of threads only."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def targets() -> dict[str, Target]:
    """What the small dataset has to be learnt."""
    return TARGETS


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Path]:
    return write_dataset


@pytest.fixture(scope="session")
def make_experiment() -> Callable[..., dict[str, object]]:
    return describe_experiment


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture(scope="session")
def dataset_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "rings.zarr")


@pytest.fixture(scope="session")
def dataset(dataset_path: Path) -> Dataset:
    return Dataset.open(dataset_path)


@pytest.fixture(scope="session")
def other_dataset_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same kind of patterns, of another seed."""
    return write_dataset(tmp_path_factory.mktemp("data") / "other.zarr", samples=40, seed=1)


@pytest.fixture(scope="session")
def experiment() -> Experiment:
    return Experiment.model_validate(describe_experiment())


@pytest.fixture(scope="session")
def run_path(
    tmp_path_factory: pytest.TempPathFactory,
    dataset: Dataset,
    experiment: Experiment,
    catalogue: Catalogue,
) -> Path:
    """A trained run; tests that change it must copy it."""
    path = tmp_path_factory.mktemp("runs") / "fused"
    train_run(experiment, dataset, path, catalogue=catalogue)
    return path


@pytest.fixture
def run(run_path: Path, catalogue: Catalogue) -> Run:
    return Run.load(run_path, catalogue)


@pytest.fixture(scope="session")
def make_preprocess(catalogue: Catalogue) -> Callable[..., Preprocess]:
    """What prepares square patterns: some steps, and then those of any experiment."""

    def make(*steps: object, size: int = 32) -> Preprocess:
        axes = [
            Axis(name=name, size=size, scale=0.0125, offset=-0.0125 * size / 2)
            for name in ("q_y", "q_x")
        ]
        return build_preprocess(as_parts([*steps, "log1p", "standardise"]), catalogue, axes)

    return make


@pytest.fixture(scope="session")
def patterns(
    dataset: Dataset, make_preprocess: Callable[..., Preprocess]
) -> tuple[Patterns, Patterns]:
    """Prepared patterns to train on, and to validate with."""
    prepare = make_preprocess()
    training, validation = (
        load_patterns(dataset, dataset.split(name), prepare, dataset.header.targets)
        for name in ("train", "validation")
    )
    return training, validation


@pytest.fixture(scope="session")
def make_system(catalogue: Catalogue) -> Callable[..., System]:
    """The fused system, untrained, always with the same first weights."""

    def make(dropout: float = 0.0) -> System:
        described = describe_experiment()["system"]
        described["branches"]["classifier"]["head"] = {"name": "softmax", "dropout": dropout}
        config = SystemConfig.model_validate(described)
        with seeded(0):
            return build_system(config, catalogue, in_channels=1, targets=TARGETS, grid=(32, 32))

    return make


@pytest.fixture(scope="session")
def make_phase() -> Callable[..., Phase]:
    def make(*train: str, rate: object = 0.003, **settings: object) -> Phase:
        described = {
            "name": train[0],
            "train": train,
            "epochs": 2,
            "batch_size": 16,
            "optimiser": "adamw",
            "learning_rate": rate,
            **settings,
        }
        return Phase.model_validate(described)

    return make
