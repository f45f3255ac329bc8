"""Benchmark folders written by hand: systems of known accuracy, without a training."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crystalvision.benchmarks import BenchmarkFolder
from crystalvision.benchmarks._test_data import write_pattern_facts
from crystalvision.benchmarks.report import write_report

from .fake_answers import draw_test, write_test_data
from .fake_benchmark import FakeBenchmark, FakeSystem

BENCHMARKS = Path(__file__).parents[4] / "benchmarks" / "crystalvision_benchmarks"
PUBLISHED = BENCHMARKS / "published" / "alarfaj2022.json"


@pytest.fixture(scope="session")
def fusion_folder(tmp_path_factory, catalogue):
    """A benchmark of one comparison, with its report; tests that change it must copy it."""
    folder = tmp_path_factory.mktemp("benchmark") / "fusion"
    folder.mkdir()
    systems = {
        "classifier": FakeSystem(0.85, regression=False),
        "regressor": FakeSystem(0.7, parameters=9_000, epoch_seconds=0.8),
        "concat": FakeSystem(0.93, parameters=21_000, epoch_seconds=2.1),
        "gated-fusion-of-both-branches": FakeSystem(0.85, parameters=25_000, epoch_seconds=2.5),
        "bilinear": FakeSystem(0.9, failures={1: ("diverged", "the loss is not finite")}),
        "broken": FakeSystem(
            failures=dict.fromkeys(range(3), ("failed", "plugin 'mine' cannot be imported"))
        ),
    }
    plans = {name: {"title": name.replace("-", " "), "experiment": "quick"} for name in systems}
    plans["classifier"]["published"] = "dnsnet"
    plans["concat"]["published"] = "dnsnet+regression"
    claims = {
        "fusion helps": "concat",
        "a regressor alone is better": "regressor",
        "gating helps": "gated-fusion-of-both-branches",
        "what is broken is better": "broken",
    }
    fake = FakeBenchmark(
        folder,
        systems,
        systems=plans,
        published="alarfaj2022.json",
        compare_with="classifier",
        claims=[
            {"text": text, "system": name, "than": "classifier"} for text, name in claims.items()
        ],
    )
    test = draw_test(400)
    for name in systems:
        for seed in fake.suite.seeds:
            fake.run(name, seed, test)
    fake.bound("beta", [_point(None, 0.975)])
    shutil.copy(PUBLISHED, folder)
    write_report(fake.finish(), catalogue)
    return folder


@pytest.fixture(scope="session")
def dose_folder(tmp_path_factory, catalogue):
    """A benchmark along dose and training size, whose test has several patterns a specimen."""
    folder = tmp_path_factory.mktemp("benchmark") / "dose"
    folder.mkdir()
    doses = (1e3, 1e4, 1e5)
    systems = {
        "concat": FakeSystem({400: 0.6, **dict(zip(doses, (0.5, 0.75, 0.95), strict=True))}),
        "classifier": FakeSystem({400: 0.6, **dict(zip(doses, (0.45, 0.7, 0.9), strict=True))}),
    }
    fake = FakeBenchmark(folder, systems, by="dose_electrons")
    values = np.repeat(doses, 80)
    test = draw_test(240, values=values, specimen=np.arange(240) // 4)
    for name in systems:
        for size in (400, 800):
            for seed in fake.suite.seeds:
                fake.run(name, seed, test, train_patterns=size)
    fake.bound(
        "beta",
        # Values of a column of single precision are not quite the recipe's.
        [
            _point(dose * (1 + 1e-8), upper)
            for dose, upper in zip(doses, (0.7, 0.9, 0.99), strict=True)
        ],
        column="dose_electrons",
    )
    (folder / "datasets").mkdir()
    write_test_data(folder / "datasets" / "beta-test.zarr", test)
    write_pattern_facts(BenchmarkFolder(folder), "beta", "dose_electrons")
    write_report(fake.finish(), catalogue)
    return folder


def _point(value: float | None, upper: float) -> dict[str, Any]:
    return {
        "value": value,
        "upper": upper,
        "upper_low": upper - 0.01,
        "upper_high": min(1.0, upper + 0.01),
        "informed": upper - 0.03,
        "informed_low": upper - 0.04,
        "informed_high": upper - 0.02,
    }


@pytest.fixture(scope="session")
def fake_benchmark():
    """What writes a benchmark's folder."""
    return FakeBenchmark, FakeSystem, draw_test


@pytest.fixture(scope="session")
def fake_test_data():
    """What writes the dataset of a test, and what draws one."""
    return write_test_data, draw_test
