"""`crystalvision simulate`: what a user types, what goes wrong, and what survives a kill."""

import json
import os
import random
import signal
import subprocess
import time

import numpy as np
import pytest

from crystalvision.cli import main
from crystalvision.datasets import Dataset, verify
from crystalvision_simulate.caveats import caveats_of

RECIPE = "si3n4-four-classes"


@pytest.fixture(scope="module")
def small_settings(small_settings):
    """Without a card, which takes longer than the data; it has tests of its own."""
    return ["--no-card", *small_settings]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, small_settings):
    """A dataset made in one go."""
    path = tmp_path_factory.mktemp("whole") / "data.zarr"
    assert main(["simulate", RECIPE, "-o", str(path), *small_settings]) == 0
    return path


def same_data(one, other):
    first, second = Dataset.open(one), Dataset.open(other)
    assert first.identity == second.identity
    everything = np.arange(len(first))
    assert np.array_equal(first.images(everything), second.images(everything))
    for name in first.header.columns:
        assert np.array_equal(first.column(name), second.column(name)), name
    for part in ("train", "validation", "test"):
        assert np.array_equal(first.split(part), second.split(part))


def test_a_dataset_is_whole_and_described(whole):
    dataset = Dataset.open(whole)
    assert verify(whole) == []
    assert dataset.images([0]).shape == (1, 1, 32, 32)
    assert dataset.header.name == RECIPE
    assert len(dataset.header.provenance.drawn_from) == 64
    assert dataset.header.axes[0].offset == pytest.approx(-16 * 0.045)
    assert dataset.header.columns["mistilt_mrad"].units == "mrad"
    assert dataset.header.columns["thickness_angstrom"].units == "angstrom"


def test_a_dataset_says_what_simulation_leaves_out(whole, catalogue):
    header = Dataset.open(whole).header
    assert header.synthetic
    assert header.provenance.command == "crystalvision simulate recipe.yaml"
    assert any("none was measured" in text for text in header.caveats)
    assert not any("without noise" in text for text in header.caveats)
    clean = catalogue.create("instrument", "area-detector", {"kind": "ideal"})
    assert "without noise" in caveats_of(clean)[-1]


def test_json_describes_the_dataset(tmp_path, small_settings, capsys):
    path = tmp_path / "data.zarr"
    words = ["simulate", RECIPE, "-o", str(path), *small_settings, "--samples", "6", "--json"]
    assert main(words) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["samples"] == 6


def test_a_sample_alone_equals_the_datasets(whole, small_recipe, catalogue):
    from crystalvision_simulate.simulator import Simulator

    dataset = Dataset.open(whole)
    simulator = Simulator(small_recipe, catalogue)
    for index in (0, 17, 39):
        sample = simulator.sample(index)
        assert np.array_equal(dataset.images([index])[0], sample.image)
        assert dataset.column("label")[index] == sample.columns["label"]
        assert dataset.column("rotation_deg")[index] == np.float32(sample.columns["rotation_deg"])


def test_one_core_and_two_make_the_same(whole, tmp_path, small_settings, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    path = tmp_path / "data.zarr"
    assert main(["simulate", RECIPE, "-o", str(path), *small_settings]) == 0
    same_data(path, whole)


def error_of(words, capsys, status=2):
    assert main(words) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = [line for line in captured.err.splitlines() if line]
    assert lines[0].startswith("error: ")
    assert "Traceback" not in captured.err
    return " ".join(lines)


def test_a_place_that_is_taken_is_refused(whole, small_settings, capsys):
    before = Dataset.open(whole).images([0])
    text = error_of(["simulate", RECIPE, "-o", str(whole), *small_settings], capsys)
    assert "--resume" in text
    assert "--overwrite" in text
    assert np.array_equal(Dataset.open(whole).images([0]), before)


def test_another_recipe_cannot_resume(whole, small_settings, capsys):
    words = ["simulate", RECIPE, "-o", str(whole), *small_settings, "--resume", "--seed", "9"]
    assert "seed" in error_of(words, capsys)


def test_resuming_a_whole_dataset_changes_nothing(whole, tmp_path, small_settings):
    stamp = max(path.stat().st_mtime_ns for path in whole.glob("images/c/*/0/0/0"))
    assert main(["simulate", RECIPE, "-o", str(whole), *small_settings, "--resume"]) == 0
    assert stamp == max(path.stat().st_mtime_ns for path in whole.glob("images/c/*/0/0/0"))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["nacl"], "no recipe is called 'nacl'"),
        ([RECIPE, "--set", "dose=5"], "unknown key 'dose'"),
        ([RECIPE, "--set", "instrument.dose_electrons=-1"], "dose_electrons is -1"),
        ([RECIPE, "--set", "classes.3.defects.0.fraction=1.2"], "fraction is 1.2"),
        ([RECIPE, "--set", "samples"], "--set samples: expected key=value"),
        (
            [RECIPE, "--samples", "0"],
            "'--samples': Input should be greater than or equal to 1, not 0",
        ),
        ([RECIPE, "--device", "tpu"], "--device tpu: expected cpu, cuda or auto"),
        ([RECIPE, "--resume", "--overwrite"], "--resume and --overwrite exclude each other"),
    ],
)
def test_bad_input_costs_one_line_and_writes_nothing(words, text, tmp_path, capsys):
    path = tmp_path / "data.zarr"
    assert text in error_of(["simulate", *words, "-o", str(path)], capsys)
    assert not path.exists()


def test_the_path_of_a_file_in_place_of_a_structures_name(tmp_path, capsys):
    path = tmp_path / "al.cif"
    path.write_text("data_al\n")
    words = ["simulate", RECIPE, "-o", str(tmp_path / "d.zarr"), "--set", f"structure={path}"]
    message = error_of(words, capsys)
    assert "is a file, where the name of a structure is expected" in message
    assert f"write {{name: file, path: {path}}}" in message


def test_a_cif_that_does_not_parse(tmp_path, capsys):
    cif = tmp_path / "broken.cif"
    cif.write_text("this is no CIF\n")
    words = ["simulate", RECIPE, "-o", str(tmp_path / "d.zarr")]
    words += ["--set", f"structure={{name: cif, path: '{cif}'}}"]
    assert "broken.cif: not a CIF file with a crystal structure" in error_of(words, capsys)


def test_what_only_one_class_shows_to_be_wrong_is_known_before_anything_is_written(
    tmp_path, small_settings, capsys
):
    path = tmp_path / "data.zarr"
    words = ["simulate", RECIPE, "-o", str(path), *small_settings]
    words += ["--set", "classes.3.defects.0.element=Fe"]
    assert "the crystal has no Fe atoms to remove" in error_of(words, capsys)
    assert not path.exists()


def test_a_folder_that_has_the_name_of_a_recipe_is_not_taken_for_one(
    tmp_path, small_settings, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = ["simulate", RECIPE, "-o", RECIPE, *small_settings, "--samples", "4"]
    assert main(words) == 0
    assert main([*words, "--resume"]) == 0


def test_a_run_is_not_judged_on_specimens_that_it_may_have_been_trained_on(
    whole, tmp_path, small_settings, capsys
):
    run, longer, other = (tmp_path / name for name in ("run", "longer.zarr", "other.zarr"))
    tiny = ["--set", "system.branches.classifier.backbone=dnsnet-tiny", "--set", "input.bin.size=1"]
    once = ["--set", "schedule.classifier.epochs=1"]
    assert main(["train", "single", "-d", str(whole), "-o", str(run), *tiny, *once]) == 0
    more = ["simulate", RECIPE, *small_settings, "--samples", "44"]
    assert main([*more, "-o", str(longer)]) == 0
    assert main([*more, "-o", str(other), "--seed", "1"]) == 0
    capsys.readouterr()
    text = error_of(["evaluate", str(run), "-d", str(longer)], capsys)
    assert "was made with the seed that the training data had (0)" in text
    assert main(["evaluate", str(run), "-d", str(other)]) == 0


def test_an_output_that_cannot_be_written(tmp_path, small_settings, capsys):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "data.zarr"
    assert main(["simulate", RECIPE, "-o", str(path), *small_settings]) in {1, 2}
    captured = capsys.readouterr().err
    assert captured.startswith("error: ")
    assert str(path.parent) in captured.replace("\n", "")


@pytest.fixture
def run(start_python):
    """Starts the command."""

    def run(path, settings, *more):
        words = ["-m", "crystalvision", "simulate", RECIPE, "-o", str(path), *settings, *more]
        return start_python(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    return run


MANY = ("--samples", "600", "--set", "instrument.dose_electrons=2000")


@pytest.fixture(scope="module")
def many(tmp_path_factory, small_settings):
    path = tmp_path_factory.mktemp("many") / "data.zarr"
    assert main(["simulate", RECIPE, "-o", str(path), *small_settings, *MANY]) == 0
    return path


def wait_for_shards(path, count, process):
    patience = time.monotonic() + 300  # a machine that does much else takes a minute to start
    while time.monotonic() < patience:
        if sum(1 for file in path.glob("images/c/*/0/0/0")) >= count or process.poll() is not None:
            return
        time.sleep(0.01)
    process.kill()
    process.communicate()
    raise AssertionError("no shard was written")


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_it_is_the_same(run, many, tmp_path, small_settings):
    path = tmp_path / "data.zarr"
    chance = random.Random(0)
    for round_ in range(3):
        process = run(path, small_settings, *MANY, *(["--resume"] if round_ else []))
        wait_for_shards(path, round_ + 1, process)
        time.sleep(chance.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert verify(path) != []
    assert main(["simulate", RECIPE, "-o", str(path), *small_settings, *MANY, "--resume"]) == 0
    assert verify(path) == []
    same_data(path, many)


def test_ctrl_c_leaves_nothing_that_passes_for_whole(run, many, tmp_path, small_settings):
    path = tmp_path / "data.zarr"
    process = run(path, small_settings, *MANY)
    wait_for_shards(path, 1, process)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in text
    assert "--resume" in text
    problems = verify(path)
    assert problems
    assert not list(path.rglob("*.partial"))
    assert main(["simulate", RECIPE, "-o", str(path), *small_settings, *MANY, "--resume"]) == 0
    same_data(path, many)


def test_a_worker_makes_the_same_data(whole, tmp_path, small_settings):
    path = tmp_path / "data.zarr"
    words = ["simulate", RECIPE, "-o", str(path), *small_settings, "--workers", "1"]
    assert main(words) == 0
    same_data(path, whole)


def test_workers_and_a_scheduler_exclude_each_other(tmp_path, small_settings, capsys):
    words = ["simulate", RECIPE, "-o", str(tmp_path / "d.zarr"), *small_settings]
    assert main([*words, "--workers", "2", "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert "--workers and --scheduler exclude each other" in capsys.readouterr().err
    assert main([*words, "--workers", "0"]) == 2
    assert (
        "'--workers' / '-w': Input should be greater than or equal to 1, not 0"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "d.zarr").exists()


def test_what_was_assumed_of_a_crystal_is_told_and_kept(tmp_path, small_settings, capsys):
    poscar, path = tmp_path / "POSCAR", tmp_path / "data.zarr"
    poscar.write_text(
        "Al\n4.05\n1 0 0\n0 1 0\n0 0 1\n4\nDirect\n0 0 0\n0 .5 .5\n.5 0 .5\n.5 .5 0\n"
    )
    words = ["simulate", RECIPE, "-o", str(path), *small_settings, "--samples", "4", "--card"]
    assert main([*words, "--set", f"structure={{name: file, path: '{poscar}'}}"]) == 0
    assumed = "elements Al are from the first line; line 6 names none, as in VASP 4"
    assert f"note: Al: {assumed}" in " ".join(capsys.readouterr().err.split())
    (facts,) = Dataset.open(path).header.crystals
    assert (facts.formula, facts.atoms, facts.space_group) == ("Al", 4, "Fm-3m (225)")
    assert facts.assumed == (assumed,)
    assert main(["dataset", "info", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["crystals"][0]["assumed"] == [assumed]
    assert main(["dataset", "info", str(path)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "crystal Al, 4 atoms in the cell, Fm-3m (225), 2.7 g/cm³" in told
    assert "Ideal crystal: Al, 4 atoms in the cell" in (path / "README.md").read_text("utf-8")


def test_a_dry_run_needs_no_output(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", RECIPE, "--dry-run"]) == 0
    assert "of memory and" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    assert main(["simulate", RECIPE]) == 2
    assert "-o is missing" in capsys.readouterr().err
