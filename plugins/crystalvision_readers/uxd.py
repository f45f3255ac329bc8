"""UXD files of Bruker: text with keys that begin with an underscore."""

import re
from collections.abc import Mapping
from pathlib import Path

from crystalvision.contracts import Facts, MeasuredFile, Reader
from crystalvision.measured_files import content_of
from crystalvision_readers._curves import Curve, CurveFile, beam_of, number, stated
from crystalvision_readers._geddes import ranges
from crystalvision_readers._text import decode

_KEY = re.compile(r"\s*_(\w+)\s*=\s*(.*)")
_DATA = re.compile(r"\s*_(COUNTS|CPS|2THETACOUNTS|2THETACPS|2THETACOUNTSTIME)\b", re.IGNORECASE)
_RANGE = re.compile(r"\s*_DRIVE\s*=", re.IGNORECASE)


class Uxd(Reader):
    """Counts of every range, wavelengths, anode and counting time."""

    format = "UXD"
    suffixes = (".uxd",)
    signatures = (b"; C:", b"_FILEVERSION", b"_SAMPLE")

    def recognises(self, start: bytes) -> bool:
        """See `Reader.recognises`."""
        return b"_FILEVERSION" in start or b"_DRIVE" in start

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`.

        Raises:
            ValueError: It is cut short, or no range is a pattern.
        """
        text = decode(content_of(path))
        headers = _headers(text)
        if not headers:
            raise ValueError("it holds no points: there is no _COUNTS, _CPS or _2THETACOUNTS")
        found, notes = ranges(text.encode(), "pattern.uxd", len(headers))
        curves = [
            Curve(*points, facts=_facts(header), title=f"range {place}")
            for place, (header, points) in enumerate(zip(headers, found, strict=True))
            if points is not None
        ]
        return CurveFile(curves, notes)


def _headers(text: str) -> list[dict[str, str]]:
    """The keys of each range, with those of the whole file."""
    whole: dict[str, str] = {}
    own: dict[str, str] | None = None
    found = []
    for line in text.splitlines():
        if _RANGE.match(line):
            own = {}
        data, key = _DATA.match(line), _KEY.match(line)
        if data:
            found.append({**whole, **(own or {}), "DATA": data[1].upper()})
        elif key:
            (whole if own is None else own)[key[1].upper()] = key[2].strip().strip("'\"")
    return found


def _facts(header: Mapping[str, str]) -> Facts:
    return Facts(
        scale="counts per second" if "CPS" in header["DATA"] else "counts",
        time_s=number(header.get("STEPTIME")),
        sample=header.get("SAMPLE", ""),
        instrument=header.get("SITE", ""),
        recorded=header.get("DATEMEASURED", ""),
        others=stated({"drive": header.get("DRIVE"), "step": header.get("STEPSIZE")}),
        **beam_of(
            header.get("ANODE"),
            number(header.get("WL1")),
            number(header.get("WL2")),
            number(header.get("WLRATIO")),
        ),
    )
