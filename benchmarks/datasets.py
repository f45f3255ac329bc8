"""Measures datasets: random reading into a training loop beside HDF5 and WebDataset; many samples.

    python benchmarks/datasets.py                # a few minutes, 2 GB of disk for a while
    python benchmarks/datasets.py --only reading

`reading` exports one dataset, which is written for the purpose, and reads all of its stores in turn
in random order, by the same loader of torch: batches of raw counts, and batches prepared for a
network. WebDataset reads its tars in order, through a buffer that shuffles. `many` runs what opens,
describes and splits 100,000 samples, card included, as whole programs, beside 1,000.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils import data

from crystalvision.cards import write_card
from crystalvision.datasets import (
    Axis,
    Column,
    Dataset,
    DatasetHeader,
    DatasetWriter,
    PatternDataset,
    Simulated,
    defect_columns,
)
from crystalvision.inputs import Preprocess, as_parts, build_preprocess
from crystalvision.plugins import Catalogue

SAMPLES, PIXELS, DOSE = 8192, 256, 1e4
BATCH, ROUNDS = 32, 5
MANY, FEW = 100_000, 1_000
RESULTS = Path(__file__).parent / "results" / "datasets"
COLUMNS = ("thickness_angstrom", "mistilt_mrad", "rotation_deg", "vacancy_fraction", "dose")
# A small process of its own: a child counts as its peak what its parent had when it was forked.
MEASURE = """
import json, os, subprocess, sys, time
began = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(json.dumps({"seconds": time.perf_counter() - began, "peak_mib": usage.ru_maxrss / 1024}))
sys.exit(os.waitstatus_to_exitcode(status))
"""

Loader = Iterable[Any]


def main() -> None:
    """Run the sections that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=("reading", "many"))
    parser.add_argument("--samples", type=int, default=SAMPLES, help="of the reading section")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        if options.only in (None, "reading"):
            results["reading"] = reading(Path(folder), options.samples) | machine()
        if options.only in (None, "many"):
            results["many"] = many(Path(folder)) | machine()
    file.write_text(json.dumps(results, indent=1) + "\n")
    (options.output / "results.md").write_text(table(results))
    print(table(results))


def reading(folder: Path, samples: int) -> dict[str, Any]:
    """Samples a second of each store, as medians of rounds taken in turn."""
    from crystalvision.exchange import export_hdf5, export_webdataset

    path = folder / "data.zarr"
    write(path, samples, PIXELS, samples_per_shard=64)
    dataset = Dataset.open(path)
    export_hdf5(path, folder / "data.h5")
    export_webdataset(path, folder / "tars")
    loaders: dict[str, Callable[[], Loader]] = {}
    for workers in (0, 2):
        loaders[f"CrystalVision, {workers} workers"] = lambda workers=workers: PatternDataset(
            dataset, np.arange(samples)
        ).loader(BATCH, generator=torch.Generator().manual_seed(0), workers=workers)
        loaders[f"zarr itself, {workers} workers"] = lambda workers=workers: map_style(
            ZarrImages(path), workers
        )
        loaders[f"h5py, {workers} workers"] = lambda workers=workers: map_style(
            Hdf5Images(folder / "data.h5"), workers
        )
        loaders[f"webdataset, {workers} workers"] = lambda workers=workers: webdataset_loader(
            folder / "tars", workers
        )
    prepare = build_preprocess(
        as_parts(["log1p", "standardise"]), Catalogue.load(), dataset.header.axes
    )
    rates: dict[str, dict[str, list[float]]] = {
        name: {"raw": [], "prepared": []} for name in loaders
    }
    slow = {name for name in loaders if name.startswith("zarr itself")}
    for number in range(ROUNDS):
        for name in list(loaders) if number % 2 == 0 else reversed(list(loaders)):
            limit = samples // 16 if name in slow else samples
            for what in ("raw", "prepared"):
                rates[name][what].append(rate(loaders[name](), what == "prepared", prepare, limit))
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
    return {
        "samples": samples,
        "image": f"{PIXELS}×{PIXELS} uint16, {DOSE:g} electrons",
        "bytes": {
            "CrystalVision": size(path),
            "h5py": size(folder / "data.h5"),
            "webdataset": size(folder / "tars"),
        },
        "samples_a_second": {
            name: {what: spread(values) for what, values in both.items()}
            for name, both in rates.items()
        },
    }


def rate(loader: Loader, prepared: bool, prepare: Preprocess, limit: int) -> float:
    """Samples a second of one pass."""
    count = 0
    began = time.perf_counter()
    for images, *_ in loader:
        if prepared:
            prepare(images)
        count += len(images)
        if count >= limit:
            break
    return count / (time.perf_counter() - began)


class ZarrImages(data.Dataset[Any]):
    """The same store, read by zarr, a sample at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._array: Any = None

    def __len__(self) -> int:
        return int(self._opened().shape[0])

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(self._opened()[index]), 0

    def _opened(self) -> Any:
        import zarr

        if self._array is None:
            self._array = zarr.open_array(self._path / "images", mode="r")
        return self._array

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path, "_array": None}


class Hdf5Images(data.Dataset[Any]):
    """The exported HDF5 file, a sample at a time, opened once in each process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None

    def __len__(self) -> int:
        import h5py

        with h5py.File(self._path) as file:
            return int(images_of(file).shape[0])

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        import h5py

        if self._file is None:
            self._file = h5py.File(self._path)
            self._images = images_of(self._file)
        return torch.from_numpy(self._images[index]), 0


def images_of(file: Any) -> Any:
    """The one array of four dimensions in an HDF5 file."""
    found: list[Any] = []
    file.visititems(lambda _, item: found.append(item) if getattr(item, "ndim", 0) == 4 else None)
    return found[0]


def map_style(dataset: "data.Dataset[Any]", workers: int) -> Loader:
    """Random batches of single samples."""
    return data.DataLoader(
        dataset,
        BATCH,
        shuffle=True,
        generator=torch.Generator().manual_seed(0),
        num_workers=workers,
    )


def webdataset_loader(folder: Path, workers: int) -> Loader:
    """Batches of the exported tars, shuffled by a buffer."""
    import webdataset

    tars = sorted(map(str, folder.glob("*.tar")))
    stream = (
        webdataset.WebDataset(tars, shardshuffle=len(tars), seed=0, empty_check=False)
        .shuffle(1000)
        .decode()
        .to_tuple("npy", "cls")
        .map_tuple(torch.from_numpy, int)
    )
    return data.DataLoader(stream, BATCH, num_workers=workers)


def many(folder: Path) -> dict[str, Any]:
    """Time and peak memory of whole programs with a large dataset, beside a small one."""
    opening = "import sys; from crystalvision.datasets import Dataset; Dataset.open(sys.argv[1])"
    command = Path(sysconfig.get_path("scripts")) / "crystalvision"
    programs: dict[str, Callable[[Path], list[str]]] = {
        "crystalvision --help": lambda _path: [str(command), "--help"],
        "Dataset.open": lambda path: [sys.executable, "-c", opening, str(path)],
        "dataset info": lambda path: [str(command), "dataset", "info", str(path)],
        "dataset split": lambda path: [str(command), "dataset", "split", str(path), "--seed", "1"],
    }
    measured: dict[str, Any] = {}
    for samples in (FEW, MANY):
        path = folder / f"{samples}.zarr"
        write(path, samples, 8, samples_per_shard=256)
        write_card(path)
        measured[str(samples)] = {
            name: program(line(path)) | {"command": " ".join(line(Path("D.zarr"))[1:])}
            for name, line in programs.items()
        }
        print(f"{samples} samples", file=sys.stderr)
    return {"samples": measured}


def program(line: list[str]) -> dict[str, Any]:
    """Wall time [s] and peak memory [MiB] of a program, from its start to its end."""
    # As pip installs it: with bytecode beside each module, which the first, uncounted run writes.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    runs = []
    for _ in range(ROUNDS + 1):
        finished = subprocess.run(
            [sys.executable, "-c", MEASURE, *line], env=environment, check=True, capture_output=True
        )
        runs.append(json.loads(finished.stdout.splitlines()[-1]))
    return {name: spread([run[name] for run in runs[1:]]) for name in ("seconds", "peak_mib")}


def write(path: Path, samples: int, pixels: int, samples_per_shard: int) -> None:
    """A dataset of Poisson counts on a falling background with a lattice of spots."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:pixels, :pixels] - pixels // 2
    mean = np.exp(-np.hypot(y, x) / (pixels / 12)) + 0.002
    mean += ((y % 17 < 2) & (x % 19 < 2)) * 0.05
    mean *= DOSE / mean.sum()
    header = DatasetHeader(
        samples=samples,
        image_shape=(1, pixels, pixels),
        dtype="uint16",
        columns={
            **defect_columns(("none", "some", "more", "most"), (0.0, 0.3, 0.6, 0.9)),
            **{name: Column(dtype="float32") for name in COLUMNS},
        },
        axes=tuple(
            Axis(name=name, size=pixels, scale=3.2 / pixels, offset=-1.6) for name in ("q_y", "q_x")
        ),
        provenance=Simulated(seed=0, recipe={"name": "benchmark"}),
        generator={"numpy": np.__version__},
        samples_per_shard=samples_per_shard,
    )
    with DatasetWriter.open(path, header) as writer:
        for shard in range(header.shards):
            count = len(header.shard_indices(shard))
            labels = np.arange(count) % 4
            writer.write_shard(
                shard,
                rng.poisson(mean, (count, 1, pixels, pixels)).astype(np.uint16),
                {"label": labels, "severity": (0.3 * labels).astype(np.float32)}
                | {name: rng.random(count).astype(np.float32) for name in COLUMNS},
            )
        writer.finish()


def size(path: Path) -> int:
    """Bytes of a file or a folder."""
    files: Iterator[Path] = path.rglob("*") if path.is_dir() else iter([path])
    return sum(file.stat().st_size for file in files if file.is_file())


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and greatest."""
    return {"median": float(np.median(values)), "min": min(values), "max": max(values)}


def bracketed(values: dict[str, float]) -> str:
    """The median, and the least and greatest in brackets."""
    return f"{values['median']:,.0f} ({values['min']:,.0f}–{values['max']:,.0f})"


def machine() -> dict[str, Any]:
    """What it was measured on."""
    packages = ("crystalvision", "torch", "numpy", "zarr", "h5py", "webdataset")
    return {
        "machine": {
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "versions": {name: version(name) for name in packages},
        },
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def table(results: dict[str, Any]) -> str:
    """The results for a reader."""
    lines = ["# Datasets", ""]
    if "reading" in results:
        part = results["reading"]
        lines += [
            (
                f"Random batches of {BATCH} from {part['samples']:,} samples of {part['image']}, "
                f"{part['machine']['cores']} cores, files in the cache of the system; samples a "
                f"second, medians of {ROUNDS} passes in turn, least to greatest in brackets. "
                "Prepared: float32, log1p, standardised."
            ),
            "",
            "| store | raw counts | prepared | size |",
            "|---|---|---|---|",
        ]
        for name, rates in part["samples_a_second"].items():
            store = name.partition(",")[0].replace("zarr itself", "CrystalVision")
            cells = [bracketed(rates[what]) for what in ("raw", "prepared")]
            lines.append(f"| {name} | {' | '.join(cells)} | {part['bytes'][store] / 1e6:,.0f} MB |")
        lines.append("")
    if "many" in results:
        part = results["many"]["samples"]
        lines += [
            f"Whole programs, start to end: wall time and peak memory, medians of {ROUNDS}.",
            "",
            "| program | " + " | ".join(f"{int(count):,} samples" for count in part) + " |",
            "|---|" + "---|" * len(part),
        ]
        for name in part[str(FEW)]:
            cells = [
                f"{steps[name]['seconds']['median']:.2f} s, "
                f"{steps[name]['peak_mib']['median']:,.0f} MiB"
                for steps in part.values()
            ]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
