"""Memory stays flat on a large dataset: only columns are in it, and a page of images."""

import numpy as np
import psutil
import pytest

from crystalvision.api.session import Session
from crystalvision.contracts import Axis
from crystalvision.datasets import Column, DatasetHeader, DatasetWriter, Simulated, label_column
from crystalvision.explorer._opened import Opened
from crystalvision.explorer.dataset._filters import Filters
from crystalvision.explorer.dataset._gallery import SHOWN
from crystalvision.explorer.dataset._orders import STORED, ordered
from crystalvision.explorer.dataset._page import DatasetPage
from crystalvision.explorer.workspace import Workspace

SAMPLES, SIZE, SHARD = 100_000, 48, 10_000
MIB = 2**20


@pytest.fixture(scope="module")
def large_path(tmp_path_factory):
    """100,000 patterns, 460 MB before they are packed."""
    path = tmp_path_factory.mktemp("large") / "large.zarr"
    names = ("first", "second", "third", "fourth")
    numbers = {name: Column(dtype="float32", units="angstrom") for name in names}
    header = DatasetHeader(
        samples=SAMPLES,
        image_shape=(1, SIZE, SIZE),
        dtype="uint16",
        columns={"label": label_column(["one", "two", "three"]), **numbers},
        axes=[Axis(name=name, size=SIZE, scale=0.01, offset=-0.24) for name in ("q_y", "q_x")],
        provenance=Simulated(seed=0),
        generator={},
        samples_per_shard=SHARD,
    )
    rng = np.random.default_rng(0)
    base = rng.poisson(3, (1000, 1, SIZE, SIZE)).astype(np.uint16)
    with DatasetWriter.open(path, header) as writer:
        for shard in writer.missing_shards():
            rows = np.asarray(writer.shard_indices(shard))
            drawn = {name: rng.random(len(rows), dtype=np.float32) for name in numbers}
            writer.write_shard(shard, base[rows % 1000], {"label": rows % 3, **drawn})
        writer.finish()
    return path


@pytest.mark.slow
def test_memory_stays_flat_over_a_hundred_thousand_samples(large_path, catalogue):
    process = psutil.Process()
    page = DatasetPage(Workspace(Session(catalogue), Opened(datasets=(large_path,))))
    before = process.memory_info().rss
    dataset, facets, _ = page._read(large_path)
    filters = Filters(lambda: None)
    filters.show(facets, ["label", "first", "second", "third"])
    opened = process.memory_info().rss
    rng = np.random.default_rng(1)
    grown = []
    for turn in range(200):
        low = float(rng.random() * 0.5)
        filters._histograms["first"]._control.value = (low, low + 0.4)
        order = ordered(STORED, filters.chosen, None, facets)
        first = int(rng.integers(len(order) - SHOWN))
        assert len(page._thumbnails(dataset, order[first : first + SHOWN])) == SHOWN
        if turn in {99, 199}:
            grown.append(process.memory_info().rss)
    said = f"opening {opened - before}, then 100 pages each: {np.diff([opened, *grown])} bytes"
    assert opened - before < 150 * MIB, said  # columns; the images have 440
    assert grown[1] - grown[0] < 20 * MIB, said
