"""What is scattered into each |g|, on a fine axis: a powder before any instrument."""

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import Axis, Crystal
from crystalvision_simulate.powder._reflections import Reflections
from crystalvision_simulate.scattering import x_ray_scattering_factor

RING_STEP_INV_ANGSTROM = 1e-4
"""Step of the axis: 0.01° in 2θ at Cu Kα, and places within it are kept by sharing."""


def ring_axis(band_limit_inv_angstrom: float) -> Axis:
    """The axis g = 1/d of powder patterns, from 0 on."""
    size = int(np.ceil(band_limit_inv_angstrom / RING_STEP_INV_ANGSTROM)) + 2
    return Axis(name="g", size=size, scale=RING_STEP_INV_ANGSTROM, offset=0.0)


def rings_of_reflections(
    found: Reflections, axis: Axis, weights: Float[np.ndarray, "m"] | None = None
) -> Float[np.ndarray, "n"]:
    """Intensity of each step of the axis, (n,) [electrons²/Å⁶]; sums and centres are kept.

    Args:
        found: The reflections.
        axis: As `ring_axis` makes it.
        weights: Factor of each reflection, such as texture, (m,).
    """
    intensity = found.intensity if weights is None else found.intensity * weights
    return share(found.length_inv_angstrom, intensity, axis)


def share(
    length_inv_angstrom: Float[np.ndarray, "m"], intensity: Float[np.ndarray, "m"], axis: Axis
) -> Float[np.ndarray, "n"]:
    """Values on an axis, each shared by its two nearest points so that its place is kept, (n,)."""
    place = (length_inv_angstrom - axis.offset) / axis.scale
    inside = (place >= 0) & (place < axis.size - 1)
    if not inside.all():
        place, intensity = place[inside], intensity[inside]
    first: Int[np.ndarray, "m"] = place.astype(np.int64)
    later = intensity * (place - first)
    rings = np.bincount(first, intensity - later, minlength=axis.size)
    rings[1:] += np.bincount(first, later, minlength=axis.size)[:-1]
    return np.asarray(rings)


def debye_intensity(
    crystal: Crystal, length_inv_angstrom: Float[np.ndarray, "m"]
) -> Float[np.ndarray, "m"]:
    """Debye's scattering equation, Σᵢⱼ fᵢ fⱼ sin(2πg rᵢⱼ)/(2πg rᵢⱼ), (m,) [electrons²].

    The exact mean over all orientations, which others are checked against; takes n² m steps.

    Args:
        crystal: The atoms; nothing repeats.
        length_inv_angstrom: |g| [1/Å], (m,).
    """
    numbers = crystal.numbers
    factors = {
        number: x_ray_scattering_factor(number, length_inv_angstrom)
        for number in np.unique(numbers).tolist()
    }
    total = np.zeros(len(length_inv_angstrom))
    for place, position in enumerate(crystal.positions):
        distance = np.linalg.norm(crystal.positions - position, axis=1)
        waves = np.sinc(2 * length_inv_angstrom[:, None] * distance)
        own = factors[int(numbers[place])]
        for number, factor in factors.items():
            total += own * factor * waves[:, numbers == number].sum(axis=1)
    return total
