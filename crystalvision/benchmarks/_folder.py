"""The folder of a benchmark: what lies where, and who may write in it."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crystalvision.benchmarks._cells import CellKey
from crystalvision.benchmarks._suite import DatasetPlan, Suite
from crystalvision.config import first_difference, load_yaml, validate
from crystalvision.errors import InputError
from crystalvision.locks import take_lock
from crystalvision.ordinary_files import check_ordinary
from crystalvision.storage import disk_errors, is_partial, write_text
from crystalvision.text import json_text
from crystalvision.yaml_text import dump_yaml

_LOCK = "benchmark.lock"
_RESULTS = ("results.csv", "results.parquet", "results.md", "report.html")
_OURS = (
    *("datasets", "runs", "failures", "bounds", "environment.json"),
    *_RESULTS,
    *("runs.jsonl", "predictions.parquet"),  # of a kept copy
    "pictures.png",
    *("published.json", "published.yaml", "published.yml"),
    "suite.yaml",  # the last: as long as it is there, the folder is known as a benchmark's
)
_WORDS = (
    "title",
    "description",
    "published",
    "compare_with",
    "claims",
    "contrast",
    "curves",
    "picture",
)


@dataclass(frozen=True, slots=True)
class BenchmarkFolder:
    """A benchmark's folder.

    Attributes:
        folder: The folder.
    """

    folder: Path

    @property
    def suite(self) -> Path:
        """The suite as resolved for its budget."""
        return self.folder / "suite.yaml"

    def training_data(self, name: str, plan: DatasetPlan, size: int) -> Path:
        """The dataset to train on with so many patterns."""
        whole = plan.train is None or size == plan.train.samples
        return self.folder / "datasets" / f"{name}-train{'' if whole else f'-{size}'}.zarr"

    def test_data(self, name: str) -> Path:
        """The dataset to test on."""
        return self.folder / "datasets" / f"{name}-test.zarr"

    def pattern_facts(self, name: str) -> Path:
        """What results need to know of the patterns of a test dataset."""
        return self.folder / "datasets" / f"{name}-test.csv"

    @property
    def pictures(self) -> Path:
        """A picture of every test, where the suite asks for it."""
        return self.folder / "pictures.png"

    def run(self, key: CellKey) -> Path:
        """The run of a cell."""
        return self.folder / key.folder

    def failure(self, key: CellKey) -> Path:
        """What is known of the failure of a cell."""
        return self.folder / "failures" / f"{key.file_name}.json"

    def bound(self, dataset: str) -> Path:
        """The upper bound of the accuracy on a test set."""
        return self.folder / "bounds" / f"{dataset}.json"

    def read_suite(self) -> Suite:
        """The suite that the folder holds.

        Raises:
            InputError: It holds none.
        """
        if not is_benchmark(self.folder):
            raise InputError(
                f"{self.folder} is no benchmark: it lacks suite.yaml or environment.json; a "
                "benchmark is what crystalvision benchmark writes"
            )
        return validate(Suite, load_yaml(self.suite), str(self.suite))


def is_benchmark(folder: Path) -> bool:
    """Whether a folder is a benchmark's, finished or not.

    Others may have a `suite.yaml` too, so there must be something beside it that only we write.

    Raises:
        InputError: One of its files is a pipe, which would be waited for.
    """
    if folder.is_dir():
        for entry in folder.iterdir():
            check_ordinary(entry)
    ours = ("environment.json", _LOCK)
    return BenchmarkFolder(folder).suite.is_file() and any(
        (folder / name).is_file() for name in ours
    )


@contextmanager
def held(folder: Path, suite: Suite, *, resume: bool, overwrite: bool) -> Iterator[BenchmarkFolder]:
    """Hold the folder of a benchmark, alone, and write the suite into it.

    Raises:
        InputError: Another process writes there, or what is there may not be touched.
        StorageError: The disk refuses.
    """
    place = BenchmarkFolder(folder)
    published = _published(suite)
    check_folder(place, suite, resume=resume, overwrite=overwrite)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = take_lock(
            folder / _LOCK,
            f"another process runs the benchmark in {folder} now; wait for it, or choose another "
            "-o folder",
        )
    try:
        check_folder(place, suite, resume=resume, overwrite=overwrite)
        with disk_errors(folder):
            if overwrite:
                _clear(folder)
            elif is_benchmark(folder) and _numbers_of(place.read_suite()) != _numbers_of(suite):
                _remove(folder, _RESULTS)  # they are of a smaller suite
            _remove_partial(folder)
            _write_suite(place, suite, published)
        yield place
    finally:
        lock.release()


def check_folder(place: BenchmarkFolder, suite: Suite, *, resume: bool, overwrite: bool) -> None:
    """Check that a benchmark may be run in a folder.

    Raises:
        InputError: It may not.
    """
    if resume and overwrite:
        raise InputError("--resume and --overwrite exclude each other: go on, or start anew")
    folder = place.folder
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another -o folder")
    if not folder.is_dir():
        return
    # What one that was killed as it began left.
    if all(path.name == _LOCK or is_partial(path) for path in folder.iterdir()):
        return
    if not is_benchmark(folder):
        raise InputError(f"{folder} exists and is no benchmark; choose another -o folder")
    if overwrite:
        return
    if not resume:
        raise InputError(
            f"{folder} holds a benchmark already; go on with it by --resume, replace it by "
            "--overwrite, or choose another -o folder"
        )
    earlier = place.read_suite()
    other, mine = _numbers_of(earlier), _numbers_of(_known_before(suite, earlier))
    if other != mine:
        raise InputError(
            f"{folder} holds a benchmark of another suite: it differs in "
            f"{first_difference(other, mine)}; --resume takes more seeds, systems and datasets, "
            "and no other change; use --overwrite to begin anew, or another -o folder"
        )


def write_json(path: Path, value: Any) -> None:
    """Write a file of JSON that is whole or absent.

    Raises:
        StorageError: The disk refuses.
    """
    write_text(path, json_text(value, indent=2) + "\n")


def _write_suite(place: BenchmarkFolder, suite: Suite, published: str | None) -> None:
    """Write `suite.yaml`, and then beside it the published results that it names."""
    name = f"published{Path(suite.published).suffix}" if suite.published else None
    suite = suite.model_copy(update={"published": name})
    text = dump_yaml(suite.model_dump(mode="json"))
    write_text(place.suite, text)
    if name is not None and published is not None:
        write_text(place.folder / name, published)


def _published(suite: Suite) -> str | None:
    """The published results that a suite names; read first, for they may lie in the folder."""
    if suite.published is None:
        return None
    try:
        return Path(suite.published).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"suite '{suite.name}': published={suite.published} cannot be read as text: {error}"
        ) from error


def _known_before(suite: Suite, earlier: Suite) -> Suite:
    """A suite without the seeds, systems and datasets that it has grown by."""
    return suite.model_copy(
        update={
            "seeds": tuple(seed for seed in suite.seeds if seed in earlier.seeds),
            "systems": {
                name: suite.systems[name] for name in suite.systems if name in earlier.systems
            },
            "datasets": {
                name: suite.datasets[name] for name in suite.datasets if name in earlier.datasets
            },
        }
    )


def _numbers_of(suite: Suite) -> dict[str, Any]:
    """What a suite says, without the words that change no number."""
    settings = suite.model_dump(mode="json", exclude=set(_WORDS))
    for system in settings["systems"].values():
        for word in ("title", "published"):
            del system[word]
    for dataset in settings["datasets"].values():
        del dataset["despite"]  # what it allows was not asked for in earlier versions
    return settings


def _clear(folder: Path) -> None:
    _remove(folder, _OURS)


def _remove(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _remove_partial(folder: Path) -> None:
    """Remove what cells that were killed left half-written."""
    for pattern in ("runs/*/.*.partial*", "runs/*/*/evaluations/.*.partial*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)
