"""BLO files of NanoMegas (ASTAR): a scan of patterns of 8 bits, and a picture of the scan."""

import struct
from pathlib import Path

import numpy as np

from crystalvision.contracts import Frame, MeasuredFile, Reader
from crystalvision_readers._microscopy import (
    Scale,
    Stack,
    StackedFile,
    electron_facts,
    image_axes,
    on_disk,
)

# Name, magic, where the picture and the patterns start, unknown, side of a pattern [pixel], its
# rotation, columns and rows of the scan, its rotation, its steps [nm], voltage [V], pixels of the
# screen [1/100 per cm], camera length [mm/10], exposure [s or ms].
_HEADER = struct.Struct("<6sHIIIHHHHHddIHId")
_BEFORE = 6  # bytes before each pattern
_MOST_SIDE = 2**13


class Blockfile(Reader):
    """Scans of NanoMegas."""

    format = "BLO"
    suffixes = (".blo",)
    signatures = (b"IMGBLO",)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        with path.open("rb") as file:
            start = file.read(_HEADER.size)
        if len(start) < _HEADER.size:
            raise ValueError("it is cut short")
        _, _, _, begin, _, side, _, columns, rows, _, _, _, volt, screen, length, _ = (
            _HEADER.unpack(start)
        )
        if not (0 < side <= _MOST_SIDE and columns and rows):
            raise ValueError(f"its header says {rows}×{columns} patterns of {side} pixels")
        one = np.dtype([("before", f"V{_BEFORE}"), ("pixels", "u1", (side, side))])
        scan = on_disk(str(path), one, begin, (rows, columns))
        energy = volt / 1e3
        # Of a pixel on the screen, the angle: 1 / (pixels a cm) over the camera length.
        angle = 0.0 if not screen or not length else (1e3 / screen) / (length / 10)
        scale = Scale(angle, "rad")
        axes, assumed = image_axes((side, side), (scale, scale), energy or None)
        facts = electron_facts(energy_kev=energy, camera_length_mm=length / 10, assumed=assumed)
        frame = Frame((side, side), "uint8", axes=axes, facts=facts)
        return StackedFile([Stack(scan["pixels"], frame, (2, 3))])
