"""The calculated pattern of a fit: what phases scatter into each step of 2θ, and background."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.sparse import csc_array

from crystalvision.contracts import Axis
from crystalvision_simulate.powder._lines import Lines
from crystalvision_simulate.powder._peaks import Widths, lorentz_polarisation

_REACH = 8.0  # widths to each side of a peak: beyond, a Lorentzian has a 250th of its height
_MOST_DEG = 6.0
_GAUSS = 4 * np.log(2)
_KNOT_DEG = 7.0


@dataclass(frozen=True, slots=True)
class Geometry:
    """What of a diffractometer stays as it is in a fit.

    Attributes:
        two_theta: Its axis [degree].
        wavelengths_angstrom: Kα₁ and Kα₂, or the one wavelength [Å].
        monochromator_deg: As for `lorentz_polarisation`.
    """

    two_theta: Axis
    wavelengths_angstrom: tuple[float, ...]
    monochromator_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What of the peaks of one phase is fitted.

    Attributes:
        zero_shift_deg: Added to 2θ [degree].
        second_share: Intensity of the second wavelength, relative to the first.
        strain: Of each strain that the lattice allows, (k,).
        thermal_rms_angstrom: Thermal motion along one axis [Å].
        widths: Of the peaks.
    """

    zero_shift_deg: float
    second_share: float
    strain: Float[np.ndarray, "k"]
    thermal_rms_angstrom: float
    widths: Widths

    @property
    def key(self) -> tuple[float, ...]:
        """What tells it from others."""
        widths = (self.widths.w_deg2, self.widths.x_deg, self.widths.y_deg)
        shared = (self.zero_shift_deg, self.second_share, self.thermal_rms_angstrom)
        return (*shared, *self.strain.tolist(), *widths)


def places_deg(lines: Lines, shape: Shape, wavelength_angstrom: float) -> Float[np.ndarray, "m"]:
    """2θ of each line [degree], (m,); nan where there is none."""
    length = lines.length_inv_angstrom * (1 - lines.strain @ shape.strain)
    sine = wavelength_angstrom * length / 2
    with np.errstate(invalid="ignore"):
        return np.asarray(np.rad2deg(2 * np.arcsin(sine)) + shape.zero_shift_deg)


def phase_columns(
    lines: Lines, shape: Shape, geometry: Geometry, *, texture: bool
) -> Float[np.ndarray, "t n"]:
    """What one phase scatters into each step, (t, n): a powder, and what texture may add to it.

    Sums of the columns with factors that are not negative are all patterns whose texture is one of
    second order, 1 + Σ aₖ qₖ with the traceless strains qₖ of the lattice: each direction has a
    density that is not negative, whose mean over all directions is the sum of the factors.

    Args:
        lines: Of the phase.
        shape: Of its peaks.
        geometry: Of the diffractometer.
        texture: Whether to give the further columns; a cubic lattice has none.
    """
    axis = geometry.two_theta
    factors = [np.ones(len(lines))]
    if texture:
        for values, ends in zip(lines.strain.T[1:], lines.ends[1:], strict=True):
            factors += [1 - values / end for end in ends if abs(end) > 1e-6]
    total = np.zeros((axis.size, len(factors)))
    motion = np.exp(-((2 * np.pi * shape.thermal_rms_angstrom * lines.length_inv_angstrom) ** 2))
    for wavelength, share in zip(
        geometry.wavelengths_angstrom, (1.0, shape.second_share), strict=False
    ):
        if not share:
            continue
        place = places_deg(lines, shape, wavelength)
        near = (place > axis.offset - _MOST_DEG) & (
            place < axis.offset + axis.scale * axis.size + _MOST_DEG
        )
        angle = place[near] - shape.zero_shift_deg
        strength = share * (lines.intensity * motion)[near]
        strength = strength * lorentz_polarisation(angle, geometry.monochromator_deg)
        width, eta = shape.widths.of(angle, wavelength)
        weights = np.stack([strength * each[near] for each in factors])
        total += _drawn(place[near], weights, np.hypot(width, 0.68 * axis.scale), eta, axis)
    return total


def _drawn(
    place_deg: Float[np.ndarray, "m"],
    weights: Float[np.ndarray, "n m"],
    width_deg: Float[np.ndarray, "m"],
    eta: Float[np.ndarray, "m"],
    axis: Axis,
) -> Float[np.ndarray, "t n"]:
    """Pseudo-Voigts of area 1 times weights, on an axis; widths hold that of a step already."""
    if not len(place_deg):
        return np.zeros((axis.size, len(weights)))
    half = int(np.ceil(min(_REACH * float(width_deg.max()), _MOST_DEG) / axis.scale)) + 1
    middle = (place_deg - axis.offset) / axis.scale
    first = np.floor(middle).astype(np.int64) - half
    steps = np.arange(2 * half + 2)
    # Single precision: what it rounds is far below what is known of any intensity.
    within = (first - middle).astype(np.float32)[:, None] + steps.astype(np.float32)
    scaled = np.square(within * (axis.scale / width_deg).astype(np.float32)[:, None])
    gauss = (1 - eta) * np.sqrt(_GAUSS / np.pi) / width_deg
    profile = np.exp(np.float32(-_GAUSS) * scaled) * gauss.astype(np.float32)[:, None]
    lorentz = eta * 2 / np.pi / width_deg
    profile += lorentz.astype(np.float32)[:, None] / (1 + 4 * scaled)
    # A matrix with a column for each line; the rows at both ends take what hangs over.
    rows = (first[:, None] + steps).clip(-1, axis.size) + 1
    ends = np.arange(len(first) + 1) * len(steps)
    spread = csc_array((profile.ravel(), rows.ravel(), ends), (axis.size + 2, len(first)))
    return np.asarray(spread @ weights.T)[1:-1] * axis.scale


def background_columns(axis: Axis) -> Float[np.ndarray, "t n"]:
    """Smooth functions none of which is negative, nor is a sum of them, (t, n).

    Cubic B-splines about every 7°, and air scattering, 1 / (2θ)².
    """
    from scipy.interpolate import BSpline

    angle = axis.values()
    ends = float(angle[0]), float(angle[-1])
    pieces = max(2, round((ends[1] - ends[0]) / _KNOT_DEG))
    knots = np.linspace(*ends, pieces + 1)
    step = knots[1] - knots[0]
    knots = np.concatenate(
        [ends[0] - step * np.arange(3, 0, -1), knots, ends[1] + step * np.arange(1, 4)]
    )
    splines = BSpline.design_matrix(angle.clip(*ends), knots, 3).toarray()
    air = np.square(ends[0] / angle)
    return np.column_stack([splines, air])
