"""`crystalvision dataset card`, and the cards that other commands write."""

import json
import re

import pytest

from crystalvision.cli import main
from crystalvision.datasets import Dataset, verify


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs a command line; its status, stdout and stderr."""
    monkeypatch.delenv("CRYSTALVISION_PLUGINS", raising=False)

    def run(*words):
        status = main([str(word) for word in words])
        return status, *capsys.readouterr()

    return run


def text_of(path):
    return (path / "README.md").read_text(encoding="utf-8")


def test_the_command_writes_the_card_and_says_what_is_missing(run, salt):
    status, out, err = run("dataset", "card", salt)
    assert (status, out) == (0, f"{salt}: card.png, croissant.json, README.md\n")
    assert err == (
        "not stated: licence, creator, published; before you publish, give --licence, --creator, "
        "--published\n"
    )
    facts = ("--license", "MIT", "--creator", "Ada", "--creator", "Grace")
    assert run("dataset", "card", salt, *facts, "--published", "2026-05-31")[2] == ""
    assert "Ada, Grace." in text_of(salt)


def test_json_of_the_command(run, salt):
    status, out, err = run("dataset", "card", salt, "--licence", "mit", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert told["licence"] == "MIT"
    assert told["files"] == ["card.png", "croissant.json", "README.md"]
    assert told["not_stated"] == ["creator", "published"]


def test_a_wrong_licence_is_one_line_and_writes_nothing(run, salt):
    status, out, err = run("dataset", "card", salt, "--licence", "MIT licence")
    assert (status, out) == (2, "")
    assert err.startswith("error: dataset card: licence='MIT licence': no SPDX identifier")
    assert err.count("\n") == 1
    assert not (salt / "README.md").exists()


def test_a_split_writes_the_card_again_if_there_is_one(run, salt):
    assert run("dataset", "split", salt)[0] == 0
    assert not (salt / "README.md").exists()
    run("dataset", "card", salt, "--licence", "MIT")
    assert "| *all* |  | 28 | 4 | 8 | 40 |" in text_of(salt)
    assert run("dataset", "split", salt, "--test", "0.5")[0] == 0
    assert "| *all* |  | 16 | 4 | 20 | 40 |" in text_of(salt)
    assert "[MIT]" in text_of(salt)


def test_a_card_that_cannot_be_written_is_a_warning(run, salt):
    run("dataset", "card", salt)
    file = salt / "README.md"
    file.write_text(text_of(salt).replace("viewer: false", "viewer: ["))
    status, out, err = run("dataset", "split", salt, "--test", "0.5")
    assert status == 0
    assert "test 20" in out
    assert err.startswith("warning: the dataset is whole, but its card could not be written: ")
    assert err.count("\n") == 1


SMALL = (
    *("--samples", "4", "--set", "specimen.width_angstrom=16", "--set", "instrument.pixels=32"),
    *("--set", "specimen.thickness_angstrom=6", "--set", "renderer.band_limit_inv_angstrom=0.9"),
    *("--set", "instrument.pixel_size_inv_angstrom=0.045"),
)


def test_a_simulated_dataset_has_a_card_from_which_it_is_made_again(run, tmp_path):
    first, second = tmp_path / "first.zarr", tmp_path / "second.zarr"
    assert run("simulate", "si3n4-four-classes", "-o", first, *SMALL)[0] == 0
    text = text_of(first)
    assert "none was measured" in text
    assert verify(first) == []
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1], encoding="utf-8")
    assert run("simulate", recipe, "-o", second, "--no-card")[0] == 0
    assert Dataset.open(second).identity == Dataset.open(first).identity
    assert not (second / "README.md").exists()


def test_a_simulation_outlives_its_card(run, tmp_path, monkeypatch):
    def fail(_path):
        raise RuntimeError("no\nfonts")

    monkeypatch.setattr("crystalvision.cards.write_card", fail)
    path = tmp_path / "data.zarr"
    status, _, err = run("simulate", "si3n4-four-classes", "-o", path, *SMALL)
    assert status == 0
    assert "could not be written: no fonts" in err
