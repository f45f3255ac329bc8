"""What was read of a measured file, for a person: every number with its units."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from crystalvision.contracts import Axis, Facts, Frame, MeasuredAxis, Recording
from crystalvision.measured_files._open_file import OpenFile
from crystalvision.text import axis_symbol, quantity_text

_UNITS = {
    "wavelength_angstrom": "angstrom",
    "alpha2_angstrom": "angstrom",
    "energy_kev": "keV",
    "time_s": "s",
    "camera_length_mm": "mm",
}
_TITLES = {
    "scale": "values",
    "radiation": "radiation",
    "anode": "anode",
    "wavelength_angstrom": "wavelength",
    "alpha2_angstrom": "wavelength of Kα₂",
    "alpha2_ratio": "Kα₂ / Kα₁",
    "energy_kev": "energy",
    "time_s": "counting time",
    "camera_length_mm": "camera length",
    "sample": "sample",
    "instrument": "instrument",
    "recorded": "recorded",
}


def facts_text(facts: Facts) -> Iterator[tuple[str, str]]:
    """What a file states: title and value, with units; the scale even where it is unknown."""
    for name, title in _TITLES.items():
        value = getattr(facts, name)
        if name == "scale" and value == "unknown":
            yield title, "not stated; taken for counts"
        elif isinstance(value, float):
            yield title, quantity_text(value, _UNITS.get(name, "1"), 7)
        elif value:
            yield title, str(value)
    yield from facts.others.items()


def axis_text(axis: MeasuredAxis) -> str:
    """Ends, points and steps of an axis."""
    values = axis.values()
    ends = f"{values[0]:.6g} to {quantity_text(float(values[-1]), axis.units)}"
    if isinstance(axis, Axis):
        steps = f"steps of {quantity_text(axis.scale, axis.units, 5)}"
    else:
        step = np.diff(values)
        steps = f"uneven steps of {step.min():.4g} to {quantity_text(step.max(), axis.units, 4)}"
    return f"{axis_symbol(axis.name)} from {ends}, {axis.size:,} points, {steps}"


def values_text(recording: Recording) -> str:
    """Least, greatest and sum of what was measured, and how much was not."""
    counts, seen = recording.counts, recording.seen
    known = counts if seen is None else counts[..., seen]
    if not known.size:
        return "none was measured"
    text = f"{known.min():.6g} to {known.max():.6g}, sum {known.sum(dtype=np.float64):.6g}"
    return text if seen is None else f"{text}; {1 - seen.mean():.2%} of the points are masked"


def frame_text(file: OpenFile, number: int) -> list[tuple[str, str]]:
    """All that is known of one pattern of a file, as pairs of title and text."""
    frame, recording = file.frames[number], file.read(number)
    pairs = [("shape", str(frame))]
    pairs += [("axis", axis_text(axis)) for axis in frame.axes or ()]
    if frame.axes is None:
        pairs.append(("axis", "not stated"))
    pairs += facts_text(frame.facts)
    pairs.append(("numbers", values_text(recording)))
    pairs += [("assumed", text) for text in frame.facts.assumed]
    return pairs


def frame_json(file: OpenFile, number: int) -> Mapping[str, Any]:
    """The same in JSON types; an uneven axis by its positions."""
    frame, recording = file.frames[number], file.read(number)
    known = recording.counts if recording.seen is None else recording.counts[..., recording.seen]
    facts = {name: getattr(frame.facts, name) for name in Facts.__dataclass_fields__}
    return {
        "title": frame.title,
        "shape": list(frame.shape),
        "dtype": frame.dtype,
        "axes": _axes_json(frame),
        **facts,
        "others": dict(frame.facts.others),
        "assumed": list(frame.facts.assumed),
        "least": float(known.min()) if known.size else None,
        "greatest": float(known.max()) if known.size else None,
        "sum": float(known.sum(dtype=np.float64)),
        "masked": 0 if recording.seen is None else int((~recording.seen).sum()),
    }


def _axes_json(frame: Frame) -> list[dict[str, Any]] | None:
    return None if frame.axes is None else [axis.model_dump(mode="json") for axis in frame.axes]
