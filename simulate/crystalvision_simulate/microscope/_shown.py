"""What pictures show besides spots and rings: measured ones, and simulated ones alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float

from crystalvision.errors import InputError
from crystalvision.samples import Sample
from crystalvision_simulate.microscope._analyse import Analysed
from crystalvision_simulate.microscope._background import (
    Background,
    SmoothProfile,
    fit_background,
    smooth_profile,
)
from crystalvision_simulate.microscope._blemishes import LEAST_GAIN, noise_of
from crystalvision_simulate.microscope._calibrate import Calibrated, smooth_of
from crystalvision_simulate.microscope._geometry import Geometry
from crystalvision_simulate.microscope._twin import pixels_in_one, pixels_of_twin

_FEWEST = 3  # simulated pictures: fewer do not tell how they scatter


@dataclass(frozen=True, slots=True)
class Smooth:
    """What pictures show besides spots and rings.

    Attributes:
        halo_counts: Counts of the halo.
        half_width_px: Its half width [pixel].
        ring_counts: Counts of the broad ring.
        ring_radius_px: Its radius [pixel].
        ring_width_px: Its standard deviation [pixel].
        gain: Counts of an electron, from the noise.
    """

    halo_counts: float
    half_width_px: float
    ring_counts: float
    ring_radius_px: float
    ring_width_px: float
    gain: float

    @classmethod
    def of(cls, background: Background, gain: float, reach_px: float) -> Self:
        """Of a background, with the counts of the halo within a radius."""
        return cls(
            background.halo_counts(reach_px),
            background.half_width_px,
            background.ring_counts,
            background.ring_radius_px,
            background.ring_width_px,
            gain,
        )

    @property
    def numbers(self) -> Float[np.ndarray, "6"]:
        """All of them, in the order above."""
        return np.array(astuple(self))


@dataclass(frozen=True, eq=False)
class Shown:
    """What several pictures show.

    Attributes:
        together: Of the median of all their profiles.
        each: Numbers of each picture, nan where its own background could not be fitted, (n, 6).
        first_px: The first radius that is seen: nearer is the stop [pixel].
    """

    together: Smooth
    each: Float[np.ndarray, "n 6"]
    first_px: float

    @classmethod
    def of(
        cls, profiles: Sequence[SmoothProfile | None], gains: Sequence[float], reach_px: float
    ) -> Self | None:
        """`None` where no background could be fitted."""
        known = [one for one in profiles if one is not None]
        if not known:
            return None
        middle = SmoothProfile.median(known)
        whole = fit_background(middle)
        each = np.full((len(profiles), 6), np.nan)
        for number, (profile, gain) in enumerate(zip(profiles, gains, strict=True)):
            alone = fit_background(profile)
            if alone is not None:
                each[number] = Smooth.of(alone, gain, reach_px).numbers
        if whole is None or np.isnan(each).all():
            return None
        told = [gain for gain in gains if gain > LEAST_GAIN]
        gain = float(np.median(told)) if told else 0.0
        return cls(Smooth.of(whole, gain, reach_px), each, float(middle.first))

    @property
    def fitted(self) -> Float[np.ndarray, "m 6"]:
        """Numbers of the pictures that have some."""
        known: Float[np.ndarray, "m 6"] = self.each[~np.isnan(self.each).any(axis=1)]
        return known


def shown_by(found: Sequence[Calibrated], reach_px: float) -> Shown | None:
    """What measured pictures show; `None` where no background could be fitted."""
    profiles = [smooth_of(one.analysed, one.geometry) for one in found]
    return Shown.of(profiles, [_gain(one.analysed) for one in found], reach_px)


def _gain(analysed: Analysed) -> float:
    """Counts of an electron without the edge of the stop, as far as noise tells them."""
    if analysed.noise.gain <= LEAST_GAIN:
        return analysed.noise.gain
    return noise_of(analysed.measured.counts, analysed.hidden).gain


def shown_by_simulated(
    samples: Iterable[Sample],
    instrument: Mapping[str, Any],
    found: Sequence[Calibrated],
    reach_px: float,
) -> Shown:
    """What simulated pictures show, on the pixels and in the counts of the measured ones.

    Raises:
        InputError: No background could be fitted to them.
    """
    count = pixels_of_twin(found)
    factor = min(found[0].analysed.hidden.shape) / count
    geometry = Geometry(
        instrument["centre_offset_x_px"] + count // 2,
        instrument["centre_offset_y_px"] + count // 2,
        instrument.get("ellipticity", 0.0),
        instrument.get("ellipticity_angle_deg", 0.0),
    )
    profiles: list[SmoothProfile | None] = []
    gains = []
    for sample in samples:
        image = sample.image[0].astype(np.float64)
        seen = np.ones(image.shape, bool) if sample.seen is None else sample.seen[0]
        # The darkest pixels count as none, those of the stop with them, as of measured pictures.
        offset = noise_of(image, np.zeros_like(seen)).offset
        profiles.append(smooth_profile(image, seen, geometry, offset))
        gains.append(noise_of(image, ~seen).gain)
    shown = Shown.of(profiles, gains, reach_px / factor)
    if shown is None or len(shown.fitted) < _FEWEST:
        raise InputError(
            "no background could be fitted to pictures of the recipe that the twin takes"
        )
    counts = pixels_in_one(found, factor)
    units = np.array([counts, factor, counts, factor, factor, counts])
    together = Smooth(*(shown.together.numbers * units).tolist())
    return Shown(together, shown.each * units, shown.first_px * factor)
