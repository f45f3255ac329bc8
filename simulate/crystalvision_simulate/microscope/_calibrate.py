"""From what pictures show, and a crystal that is known, to the numbers of a microscope."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.microscope._analyse import Analysed, analyse
from crystalvision_simulate.microscope._background import (
    Background,
    SmoothProfile,
    fit_background,
    smooth_profile,
)
from crystalvision_simulate.microscope._crystal import (
    Lines,
    RingMatch,
    lines_of,
    match_lengths,
    refine_by_profile,
)
from crystalvision_simulate.microscope._geometry import Geometry
from crystalvision_simulate.microscope._image import Measured
from crystalvision_simulate.microscope._matches import (
    REACH_INV_ANGSTROM,
    Known,
    ring_match,
    zone_match,
)
from crystalvision_simulate.microscope._zones import ZoneMatch

_MOST_LENGTHS = 12
_ROUGH = 0.02  # relative error of a size that is given, or follows from distances alone
_SURE_ELLIPSE = 0.005  # relative error of a lattice's steps
_POOLED = "distances of spots in all pictures"
_SUREST = "the lattice of spots in "
_MANY = 12  # spots of a lattice that tells the size for pictures that show fewer
_LIKELY = 3.0  # of the penalty of its zone


@dataclass(frozen=True, eq=False)
class Calibrated:
    """One picture, calibrated.

    Attributes:
        analysed: What it shows.
        geometry: Centre and ellipse.
        pixel_size_inv_angstrom: Side of a pixel [1/Å]; `None` where nothing tells.
        pixel_size_error: Its relative standard error.
        pixel_size_from: What it follows from, such as `rings` or `the file`.
        rings: What its rings are; `None` where they are not known.
        zone: What its spots are; `None` where they are not known.
        other_zones: What they may be as well.
        background: Its background; `None` where it could not be fitted.
        lines: The rings that its crystal may have, of a powder or a film; `None` without a crystal.
    """

    analysed: Analysed
    geometry: Geometry
    pixel_size_inv_angstrom: float | None
    pixel_size_error: float
    pixel_size_from: str
    rings: RingMatch | None
    zone: ZoneMatch | None
    other_zones: tuple[ZoneMatch, ...]
    background: Background | None
    lines: Lines | None = None

    @property
    def knows_ellipse(self) -> bool:
        """Whether rings or a zone told the ellipse; else it is taken for none."""
        lattice = self.analysed.lattice
        return self.analysed.rings is not None or (
            self.zone is not None and lattice is not None and lattice.step_error < _SURE_ELLIPSE
        )


def calibrate(pictures: Sequence[Measured], known: Known) -> list[Calibrated]:
    """Calibrate pictures of one camera at one camera length.

    Raises:
        InputError: A picture shows nothing, or they are of different sizes, or a scale bar was
            promised that is not there.
    """
    shapes = {picture.counts.shape for picture in pictures}
    if len(shapes) > 1:
        raise InputError(
            f"pictures of different sizes: {', '.join('×'.join(map(str, s)) for s in shapes)} "
            "pixels; calibrate those of one camera together, and others by themselves"
        )
    analysed = [analyse(picture, known.centre) for picture in pictures]
    if len(analysed) > 2 and known.centre is None:
        analysed = _agreed(analysed)
    crystal = known.crystal
    lines = None if crystal is None else lines_of(crystal, REACH_INV_ANGSTROM)
    prior, source = _prior(analysed, known)
    ringless = not any(one.rings is not None for one in analysed)
    if crystal is not None and lines is not None and ringless:
        pooled = _pooled(analysed, lines, prior)
        if len(analysed) > 1 and pooled is not None:
            prior, source = pooled.pixel_size_inv_angstrom, _POOLED
            error = _ROUGH
            surest = _surest(analysed, crystal, known.zone_axis, prior)
            if surest is not None:  # it has all directions, where distances have few
                prior, error, source = surest
            together = prior, error, source
            return [_calibrated(one, known, lines, together, pooled=True) for one in analysed]
    return [_calibrated(one, known, lines, (prior, _ROUGH, source)) for one in analysed]


def _surest(
    analysed: Sequence[Analysed],
    crystal: Crystal,
    zone_axis: tuple[int, int, int] | None,
    prior: float,
) -> tuple[float, float, str] | None:
    """Side of a pixel [1/Å], its relative error and its source: of the picture of most spots."""
    rich = [(one.lattice, one) for one in analysed if one.lattice is not None]
    for lattice, one in sorted(rich, key=lambda pair: -len(pair[0].members)):
        if len(lattice.members) < _MANY:
            break
        basis = lattice.basis @ one.geometry.undistorting
        zone, _ = zone_match(basis, crystal, prior, zone_axis=zone_axis, from_rings=False)
        if zone is not None and zone.penalty < _LIKELY:
            error = float(np.hypot(lattice.step_error, zone.ellipticity / 2))
            return zone.pixel_size_inv_angstrom, error, _SUREST + one.measured.name
    return None


def _agreed(analysed: Sequence[Analysed]) -> list[Analysed]:
    """Pictures whose centres agree: one that is elsewhere is looked at again about the others."""
    centres = np.array([one.geometry.centre for one in analysed])
    middle = np.median(centres, axis=0)
    about = (float(middle[0]), float(middle[1]))  # on the pixels of what was analysed
    off = np.linalg.norm(centres - middle, axis=1)
    near = float(np.median(off)) * 3 + 3.0
    return [
        one if distance <= near or one.rings is not None else analyse(one.measured, about)
        for one, distance in zip(analysed, off, strict=True)
    ]


def _prior(analysed: Sequence[Analysed], known: Known) -> tuple[float | None, str]:
    """The side of a pixel before the crystal is asked [1/Å], and who says so."""
    if known.scale_bar_inv_angstrom:
        bars = [one.blemishes.bar_px / one.factor for one in analysed if one.blemishes.bar_px]
        if not bars:
            raise InputError(
                f"{analysed[0].measured.name}: no scale bar was found; give the size of a pixel "
                "(--pixel-size), or a crystal (--crystal)"
            )
        return known.scale_bar_inv_angstrom / float(np.median(bars)), "the scale bar"
    if known.pixel_size_inv_angstrom:
        return known.pixel_size_inv_angstrom * analysed[0].factor, "the user"
    for one in analysed:
        if one.measured.pixel_size_inv_angstrom:
            return one.measured.pixel_size_inv_angstrom, "the file"
    return None, ""


def _pooled(analysed: Sequence[Analysed], lines: Lines, prior: float | None) -> RingMatch | None:
    """The side of a pixel from distances of the spots of all pictures."""
    lengths, weights = [], []
    for one in analysed:
        far = np.linalg.norm(one.geometry.vectors(one.spots.points), axis=1)
        away = far > 6 * one.spots.sigma_px
        nearest = np.argsort(far[away], kind="stable")[:_MOST_LENGTHS]
        lengths += far[away][nearest].tolist()
        weights += [1 / max(1, len(nearest))] * len(nearest)
    if len(lengths) < 3:
        return None
    return match_lengths(np.array(lengths), np.array(weights), lines, prior)


def _calibrated(
    analysed: Analysed,
    known: Known,
    lines: Lines | None,
    prior: tuple[float | None, float, str],
    *,
    pooled: bool = False,
) -> Calibrated:
    """One picture; `prior` is the side of a pixel, its error and its source, of all if `pooled`."""
    geometry, (size, error, source) = analysed.geometry, prior
    match: RingMatch | None = None
    zone: ZoneMatch | None = None
    others: tuple[ZoneMatch, ...] = ()
    if known.crystal is not None and lines is not None and analysed.rings is not None:
        far, _ = geometry.polar(analysed.hidden.shape)
        rings = analysed.rings
        above = np.clip(rings.profile - rings.baseline, 0, None)
        width = float(np.median(rings.widths_px))
        reach = float(np.quantile(far, 0.9))
        match, lines = ring_match(rings, above, lines, reach, size, known.crystal)
        if match is not None:
            match = refine_by_profile(match, lines, above, width)
            size, error, source = match.pixel_size_inv_angstrom, match.error, "rings"
    lattice = analysed.lattice
    if known.crystal is not None and lattice is not None:
        basis, told = lattice.basis @ geometry.undistorting, match is not None
        zone, others = zone_match(
            basis, known.crystal, size, zone_axis=known.zone_axis, from_rings=told
        )
    if zone is not None and lattice is not None and analysed.rings is None:
        scatter = lattice.step_error
        if scatter < _SURE_ELLIPSE or not pooled:
            size, error, source = zone.pixel_size_inv_angstrom, scatter, "spots"
        if scatter < _SURE_ELLIPSE:
            geometry = Geometry.distorted(geometry.x, geometry.y, zone.distortion)
    return Calibrated(
        analysed,
        geometry,
        size,
        error,
        source,
        match,
        zone,
        others,
        fit_background(smooth_of(analysed, geometry)),
        lines,
    )


def smooth_of(analysed: Analysed, geometry: Geometry) -> SmoothProfile | None:
    """What lies below the spots and rings of a picture."""
    return smooth_profile(analysed.measured.counts, analysed.seen, geometry, analysed.noise.offset)
