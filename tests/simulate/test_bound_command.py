"""`crystalvision bound`: what a user types, what is printed, and what goes wrong."""

import json

import pytest

from crystalvision.cli import main
from crystalvision.sources import AccuracyBound

RECIPE = "si3n4-four-classes"


@pytest.fixture
def few(small_settings):
    return [*small_settings, "--samples", "3", "--specimens", "2"]


def test_a_table_by_dose_and_how_to_read_it(few, tmp_path, capsys):
    path = tmp_path / "bound.json"
    assert main(["bound", RECIPE, *few, "--doses", "1e3,1e9", "-o", str(path)]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert "4 classes, the most frequent 28.1% of the patterns" in lines[0]
    assert "dose_electrons" in lines[1]
    assert lines[2].split()[0] == "1000"
    assert lines[3].split()[:2] == ["1e+09", "1.000"]
    assert "No classifier" in shown.err
    kept = AccuracyBound.load(path)
    assert [point.value for point in kept.points] == [1e3, 1e9]
    assert (kept.patterns, kept.specimens) == (3, 2)


def test_one_number_without_a_choice_of_doses(few, capsys):
    assert main(["bound", RECIPE, *few[:-1], "1"]) == 0
    shown = capsys.readouterr()
    assert "upper bound" in shown.out
    assert "reference" not in shown.out + shown.err  # one specimen leaves none


def test_a_choice_of_doses_is_the_default_column(few, capsys):
    setting = "instrument.dose_electrons={choice: [1e3, 1e4]}"
    assert main(["bound", RECIPE, *few, "--set", setting, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["column"] == "dose_electrons"
    assert main(["bound", RECIPE, *few, "--set", setting, "--json", "--by", ""]) == 0
    assert json.loads(capsys.readouterr().out)["column"] == ""


def test_parts_of_the_nuisance_in_place_of_its_values(few, capsys):
    words = ["--untold", "rotation_deg,thickness_angstrom", "--parts", "8"]
    assert main(["bound", RECIPE, *few, *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["untold"], told["parts"]) == (["rotation_deg", "thickness_angstrom"], 8)
    assert main(["bound", RECIPE, *few, *words]) == 0
    assert "knows as much of the nuisance" in " ".join(capsys.readouterr().err.split())


def test_doses_take_the_place_of_a_dose_per_area(few, capsys):
    words = ["--set", "instrument.dose_electrons=null"]
    words += ["--set", "instrument.dose_electrons_per_angstrom2=10", "--doses", "1e4", "--json"]
    assert main(["bound", RECIPE, *few, *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [point["value"] for point in told["points"]] == [1e4]


@pytest.mark.parametrize(
    ("recipe", "words", "complaint"),
    [
        ("si3n4-fingerprint", [], "has no detector"),
        ("si3n4-fingerprint", ["--doses", "1e3"], "has no detector"),
        (RECIPE, ["--doses", "many"], "--doses many: expected numbers"),
        (RECIPE, ["--doses", "1e3,-5"], "dose_electrons is -5; expected more than 0"),
        (RECIPE, ["--by", "mistilt_mrad"], "needs single values"),
        (RECIPE, ["--by", "vacancy_fraction"], "no bound by 'vacancy_fraction'"),
        (RECIPE, ["--doses", "1e3", "--by", "energy"], "did you mean 'energy_kev'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(recipe, words, complaint, capsys):
    assert main(["bound", recipe, *words]) == 2
    error = capsys.readouterr().err
    assert complaint in " ".join(error.split())
    assert "Traceback" not in error


def test_a_file_that_is_there_stays(few, tmp_path, capsys):
    path = tmp_path / "bound.json"
    path.write_text("mine")
    assert main(["bound", RECIPE, *few, "-o", str(path)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert main(["bound", RECIPE, *few, "-o", str(path), "--overwrite"]) == 0
    AccuracyBound.load(path)
