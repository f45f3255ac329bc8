"""What rings and spots of a picture are, if their crystal is known."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal
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
    basis: Float[np.ndarray, "2 2"],
    crystal: Crystal,
    size: float | None,
    *,
    zone_axis: tuple[int, int, int] | None,
    from_rings: bool,
) -> tuple[ZoneMatch | None, tuple[ZoneMatch, ...]]:
    """Which zone axis two steps of a lattice show, and those that are about as likely.

    Args:
        basis: The steps, without what distorts the picture [pixel].
        crystal: What it is of.
        size: Side of a pixel [1/Å], if it is known.
        zone_axis: The axis, if it is known.
        from_rings: Whether rings have told the distortion already.
    """
    found = match_zones(
        basis, crystal, known_inv_angstrom=size, zone_axis=zone_axis, round_=from_rings
    )
    if not found:
        return None, ()
    alike = tuple(one for one in found[1:4] if one.penalty < found[0].penalty + _CLEAR)
    return found[0], alike
