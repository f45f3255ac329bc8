"""Shipped recipes make the samples that were recorded, bit for bit."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from crystalvision.plugins import Catalogue

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def shipped(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return import_module("shipped_samples")


@pytest.fixture
def recorded(shipped):
    record = json.loads(shipped.RECORD.read_text())
    if record["machine"] != shipped.machine():
        pytest.skip(f"recorded on {record['machine']}: elsewhere the last bits may differ")
    return record["samples"]


@pytest.mark.parametrize("name", ["si3n4-four-classes", "si3n4-fingerprint"])
def test_the_first_samples_are_as_recorded(name, shipped, recorded):
    assert shipped.checksums(name, Catalogue.load(), 3) == recorded[name][:3]


@pytest.mark.slow
def test_all_samples_are_as_recorded(shipped, recorded):
    catalogue = Catalogue.load()
    assert set(recorded) == set(catalogue.names("recipe"))
    for name, expected in recorded.items():
        assert shipped.checksums(name, catalogue) == expected, name
