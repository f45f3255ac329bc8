"""RASX files of Rigaku's SmartLab Studio: a zip file with a folder for each scan."""

import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

from crystalvision.contracts import Facts, MeasuredFile, Reader
from crystalvision_readers._curves import Curve, CurveFile, beam_of, number, scale_of, stated
from crystalvision_readers._geddes import check_zip, ranges
from crystalvision_readers._xml import first, parse

_PROFILE = re.compile(r"Data(\d+)/Profile\d+\.txt", re.IGNORECASE)
_CONDITIONS = re.compile(r"Data(\d+)/MesurementConditions\d+\.xml", re.IGNORECASE)
_MINUTE_S = 60.0


class Rasx(Reader):
    """Counts of every scan, wavelengths, anode, speed and step."""

    format = "RASX"
    suffixes = (".rasx",)
    signatures = (b"PK\x03\x04",)

    def recognises(self, start: bytes) -> bool:
        """See `Reader.recognises`."""
        known = any(name in start for name in (b"/Profile0.txt", b"/MesurementConditions"))
        return start.startswith(self.signatures) and known

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`.

        Raises:
            ValueError: It is damaged, or no scan is a pattern.
        """
        with check_zip(path) as archive:
            names = archive.namelist()
            profiles = sorted(int(one[1]) for one in map(_PROFILE.fullmatch, names) if one)
            facts = {
                int(one[1]): _facts(archive, one[0])
                for one in map(_CONDITIONS.fullmatch, names)
                if one
            }
        if not profiles:
            raise ValueError("it holds no Profile0.txt")
        found, notes = ranges(path.read_bytes(), "scan.rasx", len(profiles))
        curves = [
            Curve(*points, facts=facts.get(scan, Facts()), title=f"scan {scan}")
            for scan, points in zip(profiles, found, strict=True)
            if points is not None
        ]
        return CurveFile(curves, notes)


def _facts(archive: zipfile.ZipFile, name: str) -> Facts:
    root = parse(archive.read(name))
    alone = (first(root, "WaveType") or "").lower() in {"ka1", "kalpha1"}
    scan = root.find("ScanInformation")
    scan = root if scan is None else scan
    step, speed = number(first(scan, "Step")), number(first(scan, "Speed"))
    unit = first(scan, "SpeedUnit") or ""
    time = None
    if step and speed and unit == "deg/min":
        time = step / speed * _MINUTE_S
    elif speed and unit.lower() in {"sec", "s"}:
        time = speed
    counted = (first(scan, "IntensityUnit") or "").lower()
    others = {
        "scan axis": first(scan, "AxisName"),
        "scan mode": first(scan, "Mode"),
        "speed": f"{speed:g} {unit}" if speed else None,
        "step": f"{step:g} {first(scan, 'PositionUnit') or ''}" if step else None,
        "detector": _selected(root, "Detector"),
        "optics": first(root, "Attribute"),
    }
    return Facts(
        scale=scale_of(counted),
        time_s=time,
        sample=first(root, "SampleName") or "",
        instrument=first(root, "SystemName") or "",
        recorded=first(scan, "StartTime") or "",
        others=stated(others),
        **beam_of(
            first(root, "TargetName"),
            number(first(root, "WavelengthKalpha1")),
            None if alone else number(first(root, "WavelengthKalpha2")),
        ),
    )


def _selected(root: ET.Element, category: str) -> str | None:
    for each in root.iter("Category"):
        if each.get("Name") == category:
            return str(each.get("SelectedUnit"))
    return None
