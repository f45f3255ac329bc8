"""RAS files of Rigaku: a header of starred keys before the points of each scan.

Read here, not by geddes: it refuses a count of points that is written `3001.0000000000`, as real
files have it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from crystalvision.contracts import Facts, MeasuredFile, Reader
from crystalvision.measured_files import content_of
from crystalvision_readers._curves import Curve, CurveFile, beam_of, number, scale_of, stated
from crystalvision_readers._text import decode

_KEY = re.compile(r"\*(\w[\w-]*)\s+\"(.*)\"\s*")
_START, _END = "*RAS_INT_START", "*RAS_INT_END"
_FACTOR = "has an attenuator in the beam, whose factor its counts are multiplied with"
_MINUTE_S = 60.0


class Ras(Reader):
    """Counts of every scan, wavelengths, anode, speed and step."""

    format = "RAS"
    suffixes = (".ras",)
    signatures = (b"*RAS_DATA_START",)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`.

        Raises:
            ValueError: It is cut short, or no scan is a pattern.
        """
        curves, factors = [], False
        for scan, (header, rows) in enumerate(_scans(decode(content_of(path)))):
            table = _table(header, rows, scan)
            factors |= bool((table[:, 2:3] != 1).any())
            values = table[:, 1] * (table[:, 2] if table.shape[1] > 2 else 1)
            curves.append(Curve(table[:, 0], values, _facts(header), f"scan {scan}"))
        return CurveFile(curves, [_FACTOR] if factors else [])


def _scans(text: str) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Header and rows of each scan.

    Raises:
        ValueError: The last one does not end.
    """
    header: dict[str, str] = {}
    rows: list[str] | None = None
    for line in text.splitlines():
        if line.startswith(_START):
            rows = []
        elif line.startswith(_END):
            yield header, rows or []
            header, rows = {}, None
        elif rows is not None:
            rows.append(line)
        elif found := _KEY.fullmatch(line):
            header[found[1]] = found[2]
    if rows is not None or header:
        raise ValueError(f"it is cut short: there is no {_END}")


def _table(header: Mapping[str, str], rows: list[str], scan: int) -> np.ndarray:
    """Positions, values and attenuation of a scan, (n, 2 or 3).

    Raises:
        ValueError: A row is damaged, or there are more or fewer than the header says.
    """
    try:
        table = np.array([row.split() for row in rows if row.strip()], dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"scan {scan} has a damaged row: {error}") from error
    if table.ndim != 2 or table.shape[1] not in {2, 3}:
        raise ValueError(f"scan {scan} has rows that are not a position and a value")
    count = number(header.get("MEAS_DATA_COUNT"))
    if count is not None and count != len(table):
        raise ValueError(f"scan {scan} has {len(table)} points, where its header says {count:g}")
    return table


def _facts(header: Mapping[str, str]) -> Facts:
    step, speed = number(header.get("MEAS_SCAN_STEP")), number(header.get("MEAS_SCAN_SPEED"))
    unit = header.get("MEAS_SCAN_SPEED_UNIT", "")
    time = None
    if step and speed and unit == "deg/min":
        time = step / speed * _MINUTE_S
    elif speed and unit.lower() in {"sec", "s"}:
        time = speed
    alone = header.get("HW_XG_WAVE_TYPE", "").lower() in {"ka1", "kalpha1"}
    others = {
        "scan axis": header.get("MEAS_SCAN_AXIS_X"),
        "scan mode": header.get("MEAS_SCAN_MODE"),
        "speed": f"{speed:g} {unit}" if speed else None,
        "detector": header.get("HW_COUNTER_SELECT_NAME"),
        "comment": header.get("FILE_COMMENT"),
    }
    counted = header.get("MEAS_SCAN_UNIT_Y", "").lower()
    return Facts(
        scale=scale_of(counted),
        time_s=time,
        sample=header.get("FILE_SAMPLE", ""),
        instrument=header.get("FILE_SYSTEM_NAME", ""),
        recorded=header.get("MEAS_SCAN_START_TIME", ""),
        others=stated(others),
        **beam_of(
            header.get("HW_XG_TARGET_NAME"),
            number(header.get("HW_XG_WAVE_LENGTH_ALPHA1")),
            None if alone else number(header.get("HW_XG_WAVE_LENGTH_ALPHA2")),
        ),
    )
