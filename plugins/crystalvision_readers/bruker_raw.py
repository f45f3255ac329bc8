"""RAW files of Bruker and Siemens: versions 1, 2, 3 (`RAW1.01`) and 4 (`RAW4.00`).

Points are read by geddes but for versions 1 and 2, which it does not know. Where the header has the
beam and the counting time is as the manual of DIFFRAC plus XCH says (2002, appendix A), and for
version 4 as files of known settings have it.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Facts, MeasuredFile, Reader
from crystalvision.measured_files import content_of
from crystalvision_readers._curves import Curve, CurveFile, beam_of
from crystalvision_readers._geddes import ranges

_OLD = (b"RAW ", b"RAW2")
_V3_HEADER = 712
_V4_FIRST, _V4_BEAM, _V4_TEXT, _V4_RANGE = 61, 30, 10, 160
_LEAST_ANGSTROM, _MOST_ANGSTROM = 0.05, 10.0
_LONGEST_S = 1e7


class BrukerRaw(Reader):
    """Counts of every range; wavelengths, anode and counting time where the version has them."""

    format = "Bruker RAW"
    suffixes = (".raw",)
    signatures = (b"RAW4.", b"RAW1.01", b"RAW2", b"RAW ")

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`.

        Raises:
            ValueError: It is cut short, or no range is a pattern.
        """
        content = content_of(path)
        if content.startswith(_OLD):
            try:
                return CurveFile(_old_ranges(content))
            except struct.error as error:
                raise ValueError("it is cut short") from error
        found, notes = ranges(content, "pattern.raw")
        try:
            new = content.startswith(b"RAW4.")
            beam, times = _version_4(content) if new else _version_3(content)
        except (struct.error, IndexError, ValueError):
            beam, times = Facts(), []
            notes.append("has a header that is not understood: wavelength and time are not read")
        times += [None] * len(found)
        curves = [
            Curve(*points, facts=replace(beam, time_s=time), title=f"range {place}")
            for place, (points, time) in enumerate(zip(found, times, strict=False))
            if points is not None
        ]
        return CurveFile(curves, notes)


def _old_ranges(content: bytes) -> list[Curve]:
    """The ranges of versions 1 and 2, which geddes does not read."""
    return list(_version_1(content) if content.startswith(b"RAW ") else _version_2(content))


def _version_1(content: bytes) -> Iterator[Curve]:
    place, following = 4, 1
    while following:
        if content[place : place + 4] == b"RAW ":  # later writers repeat it before each range
            place += 4
        steps, time, step, _, _, start = struct.unpack_from("<I2fIIf", content, place)
        first, second, following = struct.unpack_from("<2f72xI", content, place + 68)
        facts = Facts(
            time_s=_time(time),
            sample=_text(content[place + 36 : place + 68]),
            **_beam("", first, second, None),
        )
        yield _curve(content, place + 152, steps, start, step, facts)
        place += 152 + 4 * steps


def _version_2(content: bytes) -> Iterator[Curve]:
    (count,) = struct.unpack_from("<H", content, 4)
    first, second, ratio = struct.unpack_from("<3f", content, 190)
    beam = _beam(_text(content[188:190]), first, second, ratio)
    facts = Facts(recorded=_text(content[168:188]), **beam)
    place = 256
    for _ in range(count):
        length, steps = struct.unpack_from("<2H", content, place)
        time, step, start = struct.unpack_from("<3f", content, place + 8)
        timed = replace(facts, time_s=_time(time))
        yield _curve(content, place + length, steps, start, step, timed)
        place += length + 4 * steps


def _curve(
    content: bytes, place: int, steps: int, start: float, step: float, facts: Facts
) -> Curve:
    """A range whose counts begin at a place.

    Raises:
        ValueError: They are not all there.
    """
    if place + 4 * steps > len(content):
        raise ValueError(f"it is cut short: a range says {steps:,} points")
    counts = np.frombuffer(content, "<f4", steps, place).astype(np.float64)
    # Its numbers have seven digits: an angle is meant in steps of less.
    positions = np.round(start + step * np.arange(steps), 6)
    return Curve(positions, counts, facts)


def _version_3(content: bytes) -> tuple[Facts, list[float | None]]:
    (count,) = struct.unpack_from("<I", content, 12)
    first, second = struct.unpack_from("<2d", content, 624)
    (ratio,) = struct.unpack_from("<d", content, 648)
    place, times = _V3_HEADER, []
    for _ in range(count):
        length, steps = struct.unpack_from("<2I", content, place)
        times.append(_time(struct.unpack_from("<f", content, place + 192)[0]))
        (more,) = struct.unpack_from("<I", content, place + 256)
        place += length + more + 4 * steps
    beam = _beam(_text(content[608:612]), first, second, ratio)
    recorded = f"{_text(content[16:26])} {_text(content[26:36])}".strip()
    return Facts(sample=_text(content[326:386]), recorded=recorded, **beam), times


def _version_4(content: bytes) -> tuple[Facts, list[float | None]]:
    beam: dict[str, Any] = {}
    texts: dict[str, str] = {}
    times: list[float | None] = []
    for kind, place, body in _parts(content):
        if kind == _V4_BEAM:
            first, second = struct.unpack_from("<2d", body, 72)
            (ratio,) = struct.unpack_from("<d", body, 96)
            beam = _beam(_text(body[108:112]), first, second, ratio)
        elif kind == _V4_TEXT:
            texts[_text(body[4:28])] = _text(body[28:])
        else:
            times.append(_time(struct.unpack_from("<f", content, place + 92)[0]))
    recorded = f"{_text(content[12:24])} {_text(content[24:34])}".strip()
    return Facts(sample=texts.get("SAMPLEID", ""), recorded=recorded, **beam), times


def _parts(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind, place and body of each part of a file of version 4; a range is of kind 0 or 160."""
    place = _V4_FIRST
    while place + 8 <= len(content):
        kind, length = struct.unpack_from("<2I", content, place)
        if kind in {0, _V4_RANGE}:
            yield 0, place, b""
            steps = struct.unpack_from("<I", content, place + 4)[0]
            size, more = struct.unpack_from("<2I", content, place + 136)
            place += _V4_RANGE + more + size * steps
            continue
        if length < 8:
            raise ValueError("a part without a length")
        yield kind, place, content[place + 8 : place + length]
        place += length


def _beam(anode: str, first: float, second: float, ratio: float | None) -> dict[str, Any]:
    """The beam, without what no beam can be."""
    wave = first if _LEAST_ANGSTROM < first < _MOST_ANGSTROM else None
    other = second if wave is not None and wave < second < 1.1 * wave else None
    share = ratio if ratio is not None and 0 <= ratio <= 1 else None
    return beam_of(anode if anode.isalpha() else None, wave, other, share)


def _time(value: float) -> float | None:
    return float(value) if 0 < value < _LONGEST_S else None


def _text(content: bytes) -> str:
    return content.partition(b"\0")[0].decode("cp1252", "replace").strip()
