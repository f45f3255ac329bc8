"""Text files of GSAS, one bank or several; they state no wavelength."""

from pathlib import Path

from crystalvision.contracts import Facts, MeasuredFile, Reader
from crystalvision.measured_files import content_of
from crystalvision_readers._curves import Curve, CurveFile, stated
from crystalvision_readers._geddes import ranges
from crystalvision_readers._text import decode


class Gsas(Reader):
    """Counts of every bank in 2θ, in the layouts STD, ESD, ALT and FXYE."""

    format = "GSAS"
    suffixes = (".raw", ".gsas", ".gsa", ".gss", ".gda", ".fxye")

    def recognises(self, start: bytes) -> bool:
        """See `Reader.recognises`."""
        lines = start.replace(b"\r", b"\n").split(b"\n")
        return any(line.startswith(b"BANK") for line in lines)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`.

        Raises:
            ValueError: It is cut short, or no bank is a pattern.
        """
        text = decode(content_of(path))
        lines = text.splitlines()
        banks = [line for line in lines if line.startswith("BANK")]
        if not banks:
            raise ValueError("it has no line BANK")
        found, notes = ranges(text.encode(), "pattern.gsas", len(banks))
        title = "" if lines[0].startswith("BANK") else lines[0].strip()
        curves = [
            Curve(
                *points,
                facts=Facts(sample=title, others=stated({"bank": bank.strip()})),
                title=" ".join(bank.split()[:2]),
            )
            for bank, points in zip(banks, found, strict=True)
            if points is not None
        ]
        return CurveFile(curves, notes)
