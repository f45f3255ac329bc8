"""The commands on a page that make a benchmark again."""

from dataclasses import replace

import pytest

from crystalvision.benchmarks.report import _reproduce as again
from crystalvision.benchmarks.report._load import load_benchmark


@pytest.fixture(scope="module")
def benchmark(dose_folder):
    return load_benchmark(dose_folder)


def test_commands_load_the_plugins_that_the_benchmark_had(benchmark):
    command = ["/usr/bin/crystalvision", "-p", "mine.py", "benchmark", "dose", "-o", "benchmark"]
    benchmark = replace(benchmark, environment={"command": command})
    assert again.whole_command(benchmark).startswith("crystalvision -p mine.py benchmark dose")
    lines = again.dataset_commands(benchmark).splitlines()
    assert {line.split()[0] for line in lines} == {"crystalvision", "cp"}
    lines += again.systems_again(benchmark)[0].commands.splitlines()
    assert all(line.startswith(("crystalvision -p mine.py ", "cp -r ")) for line in lines)
    assert not any("--device" in line for line in lines)
    assert again.preparation(benchmark) == "export OMP_NUM_THREADS=1"


def test_commands_run_where_the_benchmark_did(benchmark):
    benchmark = replace(benchmark, environment={"device": "cuda"})
    lines = again.dataset_commands(benchmark).splitlines()
    lines += again.systems_again(benchmark)[0].commands.splitlines()
    for line in lines:
        works = line.split()[1] in {"simulate", "train", "evaluate"}
        assert line.endswith(" --device cuda") == works, line
    assert again.preparation(benchmark) == ""


def test_parts_of_the_training_data_are_made_again(benchmark):
    lines = again.dataset_commands(benchmark).splitlines()
    assert "cp -r datasets/beta-train.zarr datasets/beta-train-400.zarr" in lines
    part = "crystalvision dataset split datasets/beta-train-400.zarr --validation 0.1 --test 0.5"
    assert part in lines
