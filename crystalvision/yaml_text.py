"""YAML as the toolkit reads and writes it: JSON's types, within limits, and nothing guessed.

Everything that is YAML passes through `parse_yaml` and `dump_yaml`. What YAML 1.1 and 1.2 read
differently (`no`, `1:30`, `010`) is an error that says what to write instead.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from crystalvision.errors import InputError

MAX_CHARACTERS = 4 * 2**20  # of a text, and of all that its aliases repeat
MAX_VALUES = 100_000  # aliases repeat them: a bomb of ten lines stands for 10^10
MAX_DEPTH = 50
_MAX_DIGITS = 38  # 128 bits, the longest seed
_TAGS = ("null", "bool", "int", "float", "str", "seq", "map")

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*)|0x[0-9a-fA-F]+|0b[01]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LITERALS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_OCTAL = re.compile(r"[-+]?0[0-9_]+")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")

_HINTS = (
    (
        "cannot start any token",
        "; indent with spaces, and quote text that begins with @, ` or %",
    ),
    ("mapping values are not allowed", "; a text with a colon and a space in it needs quotes"),
    ("alphabetic or numeric", "; a text that begins with * or & needs quotes"),
    ("unknown escape", "; a path with \\ needs no quotes, or single ones"),
)

# libyaml's parser keeps its own stack: nesting cannot exhaust that of the interpreter.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Dumper(yaml.SafeDumper):
    """Quotes what `parse_yaml` would take for a number, though YAML 1.1 takes it for text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Whatever occurs twice is written twice, as JSON has it."""
        return True


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


def parse_yaml(text: str, source: str, *, numbered: bool = True) -> Any:
    """What a YAML text says, in JSON's types: `None`, `bool`, `int`, `float`, `str`, list, dict.

    Anchors, aliases and merge keys (`<<`) are resolved; dates are text.

    Args:
        text: One YAML document.
        source: Where it was read from, for the error.
        numbered: Whether an error gives the number of the line.

    Raises:
        InputError: It is no YAML; or it holds what JSON does not (other tags, keys that are no
            text, `.nan`), what YAML's versions read differently, or a key twice; or it is too
            large or too deep, aliases followed.
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{source}: {len(text)} characters of YAML; expected {MAX_CHARACTERS} at most"
        )
    try:
        # The parser is handed bytes, for text that cannot be encoded would crash it.
        events = yaml.parse(text.removeprefix("\ufeff").encode(), Loader=_LOADER)
        return _Builder(source, iter(events), numbered=numbered).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}" if mark and numbered else ""
        hint = next((hint for part, hint in _HINTS if part in str(error.problem)), "")
        raise InputError(f"{source}{line}: not YAML: {error.problem}{hint}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{source}: not YAML: {reason:.120}") from error


def dump_yaml(value: Any, *, width: int = 80, flow: bool | None = False) -> str:
    """A value in JSON's types as YAML that `parse_yaml` reads as the same value.

    Letters of any script stay as they are, unless one that does not show is among them: then all
    but ASCII are written as escapes.

    Args:
        value: The value.
        width: Where lines are broken [characters].
        flow: Whether in `{}` and `[]`; `None` for the innermost ones only.
    """
    text = ""
    for unicode in (True, False):
        text = yaml.dump(
            value,
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=unicode,
            width=width,
            default_flow_style=flow,
        )
        if text.replace("\n", "").isprintable():
            break
    return text


@dataclass(slots=True)
class _Node:
    """A value with what following an alias to it costs."""

    value: Any
    values: int = 1
    characters: int = 0
    height: int = 0
    line: int = 0
    merge: bool = False

    def add(self, part: "_Node") -> None:
        self.values += part.values
        self.characters += part.characters
        self.height = max(self.height, part.height + 1)


@dataclass(slots=True)
class _Open(_Node):
    """A list or mapping that has not ended."""

    anchor: str | None = None
    parts: list[_Node] = field(default_factory=list)


class _Builder:
    """Builds a value from the parser's events, without recursion."""

    def __init__(self, source: str, events: Iterator[Any], *, numbered: bool) -> None:
        self._numbered = numbered
        self._source = source
        self._events = events
        self._open: list[_Open] = []
        self._anchors: dict[str, _Node | None] = {}
        self._values = self._characters = 0

    def document(self) -> Any:
        """The value of the one document that there is."""
        documents: list[Any] = []
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent) and documents:
                self._refuse(event, "a second document begins (---); expected one")
            node = self._node_of(event)
            if node is None:
                continue
            if self._open:
                self._open[-1].parts.append(node)
                self._open[-1].add(node)
            else:
                documents.append(node.value)
        return documents[0] if documents else None

    def _node_of(self, event: Any) -> _Node | None:
        """The value that an event completes."""
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            node = self._alias(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            return self._close()
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event)
            return None
        else:
            return None
        self._count(event, node)
        return node

    def _begin(self, event: Any) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._check_tag(event, "map" if mapping else "seq")
        node = _Open({} if mapping else [], line=event.start_mark.line, anchor=event.anchor)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._count(event, node)
        self._open.append(node)

    def _close(self) -> _Node:
        node = self._open.pop()
        if isinstance(node.value, list):
            node.value.extend(part.value for part in node.parts)
        else:
            self._fill(node)
        node.parts = []
        if node.anchor is not None:
            self._anchors[node.anchor] = node
        return node

    def _fill(self, node: _Open) -> None:
        """Put the keys and values of a mapping together, and those that it merges."""
        merged: dict[str, Any] = {}
        for key, item in zip(node.parts[::2], node.parts[1::2], strict=True):
            if key.merge:
                sources = item.value if isinstance(item.value, list) else [item.value]
                if not all(isinstance(source, dict) for source in sources):
                    self._refuse_line(key.line, "<< merges mappings, such as `<<: *base`")
                for source in reversed(sources):
                    merged.update(source)
                continue
            if not isinstance(key.value, str):
                self._refuse_line(
                    key.line,
                    f"the key {key.value!r:.60} is no text; expected a name, or quotes around it",
                )
            if key.value in node.value:
                self._refuse_line(key.line, f"the key '{key.value:.60}' is given twice")
            node.value[key.value] = item.value
        node.value.update({key: merged[key] for key in merged if key not in node.value})

    def _alias(self, event: Any) -> _Node:
        if event.anchor not in self._anchors:
            self._refuse(event, f"*{event.anchor:.60} has no anchor &{event.anchor:.60} above it")
        node = self._anchors[event.anchor]
        if node is None:
            self._refuse(event, f"*{event.anchor:.60} lies within itself")
        return _Node(_copy(node.value), node.values, node.characters, node.height)

    def _count(self, event: Any, node: _Node) -> None:
        self._values += node.values
        self._characters += node.characters
        if self._values > MAX_VALUES:
            self._refuse(event, f"more than {MAX_VALUES} values, aliases followed")
        if self._characters > MAX_CHARACTERS:
            self._refuse(event, f"more than {MAX_CHARACTERS} characters, aliases followed")
        if len(self._open) + node.height > MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} deep")

    def _scalar(self, event: Any) -> _Node:
        text, tag = event.value, self._check_tag(event, "str")
        plain = event.implicit[0] and event.tag is None
        node = _Node(text, characters=len(text), line=event.start_mark.line)
        if plain and text == "<<":
            node.merge = True
        elif plain or tag not in (None, "str"):
            node.value = self._plain(event, text)
            expected = {"null": type(None), "bool": bool, "int": int, "float": float}.get(tag or "")
            if expected is float and isinstance(node.value, int):
                node.value = float(node.value)
            if expected and type(node.value) is not expected:
                self._refuse(event, f"{text!r:.60} is no !!{tag}")
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _plain(self, event: Any, text: str) -> Any:
        """What a text without quotes means."""
        if text in _LITERALS:
            return _LITERALS[text]
        if text.lower() in _TRUTHS and text in (text.lower(), text.title(), text.upper()):
            self._refuse(
                event,
                f"`{text}` is a word to some readers and {_TRUTHS[text.lower()]} to others; write "
                f'"{text}" in quotes for the word, or {_TRUTHS[text.lower()]}',
            )
        if _NOT_FINITE.fullmatch(text):
            self._refuse(
                event,
                f"`{text}` is no number here: expected a finite number, or quotes around a text",
            )
        if _OCTAL.fullmatch(text) or _BASE_60.fullmatch(text):
            self._refuse(
                event,
                f"`{text:.60}` is one number to some readers and another, or a text, to others; "
                "write it in quotes for the text, or as a plain decimal number",
            )
        if _INTEGER.fullmatch(text):
            if len(text) > _MAX_DIGITS + text.count("_") + 2:
                self._refuse(event, f"{text:.20}… has more than {_MAX_DIGITS} digits")
            base = {"0x": 16, "0b": 2}.get(text[:2], 10)
            return int(text, base)
        if _FLOAT.fullmatch(text):
            value = float(text)
            if not math.isfinite(value):
                self._refuse(
                    event,
                    f"{text:.60} is beyond the largest number, about 1.8e308; "
                    "put quotes around a text",
                )
            return value
        return text

    def _check_tag(self, event: Any, own: str) -> str | None:
        """The tag that is written, if any; one that JSON has no type for is refused."""
        if event.tag in (None, "!"):
            return None
        tag = str(event.tag).removeprefix("tag:yaml.org,2002:")
        container = tag in ("seq", "map")
        if tag not in _TAGS or (container and tag != own) or (not container and own != "str"):
            self._refuse(
                event,
                f"the tag {event.tag:.80} is not read; expected text, numbers, true, false, null, "
                "lists and mappings",
            )
        return tag

    def _refuse(self, event: Any, problem: str) -> NoReturn:
        self._refuse_line(event.start_mark.line, problem)

    def _refuse_line(self, line: int, problem: str) -> NoReturn:
        where = f", line {line + 1}" if self._numbered else ""
        raise InputError(f"{self._source}{where}: {problem}")


def _copy(value: Any) -> Any:
    """A value of its own for each alias; as deep as `MAX_DEPTH` at most."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
