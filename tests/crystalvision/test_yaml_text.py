"""YAML that is read: JSON's types, within limits, nothing guessed."""

import ast
import resource
import time
from pathlib import Path

import pytest

import crystalvision
from crystalvision.config import apply_overrides, load_yaml
from crystalvision.errors import InputError
from crystalvision.yaml_text import dump_yaml, parse_yaml

ROOT = Path(crystalvision.__file__).parents[1]
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (BOMB, r"line 6: more than 100000 values, aliases followed"),
        (f"a: &a {'y' * 100_000}\nb: [{'*a, ' * 60}]", "more than 4194304 characters"),
        ("y" * 5_000_000, r"5000000 characters of YAML; expected 4194304 at most"),
        ("a: &a [*a]", r"line 1: \*a lies within itself"),
        ("x: 1\na: &a {b: *a}", r"line 2: \*a lies within itself"),
        ("a: *b", r"\*b has no anchor &b above it"),
        ("[" * 100_000, "nest"),
        ("- " * 100_000, "nested more than 50 deep"),
        ("{a: " * 100_000, "nested more than 50 deep"),
        ("a: !!binary aGk=", r"the tag tag:yaml.org,2002:binary is not read"),
        ("a: !!set {b, c}", r"2002:set is not read"),
        ("a: !!omap [b: 1]", r"2002:omap is not read"),
        ("a: !!python/name:os.mkdir", r"2002:python/name:os.mkdir is not read"),
        ("a: !mine 3", r"!mine is not read"),
        ("a: !!int x", r"'x' is no !!int"),
        (f"a: {'1' * 5000}", r"11111111111111111111… has more than 38 digits"),
        ("a: 1e400", r"1e400 is beyond the largest number"),
        ("a: .nan", r"`.nan` is no number here"),
        ("a: -.inf", r"`-.inf` is no number here"),
        ("a: 1\nb: 2\na: 3", r"line 3: the key 'a' is given twice"),
        ("1: 2", r"the key 1 is no text"),
        ("null: 2", r"the key None is no text"),
        ("[a]: 2", r"the key \['a'\] is no text"),
        ("classes:\n- name: no", r'line 2: `no` is a word .* write "no" in quotes .* or false'),
        ("a: On", r'write "On" in quotes for the word, or true'),
        ("yes: 1", r'write "yes" in quotes'),
        ("a: 1:30", r"`1:30` is one number to some readers"),
        ("a: 010", r"`010` is one number to some readers"),
        ("a:\n\t- b", r"line 2: not YAML: found character that cannot start any token"),
        ("a: \0", "not YAML"),
        ("a: \udc80", "not YAML"),
        ("a: 1\n---\nb: 2", r"line 2: a second document begins"),
        ("<<: 1", r"<< merges mappings"),
    ],
)
def test_what_is_refused_in_one_line_with_its_place(text, error):
    start = time.perf_counter()
    with pytest.raises(InputError, match=error) as caught:
        parse_yaml(text, "x.yaml")
    assert time.perf_counter() - start < 5
    assert str(caught.value).startswith("x.yaml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e5", 1e5),
        ("-1.5E-3", -1.5e-3),
        ("1_000", 1000),
        ("0x10", 16),
        ("0b11", 3),
        ("2020-01-01", "2020-01-01"),
        ("0x_", "0x_"),
        ("y", "y"),
        ("=", "="),
        ('"no"', "no"),
        ("! 12", "12"),
        ("!!str 12", "12"),
        ("!!float 1", 1.0),
        ("~", None),
        ("True", True),
        ("", None),
        ("\ufeffa: 1", {"a": 1}),
        ("{a: &x {b: 1, c: 2}, d: {<<: *x, c: 3}}", {"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}}),
        ("{a: &x [1], b: *x}", {"a": [1], "b": [1]}),
    ],
)
def test_what_is_read(text, value):
    found = parse_yaml(text, "x.yaml")
    assert found == value
    assert type(found) is type(value)


def test_an_alias_is_a_value_of_its_own():
    found = parse_yaml("{a: &x [1], b: *x}", "x.yaml")
    assert found["a"] is not found["b"]


@pytest.mark.parametrize(
    "text",
    [
        *("1e5", "no", "On", "1:30", "010", "0o17", "2020-01-01", "", "~", "null", "1_000"),
        *(".5e3", "1.", "-1e-5", "=", "<<", "0x1f", ".nan", "1e400", "a\tb", "é", "\u2028", "08"),
        *("12e03", "1_0e5", "true", "- a", "a: b", "#", "'", '"', "*a", "&a", "!a", "%a", "@a"),
    ],
)
def test_what_is_written_is_read_as_it_was(text):
    value = {"a": text, text: [text]}
    assert parse_yaml(dump_yaml(value), "x.yaml") == value


def test_numbers_are_written_as_they_are():
    value = {"a": [1e5, 1e-7, -0.0, 1.7e308, 2**100, 0.1, True, None]}
    assert parse_yaml(dump_yaml(value), "x.yaml") == value


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("a: 1".encode("utf-16"), r"x.yaml: in UTF-16; save it as UTF-8"),
        (b"a: 1\nb: \xff", r"x.yaml, line 2: cannot be read as text: byte 0xff is not UTF-8"),
        (b"a" * (17 * 2**20), r"x.yaml: larger than 16 MiB"),
        (b"", r"expected a mapping of keys to values, found None"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, content, error):
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(InputError, match=error):
        load_yaml(tmp_path / "x.yaml")


def test_a_byte_order_mark_is_no_key(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert load_yaml(tmp_path / "x.yaml") == {"a": 1}


def test_a_bomb_takes_no_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError):
        parse_yaml(BOMB, "x.yaml")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


@pytest.mark.parametrize("value", ["no", "010", "1e999", "!!python/none x", "{a: 1, a: 2}"])
def test_a_setting_is_read_alike(value):
    with pytest.raises(InputError, match=r"^--set a="):
        apply_overrides({}, [f"a={value}"])


def test_nothing_else_reads_yaml():
    """One loader for all: a second one would have no limits."""
    files = [
        path
        for folder in ("crystalvision", "plugins", "simulate", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert files
    importing = [
        path.relative_to(ROOT).as_posix()
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(name.name == "yaml" for name in node.names))
        or (isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "yaml")
    ]
    assert importing == ["crystalvision/yaml_text.py"]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("a:\n\tb: 1\n", "indent with spaces"),
        ("a: b: c\n", "needs quotes"),
        ("a: *.cif\n", "needs quotes"),
        ('a: "C:\\data"\n', "single ones"),
        ("commit: 12e3456\n", "quotes around a text"),
    ],
)
def test_what_newcomers_write_is_refused_with_what_to_write(text, advice):
    with pytest.raises(InputError, match=advice):
        parse_yaml(text, "mine.yaml")
