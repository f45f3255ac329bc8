"""What commands write: JSON that any program reads, progress that only a person sees."""

import io
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from crystalvision import console


@dataclass
class Point:
    x: float
    where: Path


def printed(value, capsys):
    console.print_json(value)
    return json.loads(capsys.readouterr().out)


def test_json_holds_dataclasses_arrays_and_paths(capsys):
    value = {"p": Point(1.5, Path("a/b")), "a": np.arange(3), "n": np.float32(0.5), 3: (True, None)}
    assert printed(value, capsys) == {
        "p": {"x": 1.5, "where": "a/b"},
        "a": [0, 1, 2],
        "n": 0.5,
        "3": [True, None],
    }


def test_json_has_null_where_a_number_is_not_finite(capsys):
    value = [float("nan"), np.float64("inf"), np.array([np.nan, 1.0])]
    assert printed(value, capsys) == [None, None, [None, 1.0]]


def test_json_is_not_taken_for_markup_nor_wrapped(capsys):
    text = "[bold]:star: Å " + "x" * 300
    assert printed({"text": text}, capsys) == {"text": text}


@pytest.fixture
def terminal(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(console, "err", Console(file=stream, force_terminal=True, width=80))
    return stream


def test_progress_is_silent_without_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(console, "PROGRESS_DELAY_S", 0.0)
    with console.progress("Simulating", 3) as advance:
        advance()
        advance(2, note="three")
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_progress_is_not_drawn_for_short_work(terminal):
    with console.progress("Simulating", 3) as advance:
        advance()
    assert "Simulating" not in terminal.getvalue()


def test_progress_is_drawn_for_long_work(terminal, monkeypatch):
    monkeypatch.setattr(console, "PROGRESS_DELAY_S", 0.01)
    with console.progress("Simulating [100]", 3) as advance:
        advance(2, note="shard 7")
        time.sleep(0.3)
    assert "Simulating [100]" in terminal.getvalue()
    assert "2/3" in terminal.getvalue()
    assert "shard 7" in terminal.getvalue()


def test_progress_ends_with_an_error_inside(terminal, monkeypatch):
    monkeypatch.setattr(console, "PROGRESS_DELAY_S", 0.0)
    with pytest.raises(RuntimeError, match="boom"), console.progress("Simulating", None):
        raise RuntimeError("boom")
    with console.progress("Again", 1) as advance:
        advance()
