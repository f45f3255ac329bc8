"""A small dataset with every type of column, and folders of labelled images."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from crystalvision.datasets import (
    Axis,
    Column,
    Dataset,
    DatasetHeader,
    DatasetWriter,
    Simulated,
    defect_columns,
)

CLASS_NAMES = ("vacancies 25 %", "no_defect", "twin <112>")
SEVERITIES = (0.9, 0.0, 0.35)
SAMPLES = 23
COLUMNS = {
    "thickness_angstrom": Column(dtype="float32", units="angstrom", description="along the beam"),
    "energy_kev": Column(dtype="float64", units="keV"),
    "configurations": Column(dtype="int32"),
    "is_tilted": Column(dtype="bool"),
    "data_quality": Column(dtype="uint8"),
}


def make_header(
    class_names: Sequence[str] = CLASS_NAMES,
    class_severities: Sequence[float] = SEVERITIES,
    columns: Mapping[str, Column] = COLUMNS,
    **changes: object,
) -> DatasetHeader:
    shape = changes.get("image_shape", (1, 6, 8))
    fields = {
        "samples": SAMPLES,
        "image_shape": shape,
        "dtype": "uint16",
        "columns": {**defect_columns(class_names, class_severities), **columns},
        "axes": (
            Axis(name="q_y", size=shape[1], scale=0.05, offset=-0.15),
            Axis(name="q_x", size=shape[2], scale=0.04, offset=-0.17),
        ),
        "seed": 7,
        "recipe": {"name": "salt", "dose": 1e4},
        "generator": {"crystalvision": "9.9"},
        "samples_per_shard": 5,
    }
    fields |= changes
    made = {key: fields.pop(key) for key in ("seed", "recipe", "source") if key in fields}
    return DatasetHeader.model_validate({"provenance": Simulated(**made), **fields})


def make_images(header: DatasetHeader) -> np.ndarray:
    """Images that span many decades, no two alike."""
    rng = np.random.default_rng(header.provenance.seed)
    shape = (header.samples, *header.image_shape)
    if header.dtype == "float32":
        return (10.0 ** rng.uniform(-6, 0, shape)).astype(np.float32)
    return (10.0 ** rng.uniform(0, 4.8, shape)).astype(header.dtype)


def make_columns(header: DatasetHeader) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(header.provenance.seed + 1)
    numbers = np.arange(header.samples)
    labels = numbers % len(header.class_names)
    energy = rng.choice([80.0, 200.0, 1 / 3], header.samples)
    energy[2:3] = np.nan
    made = {
        "label": labels,
        "severity": np.asarray(header.class_severities, dtype=np.float32)[labels],
        "thickness_angstrom": rng.uniform(50, 150, header.samples).astype(np.float32),
        "energy_kev": energy,
        "configurations": numbers.astype(np.int32) - 3,
        "is_tilted": numbers % 2 == 0,
        "data_quality": (numbers % 7).astype(np.uint8),
        "specimen": numbers // 2 + 40,
    }
    return {name: made[name] for name in header.columns}


def write(path: Path, images: np.ndarray | None = None, **changes: object) -> Path:
    header = make_header(**changes)
    images = make_images(header) if images is None else images
    columns = make_columns(header)
    with DatasetWriter.open(path, header) as writer:
        for shard in writer.missing_shards():
            rows = np.asarray(writer.shard_indices(shard))
            part = {name: values[rows] for name, values in columns.items()}
            writer.write_shard(shard, images[rows], part)
        writer.finish()
    return path


@pytest.fixture(scope="session")
def make_data() -> Callable[..., Path]:
    return write


@pytest.fixture(scope="session")
def salt_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """23 samples in 5 shards; tests must not change it."""
    return write(tmp_path_factory.mktemp("salt") / "salt.zarr")


@pytest.fixture(scope="session")
def salt(salt_path: Path) -> Dataset:
    return Dataset.open(salt_path)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Six images of three classes, in a folder for each class."""
    rng = np.random.default_rng(3)
    folder = tmp_path / "measured"
    for number in range(6):
        place = folder / ("amorphous", "crystal", "twin")[number % 3]
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / f"{number:03d}.npy", rng.integers(0, 900, (6, 8)).astype(np.uint16))
    return folder


@pytest.fixture
def write_csv(pictures: Path) -> Callable[[str], Path]:
    """Writes `labels.csv`; gives the folder."""

    def save(text: str) -> Path:
        (pictures / "labels.csv").write_text(text, encoding="utf-8")
        return pictures

    return save
