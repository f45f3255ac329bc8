"""A simulated dataset that was damaged is made whole again, bit for bit."""

import shutil

import pytest

from crystalvision.cli import main
from crystalvision.datasets import verify
from crystalvision.sources import repair


@pytest.fixture(scope="module")
def whole(tmp_path_factory, small_settings):
    path = tmp_path_factory.mktemp("whole") / "data.zarr"
    settings = [*small_settings, "--set", "samples=12"]
    assert main(["simulate", "si3n4-four-classes", "-o", str(path), *settings]) == 0
    return path


@pytest.fixture
def broken(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "data.zarr")


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


@pytest.mark.parametrize("name", ["images/c/0/0/0/0", "mistilt_mrad/c/0", "zarr.json", "q_y/c/0"])
def test_what_is_damaged_is_made_again(whole, broken, catalogue, name):
    flip(broken / name)
    assert verify(broken)
    done = repair(broken, catalogue=catalogue)
    assert not done.left
    assert contents(broken) == contents(whole)


def test_the_command_mends_and_says_so(whole, broken, capsys):
    flip(broken / "images/c/0/0/0/0")
    shutil.rmtree(broken / "label")
    assert main(["dataset", "verify", str(broken)]) == 1
    capsys.readouterr()
    assert main(["dataset", "repair", str(broken)]) == 0
    assert "0 left; 1 shard made again" in capsys.readouterr().out
    assert main(["dataset", "verify", str(broken)]) == 0
    before, after = contents(whole), contents(broken)
    for card in ("README.md", "card.png", "croissant.json"):  # the day of writing may differ
        before.pop(card, None)
        after.pop(card, None)
    assert after == before
