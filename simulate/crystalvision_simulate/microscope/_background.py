"""The smooth background: a halo about the direct beam, and the ring of an amorphous film."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float
from scipy import ndimage, optimize

from crystalvision_simulate.microscope._geometry import Geometry
from crystalvision_simulate.microscope._image import Image, Mask

Profile = Float[np.ndarray, "_"]

_NARROWEST = 0.5  # pixels: the half width of a halo
_FEWEST_RADII = 20
_FEWEST_FITTED = 15


@dataclass(frozen=True)
class Background:
    """`floor + halo / (r² + half_width²) + ring · exp(−(r − radius)² / 2 width²)`.

    Attributes:
        floor: Counts of a pixel far from everything, above those of no electrons.
        halo: Of the Lorentzian [count · pixel²].
        half_width_px: Its half width [pixel].
        ring: Counts on the amorphous ring.
        ring_radius_px: Its radius [pixel].
        ring_width_px: Its standard deviation [pixel].
        misfit: Root mean square of what is left, relative.
    """

    floor: float
    halo: float
    half_width_px: float
    ring: float
    ring_radius_px: float
    ring_width_px: float
    misfit: float

    def at(self, radius_px: Profile) -> Profile:
        """Counts at each radius."""
        return _model(
            np.array(
                [
                    self.floor,
                    self.halo,
                    self.half_width_px,
                    self.ring,
                    self.ring_radius_px,
                    self.ring_width_px,
                ]
            ),
            radius_px,
        )

    def halo_counts(self, reach_px: float) -> float:
        """All counts of the halo within a radius."""
        return float(np.pi * self.halo * np.log1p((reach_px / self.half_width_px) ** 2))

    @property
    def ring_counts(self) -> float:
        """All counts of the amorphous ring."""
        return self.ring * _ring_area(self.ring_radius_px, self.ring_width_px)

    @classmethod
    def of_totals(
        cls,
        halo_counts: float,
        half_width_px: float,
        ring_counts: float,
        ring_radius_px: float,
        ring_width_px: float,
        reach_px: float,
    ) -> Self:
        """A halo and a ring, by all their counts.

        Args:
            halo_counts: All counts of the halo within `reach_px`.
            half_width_px: Its half width [pixel].
            ring_counts: All counts of the amorphous ring.
            ring_radius_px: Its radius [pixel].
            ring_width_px: Its standard deviation [pixel].
            reach_px: A radius [pixel].
        """
        halo = halo_counts / (np.pi * np.log1p((reach_px / half_width_px) ** 2))
        ring = ring_counts / _ring_area(ring_radius_px, ring_width_px)
        return cls(0.0, float(halo), half_width_px, ring, ring_radius_px, ring_width_px, 0.0)


def _ring_area(radius_px: float, width_px: float) -> float:
    """All counts of a ring whose highest is 1."""
    line = np.linspace(0, radius_px + 6 * width_px, 2000)
    density = np.exp(-0.5 * ((line - radius_px) / width_px) ** 2)
    return float(np.trapezoid(2 * np.pi * line * density, line))


@dataclass(frozen=True, eq=False)
class SmoothProfile:
    """What lies below the spots and rings of a picture, at each whole radius.

    Attributes:
        counts: Without those of no electrons, (n,).
        errors: Their standard errors, (n,).
        first: The first radius that was seen.
    """

    counts: Profile
    errors: Profile
    first: int

    @classmethod
    def median(cls, profiles: "Sequence[SmoothProfile]") -> Self:
        """Of several pictures, each as far as it reaches: one that is wrong does not count."""
        reach = int(np.median([len(one.counts) for one in profiles]))
        rows = np.full((2, len(profiles), reach), np.nan)
        for number, one in enumerate(profiles):
            there = min(reach, len(one.counts))
            rows[0, number, :there] = one.counts[:there]
            rows[1, number, :there] = one.errors[:there]
        counts, error = np.nanmedian(rows, axis=1)
        first = int(np.median([one.first for one in profiles]))
        return cls(counts, error / np.sqrt(len(profiles)), first)


def smooth_profile(
    counts: Image, seen: Mask, geometry: Geometry, offset: float
) -> SmoothProfile | None:
    """What lies below the spots and rings of a picture; `None` where too little is seen.

    Args:
        counts: The picture, (h, w).
        seen: What of it shows the pattern, (h, w).
        geometry: Its centre and ellipse.
        offset: Counts without electrons.
    """
    median, error, first = radial_profile(counts, seen, geometry)
    window = 2 * max(4, len(median) // 30) + 1
    known = np.flatnonzero(np.isfinite(median))
    if len(known) < _FEWEST_RADII:
        return None
    # The first annuli are half in the shadow of the stop.
    first += int(np.argmax(median[known[:8]]))
    whole = np.interp(np.arange(len(median)), known, median[known])
    whole[:first] = whole[first]
    opened = ndimage.grey_opening(whole, window)
    errors = np.nan_to_num(error, nan=float(np.nanmax(error)))
    return SmoothProfile(opened - offset, errors, first)


def radial_profile(counts: Image, seen: Mask, geometry: Geometry) -> tuple[Profile, Profile, int]:
    """Counts at each whole undistorted radius, their standard errors, and the first one seen."""
    far, _ = geometry.polar(counts.shape)
    whole = np.rint(far).astype(int)
    reach = int(np.quantile(far[seen], 0.98)) + 1
    median, error = np.full(reach, np.nan), np.full(reach, np.nan)
    order = np.argsort(whole[seen], kind="stable")
    radii, values = whole[seen][order], counts[seen][order]
    starts = np.searchsorted(radii, np.arange(reach + 1))
    for radius in range(reach):
        part = values[starts[radius] : starts[radius + 1]]
        if len(part) >= 4:
            low = part[part <= np.quantile(part, 0.75)]  # without spots
            median[radius] = float(np.median(part))
            error[radius] = float(low.std() + 1e-12) / np.sqrt(len(part))
    known = np.flatnonzero(np.isfinite(median))
    first = int(known[0]) if len(known) else reach
    return median, error, first


def fit_background(profile: SmoothProfile | None) -> Background | None:
    """Fit the background by least squares, from the best of a grid of its widths and places.

    Returns:
        The background; `None` where there is too little to fit.
    """
    if profile is None:
        return None
    radius = np.arange(len(profile.counts), dtype=np.float64)
    usable = (radius >= profile.first) & np.isfinite(profile.counts)
    if usable.sum() < _FEWEST_FITTED:
        return None
    radius, values = radius[usable], profile.counts[usable]
    # What a smooth model misses goes with what is there, and counts more than noise.
    error = np.minimum(profile.errors[usable], 0.05 * np.abs(values)) + 0.05 * np.abs(values)
    error += 0.003 * float(np.abs(values).max()) + 1e-9
    reach = float(radius.max())
    first_guess = _from_a_grid(radius, values, error)
    bounds = np.array(
        [
            (0, np.inf),
            (0, np.inf),
            (_NARROWEST, reach / 2),
            (0, np.inf),
            (0.1 * reach, 0.9 * reach),
            (0.04 * reach, 0.25 * reach),
        ]
    )
    fitted = optimize.least_squares(
        lambda numbers: (_model(numbers, radius) - values) / error,
        np.clip(first_guess, bounds[:, 0], bounds[:, 1]),
        bounds=(bounds[:, 0], bounds[:, 1]),
        x_scale=np.maximum(first_guess, 1e-3 * float(np.abs(values).max()) + 1e-9),
    )
    rest = _model(fitted.x, radius) - values
    misfit = float(np.sqrt(np.mean((rest / np.maximum(values, 0.05 * values.max())) ** 2)))
    floor, halo, half_width, ring, place, width = map(float, fitted.x)
    return Background(floor, halo, half_width, ring, place, width, misfit)


def _from_a_grid(radius: Profile, values: Profile, error: Profile) -> Float[np.ndarray, "6"]:
    """The numbers of `_model` that fit best, of few widths and places."""
    reach = float(radius.max())
    least, best = np.inf, np.zeros(6)
    for half_width in np.geomspace(_NARROWEST, reach / 2, 14):
        halo = half_width**2 / (radius**2 + half_width**2)
        for place in np.linspace(0.15, 0.8, 9) * reach:
            for width in np.array([0.06, 0.1, 0.16]) * reach:
                ring = np.exp(-0.5 * ((radius - place) / width) ** 2)
                design = np.stack([np.ones(len(radius)), halo, ring], axis=1) / error[:, None]
                amounts, cost = optimize.nnls(design, values / error)
                if cost < least:
                    floor, top, height = amounts
                    least = float(cost)
                    best = np.array([floor, top * half_width**2, half_width, height, place, width])
    return best


def _model(numbers: Float[np.ndarray, "6"], radius: Profile) -> Profile:
    floor, halo, half_width, ring, place, width = numbers
    model: Profile = (
        floor
        + halo / (radius**2 + half_width**2)
        + ring * np.exp(-0.5 * ((radius - place) / width) ** 2)
    )
    return model
