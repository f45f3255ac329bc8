"""RAW files of Bruker and Siemens: versions 1, 2, 3 (`RAW1.01`) and 4 (`RAW4.00`).

Points are read by geddes; where the header has the beam and the counting time is found by the
published descriptions of versions 1 to 3, and by comparing files of known settings for version 4.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from crystalvision.contracts import Facts, MeasuredFile, Reader
from crystalvision.measured_files import content_of
from crystalvision_readers._curves import Curve, CurveFile, beam_of
from crystalvision_readers._geddes import ranges

_V3_HEADER, _V3_RANGE = 712, 304
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
        found, notes = ranges(content, "pattern.raw")
        try:
            beam, times = _header(content)
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


def _header(content: bytes) -> tuple[Facts, list[float | None]]:
    """The beam, and the counting time of each range [s]."""
    if content.startswith(b"RAW4."):
        return _version_4(content)
    if content.startswith(b"RAW1.01"):
        return _version_3(content)
    if content.startswith(b"RAW2"):
        return _version_2(content)
    return _version_1(content)


def _version_1(content: bytes) -> tuple[Facts, list[float | None]]:
    (time,) = struct.unpack_from("<f", content, 8)
    first, second = struct.unpack_from("<2f", content, 72)
    return Facts(**_beam("", first, second, None)), [_time(time)]


def _version_2(content: bytes) -> tuple[Facts, list[float | None]]:
    (count,) = struct.unpack_from("<H", content, 4)
    recorded = _text(content[168:188])
    first, second, ratio = struct.unpack_from("<3f", content, 190)
    place, times = 256, []
    for _ in range(count):
        length, steps = struct.unpack_from("<2H", content, place)
        times.append(_time(struct.unpack_from("<f", content, place + 8)[0]))
        place += length + 4 * steps
    beam = _beam(_text(content[188:190]), first, second, ratio)
    return Facts(recorded=recorded, **beam), times


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
