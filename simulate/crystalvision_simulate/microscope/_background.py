"""The smooth background: a halo about the direct beam, and the ring of an amorphous film."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import optimize

Profile = Float[np.ndarray, "_"]

_NARROWEST = 0.5  # pixels: the half width of a halo


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


def fit_background(
    profile: Profile, sigma: Profile, first: int, offset: float
) -> Background | None:
    """Fit the background by least squares, from the best of a grid of its widths and places.

    Args:
        profile: Counts at each whole radius, without rings and spots, (n,).
        sigma: Their standard errors, (n,).
        first: The first radius that was seen.
        offset: Counts without electrons.

    Returns:
        The background; `None` where there is too little to fit.
    """
    radius = np.arange(len(profile), dtype=np.float64)
    usable = (radius >= first) & np.isfinite(profile)
    if usable.sum() < 15:
        return None
    radius, values = radius[usable], profile[usable] - offset
    # What a smooth model misses goes with what is there, and counts more than noise.
    error = np.minimum(sigma[usable], 0.05 * np.abs(values)) + 0.05 * np.abs(values)
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
    return Background(offset + floor, halo, half_width, ring, place, width, misfit)


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
