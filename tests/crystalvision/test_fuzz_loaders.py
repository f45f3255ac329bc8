"""Mutated YAML and headers: an error of the toolkit's own or a value, in little time and memory."""

import json
import resource
import time

import numpy as np
import pytest

from crystalvision.datasets import Dataset
from crystalvision.errors import CrystalVisionError
from crystalvision.yaml_text import parse_yaml

TEXT = """name: salt
description: "a text: with # signs"
samples: 100
classes: &classes
- {name: none, severity: 0.0, defects: []}
- {name: some, severity: 1e-1, defects: [{name: vacancy, fraction: {uniform: [0.01, 0.1]}}]}
again: *classes
beam: {<<: {energy_kev: 200}, mistilt_mrad: -1.5}
"""
PIECES = (
    *("&a ", "*a ", "*classes", "<<: ", "!!binary ", "!!python/none ", "!!set ", "? ", "- ", ": "),
    *("{", "}", "[", "]", "|", ">", "'", '"', "\t", "\0", "\ufeff", "\n", "---\n", "%YAML 2.0\n"),
    *("1e400", "0x_", "9" * 5000, ".nan", "2020-01-01", "1:30", "no", "[" * 3000, "- " * 3000),
    *("\ud800", "\u2028", "é", "#", "...", "@", "`", "~"),
)
NUMBERS = (0, -1, 10**12, 10**30, 1e308, -0.5, True, None, "x", [], {}, [10**9] * 3, "float128")


def mutated(text, rng):
    for _ in range(rng.integers(1, 5)):
        place = int(rng.integers(len(text) + 1))
        piece = PIECES[rng.integers(len(PIECES))]
        cut = int(rng.integers(0, 12)) if rng.random() < 0.5 else 0
        text = text[:place] + (piece if rng.random() < 0.8 else "") + text[place + cut :]
    return text


def mutate_value(value, rng):
    """Another value at one place of a document."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = list(value)[rng.integers(len(value))]
        return {**value, key: mutate_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        index = int(rng.integers(len(value)))
        return [*value[:index], mutate_value(value[index], rng), *value[index + 1 :]]
    return NUMBERS[rng.integers(len(NUMBERS))]


def check(work):
    start = time.perf_counter()
    try:
        work()
    except CrystalVisionError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
    assert time.perf_counter() - start < 5


def check_yaml(count, seed):
    rng = np.random.default_rng(seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(count):
        text = mutated(TEXT, rng)
        check(lambda text=text: parse_yaml(text, "x.yaml"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # KiB


def check_headers(path, count, seed):
    from crystalvision.datasets._header import digest

    rng = np.random.default_rng(seed)
    documents = {name: (path / name).read_text() for name in ("zarr.json", "crystalvision.json")}
    root = json.loads(documents["zarr.json"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        changed = json.loads(documents["zarr.json"])
        ours = changed["attributes"]["crystalvision"]
        if number % 3:
            ours["header"] = mutate_value(ours["header"], rng)
            ours["sha256"] = digest(ours["header"])
        else:
            changed = mutate_value(root, rng)
        text = json.dumps(changed)
        if number % 5 == 0:
            text = mutated(text, rng)
        content = text.encode("utf-8", "surrogatepass")
        (path / "zarr.json").write_bytes(content)
        (path / "crystalvision.json").write_bytes(json.dumps(ours).encode())

        def open_all():
            dataset = Dataset.open(path, allow_incomplete=True)
            dataset.column("label")
            dataset.images([0])

        check(open_all)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # KiB


@pytest.fixture
def small_dataset(make_dataset, tmp_path):
    return make_dataset(tmp_path / "small.zarr", samples=8, size=8)


def test_mutated_yaml():
    check_yaml(1000, seed=0)


def test_mutated_headers(small_dataset):
    check_headers(small_dataset, 200, seed=0)


@pytest.mark.slow
def test_very_many_mutations(small_dataset):
    check_yaml(8000, seed=1)
    check_headers(small_dataset, 2000, seed=1)
