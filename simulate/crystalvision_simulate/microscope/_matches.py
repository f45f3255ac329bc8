"""What rings and spots of a picture are, if their crystal is known."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal
from crystalvision_simulate.microscope._analyse import Analysed
from crystalvision_simulate.microscope._crystal import Lines, RingMatch, lines_of, match_rings
from crystalvision_simulate.microscope._rings import Rings
from crystalvision_simulate.microscope._zones import ZoneMatch, match_zones, zone_axes

REACH_INV_ANGSTROM = 2.0
"""How far rings of a crystal are looked for [1/Å]."""
_LEAST_LINES = 3  # rings that must be a film's
_TEXTURED = 0.2  # of the score: by how much a film must be likelier than a powder
_CLEAR = 1.0  # of the penalty: zones that are as likely


@dataclass(frozen=True)
class Known:
    """What the user knows.

    Attributes:
        crystal: The crystal that the patterns are of.
        pixel_size_inv_angstrom: About the side of a pixel [1/Å].
        scale_bar_inv_angstrom: What is written at the scale bar [1/Å].
        zone_axis: Direction [uvw] along the beam.
        centre: Column and row of the direct beam, about [pixel].
    """

    crystal: Crystal | None = None
    pixel_size_inv_angstrom: float | None = None
    scale_bar_inv_angstrom: float | None = None
    zone_axis: tuple[int, int, int] | None = None
    centre: tuple[float, float] | None = None


def ring_match(
    rings: Rings,
    above: Float[np.ndarray, "n"],
    powder: Lines,
    reach_px: float,
    size: float | None,
    crystal: Crystal,
) -> tuple[RingMatch | None, Lines]:
    """What rings are, of a powder or of a film whose crystals all have one direction up."""
    width = float(np.median(rings.widths_px))

    def matched(lines: Lines) -> RingMatch | None:
        return match_rings(
            rings.radii_px,
            rings.heights,
            lines,
            reach_px,
            size,
            profile=above,
            width_px=width,
        )

    best, which = matched(powder), powder
    for axis in zone_axes(1):
        lines = lines_of(crystal, REACH_INV_ANGSTROM, axis)
        if lines is None or len(lines.names) < _LEAST_LINES:
            continue
        match = matched(lines)
        if match is not None and len(match.rings) >= _LEAST_LINES:
            least = _TEXTURED if which is powder else 0.0
            if best is None or match.score > best.score + least:
                best, which = match, lines
    return best, which


def zone_match(
    analysed: Analysed, known: Known, size: float | None, *, from_rings: bool
) -> tuple[ZoneMatch | None, tuple[ZoneMatch, ...]]:
    assert analysed.lattice is not None  # noqa: S101 - asked for before
    assert known.crystal is not None  # noqa: S101 - likewise
    geometry = analysed.geometry
    basis = analysed.lattice.basis @ geometry.undistorting
    found = match_zones(
        basis,
        known.crystal,
        known_inv_angstrom=size,
        zone_axis=known.zone_axis,
        round_=from_rings,
    )
    if not found:
        return None, ()
    alike = tuple(one for one in found[1:4] if one.penalty < found[0].penalty + _CLEAR)
    return found[0], alike


def step_error(analysed: Analysed) -> float:
    """Relative error of a lattice's steps."""
    lattice = analysed.lattice
    assert lattice is not None  # noqa: S101 - asked for before
    far = np.linalg.norm(lattice.indices @ lattice.basis, axis=1)
    return float(max(lattice.scatter_px / np.sqrt(len(far)) / max(far.std(), 1.0), 2e-4))
