"""What is measured on a GPU: its words, what it keeps, and what it does where there is none."""

import json
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def check(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return import_module("gpu_check")


def test_sections_are_kept_with_the_machine_one_after_the_other(check, tmp_path):
    """A section each of rendering and of learning; CI runs all of them, small."""
    options = ["--tiny", "--device", "cpu", "--output", str(tmp_path)]
    assert check.main([*options, "--only", "rates,prediction,bound"]) == 0
    document = json.loads((tmp_path / "cpu.json").read_text())
    assert document["machine"]["versions"]["torch"] == version("torch")
    sections = document["sections"]
    assert list(sections) == ["rates", "prediction", "bound"]
    assert sections["rates"]["patterns_a_second"]["si3n4-four-classes"] > 0
    assert min(sections["prediction"]["images_per_second"].values()) > 0
    assert 0 < sections["bound"]["upper"] <= 1
    table = (tmp_path / "cpu.md").read_text()
    assert "Not a full run" in table
    assert "| patterns a second, si3n4-four-classes |" in table


def test_a_section_that_fails_leaves_the_others_be(check, tmp_path, monkeypatch, capsys):
    rendering = import_module("_gpu_check.rendering")

    def fail(_run):
        raise ArithmeticError("patterns differ from the CPU's by 1")

    monkeypatch.setattr(rendering, "parity", fail)
    options = ["--tiny", "--device", "cpu", "--output", str(tmp_path)]
    assert check.main([*options, "--only", "parity,rates"]) == 1
    sections = json.loads((tmp_path / "cpu.json").read_text())["sections"]
    assert sections["parity"]["failed"] == "ArithmeticError: patterns differ from the CPU's by 1"
    assert sections["rates"]["patterns_a_second"]
    assert check.main([*options, "--only", "rates", "--seconds", "0"]) == 0
    assert "left out, the time is up" in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_what_runs(check, tmp_path, capsys):
    assert check.main(["--output", str(tmp_path)]) == 2
    assert "torch sees no GPU here; --tiny --device cpu runs anywhere" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_wrong_words_are_named(check, capsys):
    with pytest.raises(SystemExit):
        check.main(["--only", "paritty"])
    assert "'paritty' is no section; expected some of parity, rates" in capsys.readouterr().err
