"""Errors in descriptions name the place as it was written, and advise what is accepted."""

import re
from pathlib import Path
from typing import Annotated

import pytest
import yaml
from pydantic import BeforeValidator

from crystalvision.cli import main
from crystalvision.config import Config, apply_overrides, apply_settings, validate
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.training import Experiment, check_experiment
from crystalvision_simulate.recipes import Recipe, load_recipe


@pytest.fixture(scope="module")
def described() -> dict[str, object]:
    path = Catalogue.load().path("recipe", "si3n4-four-classes")
    return dict(yaml.safe_load(Path(path).read_text(encoding="utf-8")))


def error_of(described, *overrides) -> str:
    with pytest.raises(InputError) as caught:
        validate(Recipe, apply_overrides(described, overrides), "recipe.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("specimen.zone_axis", "0,0,1"),
        ("specimen.zone_axis", "0, 1, -1"),
        ("specimen.zone_axis", '"0 1 1"'),
        ("specimen.zone_axis", "{choice: '1,1,0'}"),
        ("classes.0.zone_axis", "(0,0,1)"),
        ("classes.0.defects", "vacancy"),
        ("classes.0.defects", "{name: vacancy, fraction: 0.1}"),
    ],
)
def test_a_list_that_is_advised_is_accepted(described, path, value):
    message = error_of(described, f"{path}={value}")
    advice = re.search(r"expected a list, such as (\[.*\])$", message)
    assert advice, message
    place = re.fullmatch(r"--set .*: (\S+?)(=.*)?: expected.*", message)
    assert place
    assert place[1].startswith(path)
    given = apply_overrides(described, [f"{path}={value}"])
    validate(Recipe, apply_overrides(given, [f"{place[1]}={advice[1]}"]), "recipe.yaml")


def test_the_advised_list_is_what_was_meant(described):
    message = error_of(described, "specimen.zone_axis=0,0,1")
    assert message.endswith("specimen.zone_axis='0,0,1': expected a list, such as [0, 0, 1]")


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ("specimen", "thicknes_angstrom", "90"),
        ("structure", "nam", "si3n4-beta"),
        ("classes.2", "severty", "0.5"),
        ("classes.1.structure", "nme", "si3n4-beta"),
        ("detector", "dose_electron", "100"),
        ("beam", "energy_kv", "300"),
    ],
)
def test_a_key_that_is_advised_is_accepted(described, path, key, value):
    base = apply_overrides(described, [f"{path}={{}}"] if "structure" in path else [])
    message = error_of(base, f"{path}.{key}={value}")
    assert f"unknown key '{path}.{key}'" in message
    advice = re.search(r"did you mean '(\w+)'\?", message)
    assert advice, message
    validate(Recipe, apply_overrides(base, [f"{path}.{advice[1]}={value}"]), "recipe.yaml")


def test_a_part_without_a_name_says_how_parts_are_written(described):
    message = error_of(described, "structure={file: x.cif}")
    assert ": structure: it has the keys file, but no `name`" in message
    for advice in ("file", "{name: file, path: x.cif}"):
        recipe = validate(
            Recipe, apply_overrides(described, [f"structure={advice}"]), "recipe.yaml"
        )
        assert recipe.structure[0].name == "file"
    message = error_of(described, "structure={path: x.cif}")
    assert "such as {name: NAME, path: …}" in message


@pytest.mark.parametrize(
    ("override", "place"),
    [
        ("specimen.zone_axis=[0,0]", "specimen.zone_axis: expected a longer list than [0, 0]"),
        ("specimen.zone_axis={choice: [[0,0]]}", "specimen.zone_axis.choice.0: expected a longer"),
        ("specimen.zone_axis=[0,0,x]", "specimen.zone_axis.2='x'"),
        ("specimen.thickness_angstrom=thin", "specimen.thickness_angstrom='thin'"),
        (
            "specimen.thickness_angstrom={unifrm: [1, 2]}",
            "specimen.thickness_angstrom: 'unifrm' is",
        ),
        ("classes.0.defects=[5]", "classes.0.defects.0=5: expected the name of a part"),
        ("classes.0.structure={choice: [{nam: a}]}", "'classes.0.structure.choice.0.nam'"),
        ("classes.0.defects.0={nam: vacancy}", "'classes.0.defects.0.nam'"),
        ("instrument.pixels=many", "instrument.pixels='many'"),
        ("structure=[{name: a}, {name: b}]", "structure: a list of several; to choose from them"),
    ],
)
def test_places_are_those_that_were_written(described, override, place):
    base = apply_overrides(described, ["classes.0.defects=[{}]"])
    message = error_of(base, override)
    assert message.startswith(f"--set {override}: "), message
    assert place in message


def test_a_single_value_that_becomes_a_list_has_no_number():
    class Step(Config):
        size: int

    class Walk(Config):
        steps: Annotated[tuple[Step, ...], BeforeValidator(lambda value: [value])]
        other: int | dict[str, list[float]] = 0

    with pytest.raises(InputError, match=r"^x: unknown key 'steps.siz'; did you mean 'size'\?"):
        validate(Walk, {"steps": {"siz": 3}}, "x")
    with pytest.raises(InputError, match=r"^x: steps.size='a': "):
        validate(Walk, {"steps": {"size": "a"}}, "x")
    with pytest.raises(InputError, match=r"^x: the key 'steps.size' is missing"):
        validate(Walk, {"steps": {}}, "x")
    with pytest.raises(InputError, match=r"^x: other='a': "):
        validate(Walk, {"steps": {"size": 1}, "other": "a"}, "x")
    with pytest.raises(InputError, match=r"^x: other.b.1='c': "):
        validate(Walk, {"steps": {"size": 1}, "other": {"b": [1, "c"]}}, "x")


def test_a_list_of_phases_is_counted_as_it_was_written(make_experiment):
    described = make_experiment()
    described["schedule"][1]["epoch"] = 3
    with pytest.raises(InputError, match=r"unknown key 'schedule.1.epoch'; did you mean 'epochs'"):
        check_experiment(described, "mine.yaml")
    described = make_experiment(augment={"nam": "dihedral"})
    with pytest.raises(InputError, match=r"mine.yaml: unknown key 'augment.nam'; did you mean"):
        check_experiment(described, "mine.yaml")


def test_a_changed_preset_is_blamed_where_it_was_changed(make_experiment):
    schedule = {"name": "quick", "classifier": {"epoch": 3}}
    described = make_experiment(schedule=schedule)
    with pytest.raises(InputError, match=r"mine.yaml: .*'schedule.classifier.epoch'.*'epochs'"):
        validate(Experiment, described, "mine.yaml")


def test_what_is_wrong_is_blamed_on_who_said_it(tmp_path, described):
    base, mine = tmp_path / "base.yaml", tmp_path / "mine.yaml"
    wrong = {**described, "beam": {"energy_kv": 200}}
    base.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    mine.write_text("extends: base.yaml\nsamples: 3\nbeam: {mistilt_mrad: 1}\n", encoding="utf-8")
    catalogue = Catalogue.load()
    with pytest.raises(InputError, match=rf"^{re.escape(str(base))}: unknown key 'beam.energy_kv'"):
        load_recipe(str(mine), catalogue)
    base.write_text(yaml.safe_dump(described), encoding="utf-8")
    with pytest.raises(InputError, match=r"^--set samples=none: samples='none'"):
        load_recipe(str(mine), catalogue, ["samples=none"])
    mine.write_text("extends: base.yaml\nsamples: false\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"^{re.escape(str(mine))}: samples=False"):
        load_recipe(str(mine), catalogue, ["seed=3"])
    data = apply_settings(described, {"samples": "x"}, "suite 's', system 'a'")
    with pytest.raises(InputError, match=r"^suite 's', system 'a', set samples: samples='x'"):
        validate(Recipe, data, "si3n4")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("./nowhere.py", "CRYSTALVISION_PLUGINS: nowhere.py: no such file"),
        ("no:nobody", "CRYSTALVISION_PLUGINS: no:nobody: no such plugin"),
        ("something", "CRYSTALVISION_PLUGINS: something: expected no:NAME"),
    ],
)
def test_plugins_of_the_environment_are_not_blamed_on_the_option(
    monkeypatch, value, message, capsys
):
    monkeypatch.setenv("CRYSTALVISION_PLUGINS", value)
    assert main(["plugins"]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    monkeypatch.delenv("CRYSTALVISION_PLUGINS")
    assert main(["-p", value, "plugins"]) == 2
    assert message.replace("CRYSTALVISION_PLUGINS: ", "-p ") in " ".join(
        capsys.readouterr().err.split()
    )
