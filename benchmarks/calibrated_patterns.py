"""How well `calibrate` finds the microscope of pictures as people have them: seeds 1000 and on.

    python benchmarks/calibrated_patterns.py -o calibrated_patterns.json
    python benchmarks/calibrated_patterns.py --seeds 1003 --show pictures

Silver, gold, zinc oxide, austenite and others; rings, grains on rings, spots, or both; pictures of
256 to 1,024 pixels that are not square; an ellipse, a centre off the middle, a strong halo; a bar
or a needle from a side, a disc with or without an arm, or no stop and a saturated beam; counts of
16 bits, or 8 bits with a gamma, a bar, words burnt in, and losses of JPEG. The pictures are made by
this file alone: nothing of the instruments that recipes have is in them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time

import numpy as np
from PIL import Image
from scipy import ndimage

from _microscope import Taken, crystals, take
from crystalvision.errors import InputError
from crystalvision_simulate.microscope import Calibrated, Known, calibrate

_FIRST = 1000


@dataclass(frozen=True)
class Found:
    """By how much what was found is off."""

    name: str
    centre_px: float | None = None
    camera_constant: float | None = None
    ellipse: float | None = None
    mask: float | None = None
    seconds: float = 0.0
    error: str = ""

    @property
    def good(self) -> bool:
        """Whether all is within what `calibrate` is to reach."""
        values = (self.centre_px, self.camera_constant, self.ellipse, self.mask)
        if self.error or any(value is None for value in values):
            return False
        centre, constant, ellipse, mask = (value or 0.0 for value in values)
        return centre <= 0.5 and constant <= 0.005 and ellipse <= 0.005 and mask >= 0.9


def judge(taken: Taken) -> tuple[Found, Calibrated | None]:
    """Calibrate a picture of a known crystal, and compare."""
    start = process_time()
    try:
        (one,) = calibrate([taken.picture], Known(crystal=taken.crystal))
    except InputError as error:
        return Found(taken.name, error=str(error)), None
    size, factor = one.pixel_size_inv_angstrom, one.analysed.factor
    x, y = (one.analysed.on_picture(place) for place in one.geometry.centre)
    double = 2 * np.deg2rad([one.geometry.ellipticity_angle_deg, taken.angle_deg])
    both = np.array([one.geometry.ellipticity, taken.ellipticity])
    ellipse = np.hypot(*np.diff([both * np.cos(double), both * np.sin(double)]).ravel())
    hidden = np.kron(one.analysed.hidden, np.ones((factor, factor))).astype(bool)
    true = taken.hidden[: hidden.shape[0], : hidden.shape[1]]
    written = taken.written[: hidden.shape[0], : hidden.shape[1]]
    # What touches a letter is its edge: it may be hidden or not.
    hidden &= ~ndimage.binary_dilation(written, np.ones((3, 3))) | true
    return Found(
        taken.name,
        float(np.hypot(x - taken.x, y - taken.y)),
        None if size is None else abs(size / factor / taken.pixel - 1),
        float(ellipse) if one.knows_ellipse else None,
        float((hidden & true).sum() / max(1, (hidden | true).sum())) if true.any() else 1.0,
        process_time() - start,
    ), one


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=25)
    parser.add_argument("--seeds", type=int, nargs="*", help="these instead")
    parser.add_argument("--show", type=Path, help="write pictures and figures into this folder")
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    options = parser.parse_args(arguments)
    known = crystals()
    rows = []
    for seed in options.seeds or range(_FIRST, _FIRST + options.count):
        taken = take(seed, known)
        found, one = judge(taken)
        rows.append(asdict(found) | {"good": found.good} | taken.facts)
        numbers = (found.centre_px, found.camera_constant, found.ellipse, found.mask)
        told = " ".join("   —  " if each is None else f"{each:.4f}" for each in numbers)
        print("ok " if found.good else "-- ", told, found.name, found.error, flush=True)
        if options.show:
            _show(options.show, seed, taken, one)
    print(f"{sum(row['good'] for row in rows)} of {len(rows)}", file=sys.stderr)
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _show(folder: Path, seed: int, taken: Taken, one: Calibrated | None) -> None:
    from crystalvision_simulate.microscope import draw

    folder.mkdir(parents=True, exist_ok=True)
    kind = np.uint8 if taken.picture.bits == 8 else np.uint16
    path = folder / f"{seed}.{'png' if taken.picture.bits == 8 else 'tif'}"
    Image.fromarray(taken.picture.counts.astype(kind)).save(path)
    if one is not None:
        draw(one, dark=False).savefig(folder / f"{seed}-found.png", dpi=60)


if __name__ == "__main__":
    main()
