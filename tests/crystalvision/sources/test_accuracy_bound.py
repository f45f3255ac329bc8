"""The bound of a source: kept as JSON, checked when it is read, and not every source has one."""

import json

import pytest
from pydantic import ValidationError

from crystalvision.errors import InputError
from crystalvision.sources import AccuracyBound, BoundPoint

POINT = {"value": 1e3, "upper": 0.8, "upper_low": 0.7, "upper_high": 0.9}
BOUND = {
    "column": "dose_electrons",
    "points": [POINT],
    "patterns": 5,
    "specimens": 1,
    "class_names": ["none", "some"],
    "class_shares": [0.4, 0.6],
    "recipe": "mine",
    "recipe_sha256": "00",
    "seconds": 1.5,
}


def test_what_is_saved_is_read_again(tmp_path):
    informed = {"informed": 0.7, "informed_low": 0.6, "informed_high": 0.75}
    points = [POINT, {**POINT, "value": 1e4, **informed, "confusion": [[1, 0], [0.5, 0.5]]}]
    bound = AccuracyBound.model_validate({**BOUND, "points": points, "assumptions": ["a", "b"]})
    path = tmp_path / "deep" / "bound.json"
    bound.save(path)
    assert AccuracyBound.load(path) == bound
    assert json.loads(path.read_text())["points"][1]["informed"] == 0.7


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "holds no bound"),
        ("{}", "points: Field required"),
        (json.dumps({**BOUND, "points": [{**POINT, "upper": 2}]}), "points.0.upper"),
    ],
)
def test_a_file_that_holds_no_bound_is_refused(tmp_path, content, complaint):
    path = tmp_path / "bound.json"
    path.write_text(content)
    with pytest.raises(InputError, match=complaint) as error:
        AccuracyBound.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.json: no such file"):
        AccuracyBound.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    "change",
    [
        {"column": ""},
        {"points": [{**POINT, "value": None}]},
        {"class_shares": [1.0]},
        {"points": []},
    ],
)
def test_a_bound_that_contradicts_itself_is_refused(change):
    with pytest.raises(ValidationError):
        AccuracyBound.model_validate({**BOUND, **change})


@pytest.mark.parametrize(
    "change", [{"upper_low": 0.85}, {"informed": 0.5}, {"informed": 0.5, "informed_low": 0.6}]
)
def test_an_interval_holds_its_value(change):
    with pytest.raises(ValidationError):
        BoundPoint.model_validate({**POINT, **change})


def test_a_source_that_does_not_know_its_noise_has_none(numbers):
    assert numbers().open().accuracy_bound(patterns=5, specimens=2) is None
