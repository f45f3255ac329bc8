"""Controls for the options of any part, from its own signature: what it takes, it tells itself."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from crystalvision.errors import CrystalVisionError
from crystalvision.plugins import Entry, Option, parameter_docs
from crystalvision.samples import Control
from crystalvision.text import unit_text
from crystalvision.yaml_text import dump_yaml, parse_yaml

# What a slider offers of a number whose name ends so, before the part is asked what it takes.
_SPANS = (
    ("_inv_angstrom", 1.0, "1/angstrom"),
    ("_angstrom2", 3.0, "angstrom^2"),
    ("_angstrom", 1.0, "angstrom"),
    ("_kelvin", 1000.0, "K"),
    ("_mrad", 30.0, "mrad"),
    ("_rad", 0.2, "rad"),
    ("_deg2", 0.1, "degree^2"),
    ("_deg", 180.0, "degree"),
    ("_px", 5.0, "pixel"),
    ("_mm", 0.5, "mm"),
    ("_kev", 400.0, "keV"),
    ("_counts", 1000.0, "count"),
    ("_electrons", 1e6, "electron"),
)
_SPAN = 1.0
_START = 0.05  # of the span: where a number begins that has no default
_LARGE = 1000.0  # a number from which on a slider goes by factors
_FACTOR = 1000.0  # up and down, of such a slider
_HALVINGS = 12
_NEGLIGIBLE = 0.01  # of a value: what halving leaves of zero


@dataclass(frozen=True, slots=True)
class OptionControls:
    """Controls for the options of a part.

    Attributes:
        controls: One for each option, by its name.
        values: What each stands at, by its name in the settings.
    """

    controls: Mapping[str, Control]
    values: Mapping[str, Any]


def option_controls(
    entry: Entry,
    prefix: str,
    given: Mapping[str, Any],
    *,
    words: Sequence[str] = (),
    around: float = 0.0,
) -> OptionControls:
    """Controls for the options of a part.

    How far a slider goes is asked of the part itself, by trying: a fraction that takes 0 to 1 gets
    a slider of 0 to 1.

    Args:
        entry: The part.
        prefix: Of their names in the settings.
        given: Options that are set already.
        words: What to try for texts that must be given, such as symbols of elements.
        around: Offer numbers so near to where they stand, as a part of it; 0 for all that it takes.

    Raises:
        PluginError: The part cannot be imported.
    """
    start = {**_start(entry, given, words), **given}
    docs = parameter_docs(entry.load())
    controls, values = {}, {}
    for option in entry.options():
        name = f"{prefix}.{option.name}"
        value = start.get(option.name, None if option.required else option.default)
        control = _control(entry, option, name, value, start, docs)
        if around and isinstance(value, int | float) and control.kind == "number":
            control = replace(control, low=(1 - around) * value, high=(1 + around) * value)
        controls[option.name] = control
        values[name] = value if controls[option.name].kind != "text" else _as_text(value, option)
    return OptionControls(controls, values)


def options_from(entry: Entry, prefix: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The options that settings stand for: those that differ from their defaults.

    Raises:
        InputError: A text is no YAML.
        PluginError: The part cannot be imported.
    """
    chosen = {}
    for option in entry.options():
        name = f"{prefix}.{option.name}"
        if name not in settings:
            continue
        value = settings[name]
        if isinstance(value, str) and not isinstance(_choices(option.annotation), tuple):
            if not value.strip():
                continue
            value = parse_yaml(value, name, numbered=False) if not _is_text(option) else value
        if option.required or value != option.default:
            chosen[option.name] = value
    return chosen


def _start(entry: Entry, given: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """The fewest options with which the part can be made."""
    options = entry.options()
    needed: dict[str, Any] = {}
    for option in options:
        if option.required and option.name not in given:
            if _is_number(option):
                needed[option.name] = _START * _span(option.name)[0]
            elif _is_text(option) and words:
                needed[option.name] = words[0]
    if _takes(entry, {**needed, **given}):
        return needed
    for option in options:  # one of several that must be given, none of which is always
        value = _START * _span(option.name)[0]
        if _is_number(option) and _takes(entry, {**needed, option.name: value, **given}):
            return {**needed, option.name: value}
    return needed


def _takes(entry: Entry, options: Mapping[str, Any]) -> bool:
    try:
        entry.create(options, {})
    except CrystalVisionError:
        return False
    return True


def _control(
    entry: Entry,
    option: Option,
    name: str,
    value: Any,
    start: Mapping[str, Any],
    docs: Mapping[str, str],
) -> Control:
    help_ = docs.get(option.name, "")
    choices = _choices(option.annotation)
    if choices is not None:
        return Control(name, option.name, "choice", choices=choices, help=help_)
    if isinstance(value, bool):
        return Control(name, option.name, "switch", help=help_)
    if isinstance(value, int | float) and _is_number(option):
        span, ending, units = _span(option.name)
        low, high = _ends(entry, option, float(value), span, start)
        label = option.name.removesuffix(ending).replace("_", " ")
        return Control(
            name,
            label,
            "number",
            units=unit_text(units) if units else "",
            low=low,
            high=high,
            logarithmic=abs(value) >= _LARGE and low > 0,
            whole=_kinds(option.annotation) <= {int, type(None)},
            help=help_,
        )
    return Control(name, option.name.replace("_", " "), "text", help=help_)


def _ends(
    entry: Entry, option: Option, value: float, span: float, start: Mapping[str, Any]
) -> tuple[float, float]:
    """How far a slider goes: as far as the part takes it, within the span."""
    if value >= _LARGE:
        return value / _FACTOR, value * _FACTOR
    whole = _kinds(option.annotation) <= {int, type(None)}
    reach = max(span, 10.0 if whole else 0.0, 4 * abs(value))

    def farthest(end: float) -> float:
        """The value nearest to an end that is taken."""
        good, bad = value, end
        if _takes(entry, {**start, option.name: int(end) if whole else end}):
            return end
        for _ in range(_HALVINGS):
            middle = (good + bad) / 2
            if whole:
                middle = float(round(middle))
            if _takes(entry, {**start, option.name: int(middle) if whole else middle}):
                good = middle
            else:
                bad = middle
        return float(f"{good:.2g}")

    low = min(farthest(-reach), value)
    if (
        value > low
        and low * value <= _NEGLIGIBLE * value**2
        and _takes(entry, {**start, option.name: 0})
    ):
        low = min(0.0, low)
    high = max(farthest(reach), value)
    return low, high if high > low else low + span


def _span(name: str) -> tuple[float, str, str]:
    """What a slider offers of a number of that name, the ending that says its units, and these."""
    for ending, span, units in _SPANS:
        if name.endswith(ending):
            return span, ending, units
    return _SPAN, "", ""


def _kinds(annotation: Any) -> set[Any]:
    """The types that an annotation allows."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return {kind for each in get_args(annotation) for kind in _kinds(each)}
    return {annotation}


def _is_number(option: Option) -> bool:
    return bool(_kinds(option.annotation) & {int, float})


def _is_text(option: Option) -> bool:
    kinds = _kinds(option.annotation)
    return str in kinds and not kinds & {int, float}


def _choices(annotation: Any) -> tuple[str, ...] | None:
    """What one of several words is among; `None` where an option is no such thing."""
    if get_origin(annotation) is Annotated:
        return _choices(get_args(annotation)[0])
    if get_origin(annotation) is not Literal:
        return None
    words = get_args(annotation)
    return words if all(isinstance(word, str) for word in words) else None


def _as_text(value: Any, option: Option) -> str:
    """A value as it is typed."""
    if value is None or (not option.required and value == option.default and not value):
        return ""
    if isinstance(value, str):
        return value
    return dump_yaml(value, flow=True).strip().removesuffix("...").strip()
