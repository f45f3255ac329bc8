"""The benchmark of the simulation engine runs, and its results have what the README says."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "simulation.py"


def run(*words):
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), *words],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_tiny_run_writes_json_table_and_figure(tmp_path):
    words = ["--tiny", "--only", "accuracy,recipes", "--threads", "1", "--output", str(tmp_path)]
    done = run(*words)
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "cpu.json").read_text())
    assert set(document) == {"schema", "device", "sections"}
    assert list(document["sections"]) == ["accuracy", "recipes"]
    for section in document["sections"].values():
        assert set(section) >= {"settings", "machine", "command", "finished", "measured"}
    rings = document["sections"]["accuracy"]["measured"]["relative_error"]["ours, float32"]
    assert max(rings) <= 1e-4
    for recipe in document["sections"]["recipes"]["measured"].values():
        assert recipe["patterns_a_second"]["median"] > 0
        assert sum(recipe["stage_share"].values()) > 0.99
    assert "not a full run" in (tmp_path / "cpu.md").read_text().lower()
    assert (tmp_path / "cpu.png").read_bytes().startswith(b"\x89PNG")
    again = run(*words, "--resume")
    assert again.stdout.count("done before") == 2


def test_a_section_that_does_not_exist_is_named(tmp_path):
    done = run("--only", "multislize", "--output", str(tmp_path))
    assert done.returncode == 2
    assert "'multislize' is no section; expected some of accuracy, multislice" in done.stderr
