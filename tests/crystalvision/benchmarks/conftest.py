"""A suite that runs in seconds: rings instead of diffraction patterns, from a stranger's source."""

import copy
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from crystalvision.benchmarks import (
    BenchmarkFolder,
    ResultRow,
    Settings,
    Suite,
    load_suite,
    plan_benchmark,
    run_benchmark,
)
from crystalvision.benchmarks._datasets import make_dataset
from crystalvision.benchmarks._job import Job, job_of
from crystalvision.benchmarks._outcome import Outcome, outcome_of
from crystalvision.benchmarks._run_cell import do
from crystalvision.plugins import Catalogue, PluginSelection

PLUGIN = '''
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from crystalvision import hookimpl
from crystalvision.datasets import Axis, Column, DatasetHeader, Simulated, defect_columns
from crystalvision.errors import InputError
from crystalvision.sources import Sample, Source


class Rings(Source):
    """Rings whose radius tells the class, at three doses."""

    def __init__(self, spec, catalogue):
        self.recipe = dict(spec.recipe)
        if unknown := set(self.recipe) - {"name", "samples", "seed", "size", "noise", "classes"}:
            raise InputError(f"recipe: unknown key '{min(unknown)}'")

    @property
    def header(self):
        size = self.recipe.get("size", 16)
        return DatasetHeader(
            samples=self.recipe["samples"],
            image_shape=(1, size, size),
            dtype="uint16",
            columns={
                **defect_columns(self.recipe.get("classes", ("small", "large")), (0.0, 0.9)),
                "dose_electrons": Column(dtype="float32", units="1"),
            },
            axes=tuple(
                Axis(name=name, size=size, scale=0.1, offset=-0.05 * size)
                for name in ("q_y", "q_x")
            ),
            provenance=Simulated(source="rings", recipe=self.recipe, seed=self.recipe["seed"]),
            generator={"rings": os.environ.get("RINGS_VERSION", "1"), "device": "cpu"},
            samples_per_shard=16,
        )

    def samples(self, indices):
        size = self.recipe.get("size", 16)
        y, x = np.mgrid[:size, :size] - (size - 1) / 2
        radius = np.hypot(y, x)
        for index in indices:
            rng = np.random.default_rng([self.recipe["seed"], index])
            label = index % 2
            dose = float(rng.choice([1.0, 3.0, 10.0]))
            ring = np.exp(-((radius - (3 + 2 * label)) ** 2) / 2)
            counts = rng.poisson(dose * ring + self.recipe.get("noise", 0.3))
            yield Sample(
                counts[None].astype(np.uint16),
                {"label": label, "severity": 0.9 * label, "dose_electrons": dose},
            )


class Small(nn.Module):
    """A network of one convolution; it counts how often it is made to train, if asked to."""

    num_features = 4
    stride = 4

    def __init__(self, in_channels: int, mode: str = "good", diary: str = "", wait: float = 0.0):
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, 4, 4, stride=4)
        self.mode, self.diary, self.wait = mode, diary, wait
        self.told = False

    def forward(self, images):
        if self.mode == "killed":  # before Lightning is imported, which takes seconds
            os.kill(os.getpid(), 9)
        if self.training:
            time.sleep(self.wait)
            if self.diary and not self.told:
                with open(self.diary, "a") as file:
                    file.write(f"{os.getpid()}\\n")
                self.told = True
            if self.mode == "hungry":
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")
            if self.mode == "loud":
                print("what a plugin prints is no message")
        maps = torch.relu(self.convolution(images))
        return maps * float("nan") if self.mode == "nan" and self.training else maps


@hookimpl
def crystalvision_sources():
    return {"rings": Rings}


@hookimpl
def crystalvision_backbones():
    return {"small": Small, "lost": "a_package_that_is_not_there:Net"}


@hookimpl
def crystalvision_recipes():
    return {"rings": Path(__file__).with_name("rings.yaml")}


@hookimpl
def crystalvision_suites():
    return {"tiny": Path(__file__).with_name("tiny.yaml")}
'''


INPUT = ["log1p", "standardise"]


def one_branch(head: str, epochs: int = 2, **options: object) -> dict[str, Any]:
    """An experiment of one small network."""
    name = "classifier" if head == "softmax" else "regressor"
    phase = {
        "name": name,
        "train": [name],
        "epochs": epochs,
        "batch_size": 16,
        "optimiser": "adamw",
        "learning_rate": 0.01,
    }
    branch = {"backbone": {"name": "small", **options}, "head": head}
    return {"system": {"branches": {name: branch}}, "input": INPUT, "schedule": [phase]}


def fused() -> dict[str, Any]:
    """Two branches, of which only what joins them is trained."""
    experiment = one_branch("softmax")
    branches = {
        "classifier": {"backbone": "small", "head": "softmax"},
        "regressor": {"backbone": "small", "head": "softmax"},
    }
    phase = {**experiment["schedule"][0], "name": "fusion", "train": ["fusion", "head"]}
    system = {"branches": branches, "fusion": "concat", "head": "perceptron"}
    return {"system": system, "input": INPUT, "schedule": [phase]}


def describe_suite() -> dict[str, Any]:
    """Two networks, their fusion, and a classical system, on two sizes of one dataset."""
    return {
        "name": "tiny",
        "title": "Does it work?",
        "description": "A small suite.",
        "compare_with": "alone",
        "seeds": [0, 1],
        "by": "dose_electrons",
        "datasets": {
            "rings": {
                "recipe": "rings",
                "train": {"samples": 64, "seed": 1, "validation_share": 0.25, "sizes": [32, 64]},
                "test": {"samples": 48, "seed": 2},
            }
        },
        "systems": {
            "fused": {
                "title": "Both, joined",
                "experiment": fused(),
                "starts_from": {
                    "classifier": "alone#classifier",
                    "regressor": "alone#classifier@rings",
                },
            },
            "alone": {"experiment": one_branch("softmax")},
        },
        "budgets": {
            "quick": {},
            "one": {"seeds": [0], "datasets": {"rings": {"train": {"sizes": None}}}},
        },
    }


@pytest.fixture(scope="session")
def make_suite() -> Callable[[], dict[str, Any]]:
    return lambda: copy.deepcopy(describe_suite())


@pytest.fixture(scope="session")
def make_branch() -> Callable[..., dict[str, Any]]:
    return one_branch


@pytest.fixture
def suite_data(make_suite: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return make_suite()


@pytest.fixture(scope="session")
def selection(tmp_path_factory: pytest.TempPathFactory) -> PluginSelection:
    """The selection that loads the source, its recipe, and the networks."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "rings_plugin.py").write_text(PLUGIN)
    (folder / "rings.yaml").write_text("# Rings.\nname: rings\nsamples: 8\nseed: 0\n")
    (folder / "tiny.yaml").write_text("# Rings, told apart.\n" + yaml.safe_dump(describe_suite()))
    return PluginSelection((folder / "rings_plugin.py",))


@pytest.fixture(scope="session")
def rings(selection: PluginSelection) -> Catalogue:
    """A catalogue with the source."""
    return Catalogue.load(selection)


@pytest.fixture(scope="session")
def command(selection: PluginSelection, start_python: Callable[..., Any]) -> Callable[..., Any]:
    """Starts `crystalvision` as a process of its own."""

    def start(*arguments: object) -> Any:
        line = ["-m", "crystalvision", "-p", selection.files[0], *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return start_python([str(part) for part in line], **pipes)

    return start


class Quiet:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.ended: list[tuple[str, str]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    @contextmanager
    def step(self, what: str, total: int) -> Iterator[Callable[[int], object]]:
        del what, total
        yield lambda _count: None

    def cells_begin(self, total: int, done: int) -> None:
        self.notes.append(f"{done} of {total} done")

    def cell_reports(self, key: object, text: str) -> None:
        """What runs now is not kept."""

    def cell_ended(self, key: object, outcome: Outcome) -> None:
        self.ended.append((str(key), outcome.status))

    def cells_end(self) -> None:
        """Nothing ends here."""


class InThisProcess:
    """Runs each cell at once, where a debugger can follow; a process for each takes seconds."""

    room = 1

    def submit(self, job: Job, on_message: Callable[[dict[str, Any]], None]) -> "Future[Outcome]":
        future: Future[Outcome] = Future()
        before = Path.cwd()
        try:
            do(job, on_message)
            future.set_result(Outcome(status="ok"))
        except Exception as error:  # a plugin may raise anything, and must end no other cell
            future.set_result(outcome_of(error))
        finally:
            os.chdir(before)
        return future

    def stop(self) -> None:
        """Nothing runs on."""


@pytest.fixture(scope="session")
def make_watcher() -> type[Quiet]:
    return Quiet


@pytest.fixture
def quiet() -> Quiet:
    return Quiet()


@pytest.fixture(scope="session")
def bench(selection: PluginSelection, rings: Catalogue) -> Callable[..., list[ResultRow]]:
    """Runs a suite in this process."""

    def run(data: dict[str, Any], folder: Path, watcher: Quiet, **settings: Any) -> list[ResultRow]:
        file = folder.with_suffix(".yaml")
        file.write_text(yaml.safe_dump({"budgets": {"quick": {}}, **data}))
        suite = load_suite(file, "quick")
        planned = plan_benchmark(suite, rings, selection, device="cpu", watcher=watcher)
        return run_benchmark(
            planned,
            folder,
            rings,
            selection,
            settings=Settings(**settings),
            watcher=watcher,
            where=lambda _settings: nullcontext(InThisProcess()),
        )

    return run


@pytest.fixture
def make_cell_job(selection: PluginSelection, rings: Catalogue, quiet: Quiet) -> Callable[..., Job]:
    """The job of a single cell, with its datasets made."""

    def make(folder: Path, epochs: int = 2, **options: object) -> Job:
        data = describe_suite()
        del data["by"], data["budgets"]
        data["datasets"]["rings"]["train"]["sizes"] = []
        data["systems"] = {"alone": {"experiment": one_branch("softmax", epochs, **options)}}
        suite = Suite.model_validate({**data, "seeds": [0]})
        planned = plan_benchmark(suite, rings, selection, device="cpu", watcher=quiet)
        place = BenchmarkFolder(folder)
        for made in planned.sources.values():
            plan = suite.datasets["rings"]
            make_dataset(made, place, plan, cluster=None, advance=lambda _count: None)
        (cell,) = planned.cells
        return job_of(
            planned.suite, cell, place, device="cpu", selection=selection, command=("test",)
        )

    return make
