"""Numbers on the command line have ranges, and what is out of range is quoted."""

import pytest

from crystalvision.available_memory import check_processes
from crystalvision.cli import main
from crystalvision.errors import InputError
from crystalvision.training import Machine

_TRAIN = ["train", "single", "-d", "no.zarr", "-o", "run"]
_SIMULATE = ["simulate", "si3n4-four-classes", "-o", "new.zarr"]


@pytest.mark.parametrize(
    ("line", "option", "value"),
    [
        (_SIMULATE, "--workers", "1000000"),
        (_SIMULATE, "--workers", "0"),
        (_SIMULATE, "--samples", "-1"),
        (_SIMULATE, "--samples", "99999999999999999999"),
        (_SIMULATE, "--seed", "-1"),
        (_TRAIN, "--devices", "1000000"),
        (_TRAIN, "--nodes", "0"),
        (_TRAIN, "--accumulate", "-3"),
        (_TRAIN, "--seed", "-1"),
        (["evaluate", "run", "-d", "no.zarr"], "--resamples", "1000000000"),
        (["predict", "run", "x.png", "--uncertainty", "dropout"], "--passes", "1000000000"),
        (["dataset", "split", "no.zarr"], "--validation", "2"),
        (["benchmark", "fusion", "-o", "there"], "--workers", "1000000"),
        (["bound", "si3n4-four-classes"], "--samples", "1000000000"),
        (["bound", "si3n4-four-classes"], "--specimens", "1000000000"),
        (["plugins", "show", "backbone", "dnsnet"], "--batch", "1000000000"),
        (["show", "si3n4-four-classes"], "--seed", "-1"),
    ],
)
def test_a_number_out_of_range_is_one_line_that_quotes_it(line, option, value, capsys):
    assert main([*line, option, value]) == 2
    told = capsys.readouterr().err
    assert option in told
    assert value in told
    assert told.count("\n") == 1


@pytest.fixture
def ten_gigabytes(monkeypatch):
    monkeypatch.setattr(
        "crystalvision.available_memory.available_memory_bytes", lambda: 10_000_000_000
    )


@pytest.mark.usefixtures("ten_gigabytes")
def test_more_processes_than_the_memory_holds_are_refused():
    with pytest.raises(InputError, match=r"--workers 900: 900 processes .* ask for 28 at most"):
        check_processes(900, "--workers 900")
    check_processes(28, "--workers 28")
    with pytest.raises(InputError, match="--devices 900"):
        Machine(devices=900)
