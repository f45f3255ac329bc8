"""What the wheel holds: our packages with their data files, and nothing else."""

import zipfile
from configparser import ConfigParser

import pytest

PACKAGES = {
    "crystalvision": "crystalvision",
    "crystalvision_simulate": "simulate/crystalvision_simulate",
    "crystalvision_backbones": "plugins/crystalvision_backbones",
    "crystalvision_heads": "plugins/crystalvision_heads",
    "crystalvision_tasks": "plugins/crystalvision_tasks",
    "crystalvision_augmentation": "plugins/crystalvision_augmentation",
    "crystalvision_inputs": "plugins/crystalvision_inputs",
    "crystalvision_readers": "plugins/crystalvision_readers",
    "crystalvision_fusion": "plugins/crystalvision_fusion",
    "crystalvision_classical": "plugins/crystalvision_classical",
    "crystalvision_benchmarks": "benchmarks/crystalvision_benchmarks",
}


@pytest.fixture(scope="module")
def names(wheel) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_the_top_level_names_are_our_packages(names):
    top = {name.split("/")[0] for name in names}
    (information,) = [name for name in top if name.endswith(".dist-info")]
    assert top - {information} == set(PACKAGES)
    assert f"{information}/licenses/LICENSE" in names


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_a_package_travels(checkout, names, package):
    folder = checkout / PACKAGES[package]
    source = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert f"{package}/py.typed" in source
    assert {name for name in names if name.split("/")[0] == package} == source


def test_the_entry_points_are_our_plugins_and_the_program(wheel, names):
    (name,) = [name for name in names if name.endswith("/entry_points.txt")]
    with zipfile.ZipFile(wheel) as archive:
        parser = ConfigParser()
        parser.read_string(archive.read(name).decode())
    assert dict(parser["console_scripts"]) == {"crystalvision": "crystalvision.cli:main"}
    assert set(parser["crystalvision"]) == set(PACKAGES) - {"crystalvision"}
