"""The smooth background: a halo about the direct beam, and the ring of an amorphous film."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import optimize

Profile = Float[np.ndarray, "n"]


@dataclass(frozen=True)
class Background:
    """`floor + halo / (r² + half_width²) + ring · exp(−(r − radius)² / 2 width²)`.

    Attributes:
        floor: Counts of a pixel far from everything.
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
        line = np.linspace(0, self.ring_radius_px + 6 * self.ring_width_px, 2000)
        density = np.exp(-0.5 * ((line - self.ring_radius_px) / self.ring_width_px) ** 2)
        return float(self.ring * np.trapezoid(2 * np.pi * line * density, line))


def fit_background(profile: Profile, sigma: Profile, first: int) -> Background | None:
    """Fit the background.

    Args:
        profile: Counts at each whole radius, without rings and spots, (n,).
        sigma: Their standard errors, (n,).
        first: The first radius that was seen.

    Returns:
        The background; `None` where there is too little to fit.
    """
    radius = np.arange(len(profile), dtype=np.float64)
    usable = (radius >= first) & np.isfinite(profile)
    if usable.sum() < 15:
        return None
    radius, values = radius[usable], profile[usable]
    error = np.maximum(sigma[usable], 0.02 * np.maximum(values - values.min(), 0) + 1e-9)
    reach = float(radius.max())
    height = max(float(values.max() - values.min()), 1e-9)
    best = None
    for half_width in (0.5, 4.0, 20.0):
        for place in (0.25, 0.45, 0.65):
            start = [
                values.min(),
                height * (radius[0] ** 2 + half_width**2),
                half_width,
                0.1 * height,
                place * reach,
                0.1 * reach,
            ]
            low = [-np.inf, 0, 0.05, 0, 0.1 * reach, 0.03 * reach]
            high = [np.inf, np.inf, reach, np.inf, reach, 0.4 * reach]
            found = optimize.least_squares(
                lambda numbers: (_model(numbers, radius) - values) / error,
                np.clip(start, np.array(low) + 1e-9, np.array(high) - 1e-9),
                bounds=(low, high),
                loss="soft_l1",
                max_nfev=60,
                x_scale=np.maximum(np.abs(start), 1e-6),
            )
            if best is None or found.cost < best.cost:
                best = found
    assert best is not None  # noqa: S101 - there are starts
    rest = _model(best.x, radius) - values
    misfit = float(np.sqrt(np.mean(rest**2)) / height)
    return Background(*(float(one) for one in best.x), misfit=misfit)


def _model(numbers: Float[np.ndarray, "6"], radius: Profile) -> Profile:
    floor, halo, half_width, ring, place, width = numbers
    model: Profile = (
        floor
        + halo / (radius**2 + half_width**2)
        + ring * np.exp(-0.5 * ((radius - place) / width) ** 2)
    )
    return model
