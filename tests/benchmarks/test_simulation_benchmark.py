"""The benchmark of the simulation engine runs, and its results have what the README says."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[2] / "benchmarks"
PEERS = ("abtem", "diffsims")


def run(*words):
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(FOLDER / "simulation.py"), *words],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def part(monkeypatch):
    """Imports a module of the benchmark."""
    monkeypatch.syspath_prepend(FOLDER)
    return lambda name: import_module(f"_simulation.{name}")


@pytest.fixture
def tiny(part):
    return part("settings").Run(torch.device("cpu"), threads=1, size="tiny", seed=0)


@pytest.mark.slow
def test_a_tiny_run_writes_json_table_and_figure(tmp_path):
    done = run("--tiny", "--only", "recipes", "--threads", "1", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "cpu.json").read_text())
    assert set(document) == {"schema", "device", "sections"}
    assert list(document["sections"]) == ["recipes"]
    section = document["sections"]["recipes"]
    assert set(section) >= {"settings", "machine", "command", "finished", "measured"}
    for recipe in section["measured"].values():
        assert recipe["patterns_a_second"]["median"] > 0
        assert min(recipe["stage_share"].values()) > 0
    assert "not a full run" in (tmp_path / "cpu.md").read_text().lower()
    assert (tmp_path / "cpu.png").read_bytes().startswith(b"\x89PNG")


def test_a_section_is_kept_for_the_settings_that_it_was_measured_with(part, tiny, tmp_path):
    results = part("results")
    other = part("settings").Run(torch.device("cpu"), threads=2, size="tiny", seed=0)
    results.Results(tmp_path, tiny).add("memory", {"runs": []}, 1.0)
    assert results.Results(tmp_path, tiny).has("memory")
    assert not results.Results(tmp_path, tiny).has("growth")
    assert not results.Results(tmp_path, other).has("memory")


def test_our_structure_factors_meet_what_is_asked(part, tiny, monkeypatch):
    accuracy = part("accuracy")
    monkeypatch.setattr(accuracy, "missing", lambda *_: "left out")
    errors = accuracy.measure(tiny)["relative_error"]
    assert set(errors) == {"ours, float32", "ours, float64"}
    assert max(errors["ours, float32"]) <= 1e-4


def test_a_power_law_is_found(part):
    fit = part("timing").power_law([1, 2, 4], [3.0, 12.0, 48.0])
    assert fit["exponent"] == pytest.approx(2)
    assert fit["factor"] == pytest.approx(3)


def test_a_section_that_does_not_exist_is_named(tmp_path):
    done = run("--only", "multislize", "--output", str(tmp_path))
    assert done.returncode == 2
    assert "'multislize' is no section; expected some of accuracy, multislice" in done.stderr


@pytest.mark.slow
@pytest.mark.compare
def test_every_section_runs_beside_its_peers(tmp_path):
    for peer in PEERS:
        pytest.importorskip(peer)
    done = run("--tiny", "--skip", "recipes", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    sections = json.loads((tmp_path / "cpu.json").read_text())["sections"]
    assert list(sections) == ["accuracy", "multislice", "kinematic", "growth", "memory"]
    multislice = sections["multislice"]["measured"]
    for projection in ("infinite", "finite"):
        assert multislice[f"abtem_{projection}"]["abtem_over_ours"]["median"] > 0
    kinematic = sections["kinematic"]["measured"]
    assert kinematic["diffsims_reflections"]["microseconds_an_atom"] > 0
