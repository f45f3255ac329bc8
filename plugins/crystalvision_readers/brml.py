"""BRML files of Bruker's DIFFRAC.SUITE: a zip file with an XML file for each range."""

import re
from pathlib import Path

from crystalvision.contracts import Facts, MeasuredFile, Reader
from crystalvision_readers._curves import Curve, CurveFile, beam_of, number, stated
from crystalvision_readers._geddes import check_zip, ranges
from crystalvision_readers._xml import first, parse

_RAW_DATA = re.compile(r"Experiment(\d+)/RawData(\d+)\.xml", re.IGNORECASE)


class Brml(Reader):
    """Counts of every range, wavelengths, anode and counting time."""

    format = "BRML"
    suffixes = (".brml",)
    signatures = (b"PK\x03\x04",)

    def recognises(self, start: bytes) -> bool:
        """See `Reader.recognises`."""
        known = any(name in start for name in (b"DataContainer.xml", b"/RawData"))
        return start.startswith(self.signatures) and known

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`.

        Raises:
            ValueError: It is damaged, or no range is a pattern.
        """
        with check_zip(path) as archive:
            places = {
                (int(one[1]), int(one[2])): one[0]
                for one in map(_RAW_DATA.fullmatch, archive.namelist())
                if one
            }
            facts = [_facts(archive.read(places[place])) for place in sorted(places)]
        if not facts:
            raise ValueError("it holds no RawData0.xml")
        found, notes = ranges(path.read_bytes(), "pattern.brml")
        if len(found) > len(facts):  # ranges of one file have one beam
            facts += [facts[-1]] * (len(found) - len(facts))
        curves = [
            Curve(*points, facts=one, title=f"range {place}")
            for place, (points, one) in enumerate(zip(found, facts, strict=False))
            if points is not None
        ]
        return CurveFile(curves, notes)


def _facts(content: bytes) -> Facts:
    root = parse(content)
    others = {"scan": first(root, "ScanName"), "comment": first(root, "Comment")}
    return Facts(
        scale="counts",
        time_s=number(first(root, "TimePerStep", "TimePerStepEffective")),
        sample=first(root, "SampleName", "SampleID") or "",
        recorded=first(root, "TimeStampStarted") or "",
        others=stated(others),
        **beam_of(
            first(root, "TubeMaterial"),
            number(first(root, "WaveLengthAlpha1")),
            number(first(root, "WaveLengthAlpha2")),
            number(first(root, "WaveLengthRatio")),
        ),
    )
