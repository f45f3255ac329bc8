"""A source that is no crystal at all goes through every command, and none speaks of crystals.

It is one file outside the core, `blobs.py` beside this one, loaded by `-p`.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crystalvision.cli import main
from crystalvision.datasets import Dataset

PLUGIN = Path(__file__).with_name("blobs.py")
RECIPE = "source: blobs\nname: blobs\nsamples: 96\nseed: 3\n"
EXPERIMENT = """
system:
  branches:
    counter: {backbone: dnsnet-tiny, head: softmax}
  fusion: none
input: [log1p, standardise]
schedule:
  - {name: counter, train: [counter], epochs: 3, batch_size: 16, learning_rate: 0.003,
     optimiser: adamw}
"""
SUITE = """
name: counting
title: Counting blobs
description: How well blobs are counted.
compare_with: counter
seeds: [0]
datasets:
  blobs:
    recipe: recipe.yaml
    train: {samples: 64, seed: 1}
    test: {samples: 48, seed: 2}
systems:
  counter: {experiment: experiment.yaml}
"""
FOREIGN = re.compile(r"crystal(?!vision)|electron|angstrom|Å|\bbeam\b|diffraction", re.IGNORECASE)

Command = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blobs")
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "experiment.yaml").write_text(EXPERIMENT)
    (folder / "suite.yaml").write_text(SUITE)
    return folder


@pytest.fixture
def command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Runs a command in the folder, and gives what it printed, of which no word is foreign."""
    monkeypatch.chdir(folder)

    def run(*arguments: str, status: int = 0) -> str:
        found = main(["-p", str(PLUGIN), *arguments])
        printed = capsys.readouterr()
        assert found == status, printed.err
        assert not FOREIGN.search(printed.out + printed.err)
        return printed.out + printed.err

    return run


@pytest.fixture
def data(folder: Path, command: Command) -> Path:
    path = folder / "data.zarr"
    if not path.exists():
        command("simulate", "recipe.yaml", "-o", "data.zarr")
    return path


@pytest.fixture
def run(folder: Path, data: Path, command: Command) -> Path:
    if not (folder / "run").exists():
        command("train", "experiment.yaml", "-d", "data.zarr", "-o", "run")
    return folder / "run"


def test_it_is_planned_made_by_workers_and_gone_on_with(folder, data, command):
    assert "cannot say what it takes" in command("simulate", "recipe.yaml", "--dry-run")
    command("simulate", "recipe.yaml", "-o", "workers.zarr", "--workers", "1")
    one, two = (Dataset.open(path) for path in (data, folder / "workers.zarr"))
    assert one.identity == two.identity
    assert (one.images(range(96)) == two.images(range(96))).all()
    shutil.rmtree(next((folder / "workers.zarr" / "images" / "c").iterdir()))
    command("simulate", "recipe.yaml", "-o", "workers.zarr", "--resume")
    assert (Dataset.open(folder / "workers.zarr").images(range(96)) == one.images(range(96))).all()


def test_what_its_recipe_may_say_is_its_own(command):
    said = command("simulate", "recipe.yaml", "--set", "photons=-1", "-o", "x.zarr", status=2)
    assert "photons=-1: Input should be greater than 0" in said
    said = command("simulate", "recipe.yaml", "--set", "width=1", "-o", "x.zarr", status=2)
    assert "width_um" in said


def test_it_is_repaired(folder, data, command):
    shutil.copytree(data, folder / "broken.zarr")
    shard = next(path for path in (folder / "broken.zarr/images").rglob("*") if path.is_file())
    shard.write_bytes(shard.read_bytes()[:-9])
    command("dataset", "verify", "broken.zarr", status=1)
    command("dataset", "repair", "broken.zarr")
    command("dataset", "verify", "broken.zarr")


def test_it_describes_itself(data, command):
    told = json.loads(command("dataset", "info", "data.zarr", "--json"))
    assert (told["recipe"], told["seed"]) == ("blobs", 3)
    assert "um" in command("dataset", "info", "data.zarr")
    command("dataset", "card", "data.zarr")
    card = (data / "README.md").read_text() + (data / "croissant.json").read_text()
    assert "source: blobs" in card
    assert not FOREIGN.search(card)


def test_a_run_on_it_is_judged_and_reported(folder, run, command):
    assert "accuracy" in command("evaluate", "run", "-d", "data.zarr")
    command("report", "run", "-o", "report.html")
    page = re.sub(r"data:image/[^\"')]*", "", (folder / "report.html").read_text())
    assert "blobs" in page
    assert not FOREIGN.search(page)
    assert not FOREIGN.search((run / "README.txt").read_text())


@pytest.mark.parametrize("changes", [(), ("--set", "photons=50"), ("--samples", "48")])
def test_the_seed_of_the_training_data_is_refused(folder, run, command, changes):
    command("simulate", "recipe.yaml", "-o", "same.zarr", "--overwrite", *changes)
    if changes:  # without, it is the training data, which are judged on their test split
        said = command("evaluate", "run", "-d", "same.zarr", status=2)
        assert "made with the seed that the training data had (3)" in said
        assert "simulate it with another --seed" in said
    command("simulate", "recipe.yaml", "-o", "other.zarr", "--overwrite", *changes, "--seed", "4")
    command("evaluate", "run", "-d", "other.zarr")


def test_no_merge_and_no_export_hides_it(folder, run, command):
    command("simulate", "recipe.yaml", "-o", "b.zarr", "--seed", "5", "--overwrite")
    command("simulate", "recipe.yaml", "-o", "c.zarr", "--overwrite", "--set", "photons=50")
    command("dataset", "merge", "b.zarr", "c.zarr", "-o", "merged.zarr", "--overwrite")
    assert "seed" in command("evaluate", "run", "-d", "merged.zarr", status=2)
    command("dataset", "export", "c.zarr", "--to", "png", "-o", "files")
    command("dataset", "import", "files", "-o", "back.zarr", "--overwrite")
    assert "seed" in command("evaluate", "run", "-d", "back.zarr", status=2)


def test_a_benchmark_of_it(folder, command):
    command("benchmark", "suite.yaml", "-o", "bench", "-w", "1")
    page = re.sub(r"data:image/[^\"')]*", "", (folder / "bench" / "report.html").read_text())
    assert not FOREIGN.search(page)
