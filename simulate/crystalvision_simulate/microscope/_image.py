"""A measured pattern, and small tools for images of which parts are hidden."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage
from scipy.fft import irfft2, next_fast_len, rfft2

Image = Float[np.ndarray, "h w"]
Mask = Bool[np.ndarray, "h w"]
Map = Float[np.ndarray, "_ _"]


@dataclass(frozen=True, eq=False)
class Measured:
    """One measured pattern.

    Attributes:
        name: What to call it.
        counts: Its numbers, (h, w).
        bits: Bits of its whole numbers; `None` for real ones.
        full: Where its pixels are full; infinite where none is.
        pixel_size_inv_angstrom: Side of a pixel as its file says [1/Å]; `None` where it does not.
        unmeasured: Pixels that nothing was measured of, (h, w); `None` for none.
    """

    name: str
    counts: Image
    bits: int | None = None
    full: float = float("inf")
    pixel_size_inv_angstrom: float | None = None
    unmeasured: Mask | None = None


def binned(
    measured: Measured, hidden: Mask, factor: int
) -> tuple[Measured, Bool[np.ndarray, "_ _"]]:
    """A picture of fewer pixels, each the sum of a square of them, and which of these are hidden.

    What is hidden of a square has the mean of what is seen of it; a square is hidden where most is.
    Rows and columns that fill no square are left out.
    """
    if factor == 1:
        return measured, hidden
    height, width = (size // factor for size in hidden.shape)
    blocks = (height, factor, width, factor)
    inner = (slice(height * factor), slice(width * factor))
    seen = (~hidden[inner]).reshape(blocks).sum(axis=(1, 3))
    total = np.where(hidden, 0, measured.counts)[inner].reshape(blocks).sum(axis=(1, 3))
    size = measured.pixel_size_inv_angstrom
    flaws = seen < 0.5 * factor**2
    fewer = replace(
        measured,
        counts=total / np.maximum(seen, 1) * factor**2,
        full=measured.full * factor**2,
        pixel_size_inv_angstrom=None if size is None else size * factor,
        unmeasured=flaws,
    )
    return fewer, flaws


def distances(shape: tuple[int, int], centre: tuple[float, float]) -> Image:
    """Distance of every pixel from a centre (x, y) [pixel], (h, w)."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    far: Image = np.hypot(columns - centre[0], rows - centre[1])
    return far


def smoothed(image: Image, seen: Mask, sigma: float) -> Image:
    """Gaussian mean of the seen pixels, also where nothing was seen, (h, w)."""
    weight = ndimage.gaussian_filter(seen.astype(np.float64), sigma, mode="constant")
    total = ndimage.gaussian_filter(np.where(seen, image, 0.0), sigma, mode="constant")
    outside = float(np.median(image[seen])) if seen.any() else 0.0
    mean: Image = np.where(weight > 1e-6, total / np.maximum(weight, 1e-6), outside)
    return mean


def filled(image: Image, seen: Mask) -> Image:
    """The image, where not seen the mean of what was about it, (h, w)."""
    result, known = image.copy(), seen.copy()
    sigma = 1.5
    while not known.all() and sigma < max(image.shape):
        mean = smoothed(image, seen, sigma)
        near = ndimage.gaussian_filter(seen.astype(np.float64), sigma, mode="constant") > 0.05
        take = ~known & near
        result[take] = mean[take]
        known |= take
        sigma *= 2
    result[~known] = float(np.median(image[seen])) if seen.any() else 0.0
    return result


def inversion_symmetry(image: Image, seen: Mask) -> Map:
    """How alike the two halves of the image about each possible centre are, (2h-1, 2w-1).

    The correlation coefficient of the seen pixels and their mates, whose mates were seen too, at
    twice the centre (row, column); -1 where few are left.
    """
    shape = [2 * size - 1 for size in image.shape]
    fast = [next_fast_len(size, real=True) for size in shape]
    weight = seen.astype(np.float64)
    values = np.where(seen, image - image[seen].mean(), 0.0)
    spectra = [rfft2(each, fast) for each in (weight, values, values**2)]

    def convolved(first: int, second: int) -> Map:
        whole: Map = irfft2(spectra[first] * spectra[second], fast)[: shape[0], : shape[1]]
        return whole

    count = np.maximum(convolved(0, 0), 1.0)
    mean = convolved(0, 1) / count
    variance = convolved(0, 2) / count - mean**2
    covariance = convolved(1, 1) / count - mean**2
    enough = (count > 0.15 * weight.sum()) & (variance > 1e-12 * variance.max())
    alike: Map = np.where(enough, covariance / np.where(enough, variance, 1.0), -1.0)
    return alike
