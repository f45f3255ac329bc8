"""XRDML files of Malvern Panalytical: any number of scans, with all that was set."""

import xml.etree.ElementTree as ET
from pathlib import Path

from crystalvision.contracts import Facts, MeasuredFile, Reader
from crystalvision.measured_files import content_of
from crystalvision_readers._curves import Curve, CurveFile, beam_of, number, scale_of, stated
from crystalvision_readers._geddes import ranges
from crystalvision_readers._xml import parse, text_of

_FACTOR = "has an attenuator in the beam, whose factor its counts are multiplied with"


class Xrdml(Reader):
    """XRDML 1.0 to 2.x: positions, counts, wavelengths, anode and counting time."""

    format = "XRDML"
    suffixes = (".xrdml",)
    signatures = (b"<?xml", b"\xef\xbb\xbf<?xml", b"\xff\xfe<\0", b"<xrdMeasurements")

    def recognises(self, start: bytes) -> bool:
        """See `Reader.recognises`."""
        return b"xrdMeasurement" in start.replace(b"\0", b"")

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`.

        Raises:
            ValueError: The XML is damaged, or no scan is a pattern.
        """
        content = content_of(path)
        root = parse(content)
        scans = [
            (measurement, scan)
            for measurement in root.iter("xrdMeasurement")
            for scan in measurement.iter("scan")
        ]
        if not scans:
            raise ValueError("it holds no scan")
        found, notes = ranges(content, "scan.xrdml", len(scans))
        if root.find(".//beamAttenuationFactors") is not None:
            notes.append(_FACTOR)
        curves = [
            Curve(*points, facts=_facts(root, measurement, scan), title=f"scan {place}")
            for place, ((measurement, scan), points) in enumerate(zip(scans, found, strict=True))
            if points is not None
        ]
        return CurveFile(curves, notes)


def _facts(root: ET.Element, measurement: ET.Element, scan: ET.Element) -> Facts:
    used = measurement.find("usedWavelength")
    alone = used is not None and (used.get("intended") or "").strip() == "K-Alpha 1"
    points = scan.find("dataPoints")
    counted = None if points is None else points.find("intensities")
    if counted is None and points is not None:
        counted = points.find("counts")
    unit = "" if counted is None else counted.get("unit", "counts")
    beam = beam_of(
        text_of(measurement, ".//anodeMaterial"),
        number(text_of(used, "kAlpha1")),
        None if alone else number(text_of(used, "kAlpha2")),
        number(text_of(used, "ratioKAlpha2KAlpha1")),
    )
    sample = root.find("sample")
    tube = measurement.find(".//xRayTube")
    others = {
        "scan axis": scan.get("scanAxis"),
        "scan mode": scan.get("mode"),
        "status": scan.get("status"),
        "tension": _with_unit(tube, "tension"),
        "current": _with_unit(tube, "current"),
    }
    return Facts(
        scale=scale_of(unit),
        time_s=_time(points),
        sample=text_of(sample, "name") or text_of(sample, "id") or "",
        instrument=text_of(scan, "header/source/instrumentControlSoftware") or "",
        recorded=text_of(scan, "header/startTimeStamp") or "",
        others=stated(others),
        **beam,
    )


def _time(points: ET.Element | None) -> float | None:
    """The counting time of all points, if it is one [s]."""
    return number(text_of(points, "commonCountingTime"))


def _with_unit(element: ET.Element | None, tag: str) -> str | None:
    found = None if element is None else element.find(tag)
    if found is None or not found.text:
        return None
    return f"{found.text.strip()} {found.get('unit', '')}"
