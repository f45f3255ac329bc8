"""Finds what a picture shows that is none of its counts, and how these scatter."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from crystalvision_simulate.microscope._image import Image, Mask, Measured
from crystalvision_simulate.microscope._writing import find_writing

_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
_NEXT = 0.12  # of the step from background to a burnt-in pixel: what its neighbour may have of it
_SIGNIFICANT = 8.0  # standard deviations
_DEAD = 4.5
_STICKS_OUT = 0.2
LEAST_GAIN = 1e-3
"""Counts of an electron: less is no noise of counting."""
_BINS = 14
_EIGHT_BITS = 255.0
_LEAST_LEVEL = 6.0  # of 255: below it, rounding hides the noise
_UNLIKE = 0.35  # standard deviation of log variance about a power of the level


@dataclass(frozen=True, eq=False)
class Noise:
    """Variance of a pixel as `floor + gain * (mean - offset)` [count²].

    Attributes:
        floor: That of reading [count²].
        gain: Counts of an electron, as far as the variance tells.
        offset: Counts of a pixel without electrons.
    """

    floor: float
    gain: float
    offset: float

    def sigma(self, mean: Image) -> Image:
        """Standard deviation of pixels of this mean [count]."""
        above = np.maximum(mean - self.offset, 0)
        deviation: Image = np.sqrt(self.floor + self.gain * np.maximum(above, self.gain))
        return deviation


@dataclass(frozen=True, eq=False)
class Blemishes:
    """What was found.

    Attributes:
        hot: Single pixels that are far above all about them, (h, w).
        dead: Single pixels that read nothing among bright ones, (h, w).
        written: Pixels of bars, text and frames, and those of which nothing was measured, (h, w).
        bar_px: Length of the scale bar [pixel]; 0 for none.
    """

    hot: Mask
    dead: Mask
    written: Mask
    bar_px: float

    @property
    def hidden(self) -> Mask:
        """All of them, (h, w)."""
        hidden: Mask = self.hot | self.dead | self.written
        return hidden


def noise_of(counts: Image, hidden: Mask) -> Noise:
    """How pixels scatter about the mean of their neighbours, by that mean."""
    level, variance = _scatter(counts, hidden)
    offset = float(level[0])
    if len(level) < 3:
        return Noise(max(float(variance.max()), 1e-12), 0.0, offset)
    level, variance = level[1:] - offset, variance[1:]
    weight = 1 / np.maximum(variance, variance.max() * 1e-6)
    middle = np.average(level, weights=weight)
    gain = np.sum(weight * (level - middle) * variance)
    gain = max(float(gain / np.sum(weight * (level - middle) ** 2)), 0.0)
    floor = max(float(np.average(variance - gain * level, weights=weight)), 1e-12)
    return Noise(floor, gain, offset)


def gamma_of(counts: Image, hidden: Mask, full: float) -> float:
    """The gamma of a picture, from its noise; 1 where that does not tell.

    Of n electrons a picture holds x ∝ n^γ, which scatters by γ x / √n: its variance goes as
    x^(2 − 1/γ), that of counts themselves as x.
    """
    level, variance = _scatter(counts, hidden)
    level, variance = level[1:], variance[1:] - 1 / 12  # of rounding
    usable = (level > _LEAST_LEVEL) & (level < 0.7 * full) & (variance > 0.3)
    if usable.sum() < 4 or level[usable].max() < 2 * level[usable].min():
        return 1.0
    x, y = np.log(level[usable]), np.log(variance[usable])
    power, start = np.polyfit(x, y, 1)
    rest = y - power * x - start
    if rest.std() > _UNLIKE or not -0.6 < power < 0.75:
        return 1.0
    return float(1 / (2 - power))


def _scatter(counts: Image, hidden: Mask) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]]:
    """The darkest level, then levels of flat parts of the picture, and the variance at each."""
    mean = ndimage.gaussian_filter(counts, 2.0)
    corners = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1]]) / 4
    rest = counts - ndimage.convolve(counts, corners)
    slope = ndimage.gaussian_gradient_magnitude(counts, 2.0)
    usable = ~ndimage.binary_dilation(hidden, iterations=3)
    levels, variances = [float(np.percentile(mean[usable], 0.5))], [0.0]
    edges = np.unique(np.quantile(mean[usable], np.linspace(0, 0.98, _BINS + 1)))
    for low, high in pairwise(edges):
        chosen = usable & (mean >= low) & (mean <= high)
        if chosen.sum() < 50:
            continue
        flat = chosen & (slope <= np.quantile(slope[chosen], 0.5))
        levels.append(float(mean[flat].mean()))
        variances.append(float((rest[flat] ** 2).mean()) / 1.25)
    return np.array(levels), np.array(variances)


def find_blemishes(measured: Measured) -> tuple[Measured, Blemishes, Noise, float]:
    """Find bad pixels, bars, text and frames, and undo the gamma of a picture of 8 bits.

    Returns:
        The picture as counts, what is none of them, their noise, and the gamma.
    """
    written, bar = find_writing(measured.counts)
    if measured.unmeasured is not None:
        written |= measured.unmeasured
    gamma = 1.0
    if measured.full == _EIGHT_BITS:
        gamma = gamma_of(measured.counts, written, measured.full)
        if gamma != 1:
            relative = np.clip(measured.counts / measured.full, 0, 1)
            measured = replace(measured, counts=measured.full * relative ** (1 / gamma))
    counts = measured.counts
    noise = noise_of(counts, written)
    hot, dead = _bad_pixels(counts, noise)
    noise = noise_of(counts, written | hot | dead)
    if measured.bits is not None:  # rounding scatters, too
        noise = replace(noise, floor=max(noise.floor, 1 / 12))
    return measured, Blemishes(hot & ~written, dead & ~written, written, bar), noise, gamma


def _bad_pixels(counts: Image, noise: Noise) -> tuple[Mask, Mask]:
    """Hot and dead pixels."""
    middle = ndimage.percentile_filter(counts, 50, footprint=_NEIGHBOURS)
    highest = ndimage.percentile_filter(counts, 85, footprint=_NEIGHBOURS)
    lowest = ndimage.percentile_filter(counts, 15, footprint=_NEIGHBOURS)
    sigma = noise.sigma(middle)
    above = counts - middle
    # Without noise that tells, only what sticks out of the whole picture does.
    least = 12 * noise.gain if noise.gain > LEAST_GAIN else _STICKS_OUT * np.ptp(counts)
    hot = above > np.maximum(_SIGNIFICANT * sigma, least)
    hot &= highest - middle < _NEXT * above
    dead = middle - counts > _DEAD * sigma
    dead &= (counts - noise.offset <= 0.1 * (middle - noise.offset)) & (
        lowest - noise.offset > 0.4 * (middle - noise.offset)
    )
    return hot, dead
