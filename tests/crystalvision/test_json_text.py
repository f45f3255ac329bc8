"""JSON from elsewhere is read within limits."""

import ast
from pathlib import Path

import pytest

import crystalvision
from crystalvision.json_text import parse_json

ROOT = Path(crystalvision.__file__).parents[1]
# Files of the package itself, pipes between its own processes, and copies made in memory.
_OWN = {
    "crystalvision/json_text.py",
    "crystalvision/benchmarks/_process.py",
    "crystalvision/runs/_unfinished.py",
    "crystalvision/runs/_worker.py",
    "crystalvision/sources/_spec.py",
    "simulate/crystalvision_simulate/powder/_prototypes.py",
    "simulate/crystalvision_simulate/structures/prototypes.py",
}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[" * 200_000, "nested more than 100 deep"),
        ('{"a":' * 200_000, "nested more than 100 deep"),
        ("1" * 5000, "has more than 40 digits"),
        ("[NaN]", "NaN is no number of JSON"),
        ("[-Infinity]", "-Infinity is no number of JSON"),
        ("1e999", "beyond the largest"),
        ('{"a": 1, "a": 2}', "the key 'a' is given twice"),
        (b"\xff", "utf-8"),
        (b" " * (17 * 2**20), "more than 16 MiB"),
        ("", "Expecting value"),
    ],
)
def test_what_is_refused(text, error):
    with pytest.raises(ValueError, match=error):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, true, "[[[\\"{"]}', {"a": [1, 2.5, None, True, '[[["{']}),
        ("\ufeff1", 1),
        ("[" * 90 + "]" * 90, None),
    ],
)
def test_what_is_read(text, value):
    found = parse_json(text)
    assert value is None or found == value


def test_nothing_from_elsewhere_is_read_otherwise():
    reading = {
        path.relative_to(ROOT).as_posix()
        for folder in ("crystalvision", "plugins", "simulate")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("loads", "load")
        and isinstance(node.value, ast.Name)
        and node.value.id == "json"
    }
    assert reading == _OWN
