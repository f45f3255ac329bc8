"""Small datasets of any shape, with a column of every kind."""

from pathlib import Path

import numpy as np
import pytest

from crystalvision.datasets import (
    Axis,
    Column,
    DatasetHeader,
    DatasetWriter,
    Simulated,
    defect_columns,
)

COLUMNS = {
    "thickness_angstrom": Column(dtype="float32", units="angstrom", description="along the beam"),
    "dose_electrons": Column(dtype="float32", units="electron"),
    "bent": Column(dtype="bool", description="<b>yes | no</b>"),
    "unknown": Column(dtype="float32"),
}


def write(
    path,
    *,
    samples=40,
    classes=("whole", "holed"),
    shape=(1, 16, 24),
    dtype="uint16",
    mode="create",
    columns=COLUMNS,
    **more,
):
    """A finished dataset; `more` replaces keys of its header."""
    count = len(classes)
    severities = np.linspace(0, 0.9, count).round(3)
    header = {
        "samples": samples,
        "image_shape": shape,
        "dtype": dtype,
        "columns": {**defect_columns(classes, severities.tolist()), **columns},
        "axes": tuple(
            Axis(name=name, size=size, scale=scale, offset=-scale * size / 2)
            for name, size, scale in (("q_y", shape[1], 0.05), ("q_x", shape[2], 0.04))
        ),
        "seed": 7,
        "recipe": {"name": "salt", "samples": samples},
        "generator": {"crystalvision": "9.9"},
        "samples_per_shard": max(1, samples // 3),
    }
    header = {**header, **more}
    made = {key: header.pop(key) for key in ("seed", "recipe", "source") if key in header}
    header = DatasetHeader.model_validate({"provenance": Simulated(**made), **header})
    rng = np.random.default_rng(0)
    labels = np.arange(samples) % max(1, count - (samples < count))
    images = rng.poisson(3, (samples, *shape)).astype(dtype)
    columns = {
        "label": labels,
        "severity": severities.astype(np.float32)[labels],
        "thickness_angstrom": 50 + np.arange(samples, dtype=np.float32),
        "dose_electrons": (10 ** rng.uniform(2, 6, samples)).astype(np.float32),
        "bent": rng.random(samples) > 0.5,
        "unknown": np.full(samples, np.nan, dtype=np.float32),
    }
    with DatasetWriter.open(path, header, mode) as writer:
        for shard in writer.missing_shards():
            rows = np.asarray(writer.shard_indices(shard))
            part = {name: columns[name][rows] for name in header.columns}
            writer.write_shard(shard, images[rows], part)
        writer.finish()
    return Path(path)


@pytest.fixture(scope="session")
def make():
    return write


@pytest.fixture
def salt(tmp_path):
    return write(tmp_path / "salt.zarr")
