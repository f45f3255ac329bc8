"""From rings of |g| to peaks over 2θ, as a powder diffractometer records them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from crystalvision.contracts import Axis
from crystalvision.errors import InputError

_FINE_DEG = 0.005  # places within a step of this are kept by sharing
_IN_A_WIDTH = 5  # steps within the narrowest width are fine enough, too
_ALONG = np.linspace(0.0, 1.0, 64)  # from the least angle to the greatest, where widths are found
_NODE, _NODE_ETA = 0.1, 0.06  # by so much shapes that are drawn differ; in between, a mean of two
_ROUNDED = 1e-7  # of the strongest step
_MARGIN_DEG = 4.0  # beyond both ends, so that the tails of peaks just outside reach in
_GAUSS = 4 * np.log(2)


@dataclass(frozen=True, slots=True)
class Widths:
    """Full widths at half maximum of peaks, from instrument and specimen.

    Gauss: H_G² = U tan² θ + V tan θ + W (Caglioti, Paoletti & Ricci 1958); Lorentz:
    H_L = X / cos θ + Y tan θ, where size and strain of the specimen add K λ / (D cos θ) (Scherrer)
    and 4 ε tan θ. Both join as a pseudo-Voigt (Thompson, Cox & Hastings 1987, J. Appl. Cryst. 20,
    79).

    Attributes:
        u_deg2: U [degree²].
        v_deg2: V [degree²].
        w_deg2: W [degree²].
        x_deg: X [degree].
        y_deg: Y [degree].
        size_angstrom: Mean size D of crystallites [Å], by Scherrer's equation with K = 0.9;
            infinite for none.
        microstrain: ε, relative.
    """

    u_deg2: float = 0.0
    v_deg2: float = 0.0
    w_deg2: float = 0.0064
    x_deg: float = 0.0
    y_deg: float = 0.0
    size_angstrom: float = float("inf")
    microstrain: float = 0.0

    def of(
        self, two_theta_deg: Float[np.ndarray, "m"], wavelength_angstrom: float
    ) -> tuple[Float[np.ndarray, "m"], Float[np.ndarray, "m"]]:
        """Width H [degree] and Lorentzian share η of the pseudo-Voigt at each 2θ, each (m,).

        Raises:
            InputError: U, V and W give no width at some of them.
        """
        theta = np.deg2rad(two_theta_deg) / 2
        tan, cos = np.tan(theta), np.cos(theta)
        squared = self.u_deg2 * tan**2 + self.v_deg2 * tan + self.w_deg2
        if squared.size and squared.min() < 0:
            worst = float(two_theta_deg[int(squared.argmin())])
            raise InputError(
                f"widths U={self.u_deg2:g}, V={self.v_deg2:g}, W={self.w_deg2:g} [degree²] give a "
                f"negative square at 2θ = {worst:.4g}°; expected V² below 4 U W"
            )
        gauss = np.sqrt(squared)
        size = np.rad2deg(0.9 * wavelength_angstrom / self.size_angstrom)
        strain = np.rad2deg(4 * self.microstrain)
        lorentz = (self.x_deg + size) / cos + (self.y_deg + strain) * tan
        return _thompson_cox_hastings(gauss, lorentz)


def _thompson_cox_hastings(
    gauss: Float[np.ndarray, "m"], lorentz: Float[np.ndarray, "m"]
) -> tuple[Float[np.ndarray, "m"], Float[np.ndarray, "m"]]:
    fifth, power = gauss, lorentz
    for factor in (2.69269, 2.42843, 4.47163, 0.07842):
        fifth = (fifth + factor * power) * gauss
        power = power * lorentz
    fifth = fifth + power
    with np.errstate(invalid="ignore"):  # of a negative Lorentzian: not a number, as it is no width
        width = np.asarray(fifth) ** 0.2
    ratio = np.divide(lorentz, width, out=np.zeros_like(width), where=width > 0)
    return width, 1.36603 * ratio - 0.47719 * ratio**2 + 0.11116 * ratio**3


def lorentz_polarisation(
    two_theta_deg: Float[np.ndarray, "m"], monochromator_deg: float = 0.0
) -> Float[np.ndarray, "m"]:
    """Lorentz and polarisation factor of a powder, (1 + A cos² 2θ) / ((1 + A) sin² θ cos θ), (m,).

    Up to a constant that of pymatgen's calculator and of the International Tables C, 6.2, without
    multiplicity.

    Args:
        two_theta_deg: 2θ [degree], above 0, (m,).
        monochromator_deg: 2θ of a crystal monochromator [degree], A = cos² of it; 0 for none.
    """
    theta = np.deg2rad(two_theta_deg) / 2
    a = np.cos(np.deg2rad(monochromator_deg)) ** 2
    factor: Float[np.ndarray, "m"] = (1 + a * np.cos(2 * theta) ** 2) / (
        (1 + a) * np.sin(theta) ** 2 * np.cos(theta)
    )
    return factor


def peaks(
    rings: Float[np.ndarray, "n"],
    ring_axis: Axis,
    two_theta: Axis,
    wavelengths_angstrom: Sequence[tuple[float, float]],
    widths: Widths,
    *,
    zero_shift_deg: float = 0.0,
    displacement_mm: float = 0.0,
    radius_mm: float = 217.5,
    monochromator_deg: float = 0.0,
) -> Float[np.ndarray, "t"]:
    """A powder pattern without background, (t,): what falls into each step of 2θ.

    Args:
        rings: What is scattered into each |g|, (n,).
        ring_axis: Its axis [1/Å].
        two_theta: The axis of the pattern [degree].
        wavelengths_angstrom: Wavelength [Å] and share of the intensity of each line.
        widths: Widths of the peaks.
        zero_shift_deg: Added to 2θ [degree].
        displacement_mm: How far the specimen lies above the focusing circle [mm]; it moves peaks by
            −2 s cos θ / R.
        radius_mm: Radius R of the goniometer [mm].
        monochromator_deg: As for `lorentz_polarisation`.

    Raises:
        InputError: Widths that are none, or an axis that is not one of 2θ in degrees.
    """
    if two_theta.units != "degree":
        raise InputError(f"axis '{two_theta.name}' is in {two_theta.units}; expected degree")
    turn = np.rad2deg(2 * displacement_mm / radius_mm)
    # Neither g = 0 nor what a wavelength does not reach has an angle.
    found = np.flatnonzero(rings[1:] > 0)
    lines = []
    for wavelength, share in wavelengths_angstrom:
        angles = _angles(ring_axis, wavelength, monochromator_deg)
        some = found[: np.searchsorted(found, len(angles.two_theta_deg))]
        angle = angles.two_theta_deg[some]
        strength = rings[1:][some] * angles.factor[some] * share
        lines.append((angle, angle + zero_shift_deg - turn * angles.cosine[some], strength))
    angle, place, strength = map(np.concatenate, zip(*lines, strict=True))
    if not angle.size:
        return np.zeros(two_theta.size)
    shapes = _shapes(widths, (angle.min(), angle.max()), wavelengths_angstrom[0][0])
    return _spread(place, strength, shapes.node_of(angle), shapes, two_theta)


class _Angles(NamedTuple):
    """Of each |g| above 0 that a wavelength reaches; read only."""

    two_theta_deg: Float[np.ndarray, "m"]
    cosine: Float[np.ndarray, "m"]
    factor: Float[np.ndarray, "m"]


@lru_cache(maxsize=16)  # of each anode and wavelength of a run: every pattern has the same
def _angles(ring_axis: Axis, wavelength_angstrom: float, monochromator_deg: float) -> _Angles:
    """2θ [degree], cos θ, and Lorentz and polarisation factor of each ring but the first."""
    sine = wavelength_angstrom * ring_axis.values()[1:] / 2
    angle = np.rad2deg(2 * np.arcsin(sine[sine < 1]))
    cosine = np.cos(np.deg2rad(angle / 2))
    return _Angles(angle, cosine, lorentz_polarisation(angle, monochromator_deg))


class _Shapes(NamedTuple):
    """Pseudo-Voigts that are drawn; one at an angle between two of them is a mean of both.

    Attributes:
        angle_deg: Some angles, ascending [degree], (a,).
        node: Where each lies between the shapes that are drawn, (a,).
        width_deg: Of those shapes [degree], (k,).
        eta: Of those shapes, (k,).
    """

    angle_deg: Float[np.ndarray, "a"]
    node: Float[np.ndarray, "a"]
    width_deg: Float[np.ndarray, "k"]
    eta: Float[np.ndarray, "k"]

    def node_of(self, angle_deg: Float[np.ndarray, "m"]) -> Float[np.ndarray, "m"]:
        return np.asarray(np.interp(angle_deg, self.angle_deg, self.node))


def _shapes(widths: Widths, ends_deg: tuple[float, float], wavelength_angstrom: float) -> _Shapes:
    """So many shapes that from one to the next width and Lorentzian share hardly change.

    That of the first wavelength is taken for the second: Scherrer's widths differ by 0.25 %.
    """
    angle = ends_deg[0] + (ends_deg[1] - ends_deg[0]) * _ALONG
    width, eta = widths.of(angle, wavelength_angstrom)
    log = np.log(np.maximum(width, 1e-6))
    change = np.maximum(np.abs(log[1:] - log[:-1]) / _NODE, np.abs(eta[1:] - eta[:-1]) / _NODE_ETA)
    along = np.zeros(len(angle))
    # A little change everywhere, so that no two angles have one place.
    np.cumsum(change + 1e-9, out=along[1:])
    count = 2 + int(along[-1])
    node = along * (count - 1) / along[-1]
    numbers = np.arange(count)
    return _Shapes(
        angle, node, np.exp(np.interp(numbers, node, log)), np.interp(numbers, node, eta)
    )


def _spread(
    place_deg: Float[np.ndarray, "m"],
    strength: Float[np.ndarray, "m"],
    node: Float[np.ndarray, "m"],
    shapes: _Shapes,
    axis: Axis,
) -> Float[np.ndarray, "t"]:
    """Pseudo-Voigts on an axis: each is shared between the two nearest of some shapes."""
    narrowest = float(shapes.width_deg.min())
    parts = max(1, int(np.ceil(axis.scale / max(_FINE_DEG, narrowest / _IN_A_WIDTH) - 1e-9)))
    fine = axis.scale / parts
    margin = int(np.ceil(_MARGIN_DEG / axis.scale)) * parts
    size = axis.size * parts + 2 * margin
    # Fine points lie evenly within each step of the axis, about its middle.
    origin = axis.offset - (parts - 1) / 2 * fine - margin * fine
    where = (place_deg - origin) / fine
    inside = (where >= 0) & (where < size - 1)
    if not inside.all():
        where, strength, node = where[inside], strength[inside], node[inside]
    if not where.size:
        return np.zeros(axis.size)
    count, length = len(shapes.width_deg), next_fast_len(size + margin, real=True)
    # Each line is shared by two places, and what lies at one of them by the two shapes next to it.
    first = where.astype(np.int64)
    part, moment = strength * (where - first), strength * node
    sticks, moments = (
        _shared(first, strength, part, length),
        _shared(first, moment, part * node, length),
    )
    some = np.flatnonzero(sticks)
    scale = sticks.max()
    height, moment = sticks[some] / scale, moments[some] / scale
    lower = np.minimum((moment / height).astype(np.int64), count - 2)
    upper = moment - height * lower
    # Relative to the strongest, float32 is exact enough, and takes half the time.
    stack = np.zeros((count, length), dtype=np.float32)
    stack[lower, some], stack[lower + 1, some] = height - upper, upper
    frequency, triangle = _frequencies(length, fine)
    waves = rfft(stack, axis=-1)
    waves *= _transforms(shapes, frequency)
    drawn = irfft(waves.sum(axis=0) / triangle, length)[margin : margin + axis.size * parts]
    summed = drawn.reshape(axis.size, parts).sum(axis=1)
    # What float32 rounds is noise about 0, and must not add up over all of the axis.
    return np.asarray(np.where(summed > _ROUNDED * summed.max(), scale * summed, 0.0))


def _shared(
    first: Int[np.ndarray, "m"],
    whole: Float[np.ndarray, "m"],
    part: Float[np.ndarray, "m"],
    length: int,
) -> Float[np.ndarray, "f"]:
    """Values at places, (length,), of which a part goes to the next place."""
    later = np.bincount(first, part, length)
    found = np.bincount(first, whole, length)
    found -= later
    found[1:] += later[:-1]
    return found


@lru_cache(maxsize=64)
def _frequencies(length: int, step: float) -> tuple[Float[np.ndarray, "f"], Float[np.ndarray, "f"]]:
    """Frequencies of an axis, and by how much what is shared by two of its points is broader."""
    frequency = rfftfreq(length, step)
    return frequency.astype(np.float32), np.sinc(frequency * step) ** 2


def _transforms(shapes: _Shapes, frequency: Float[np.ndarray, "f"]) -> Float[np.ndarray, "k f"]:
    """Fourier transforms of pseudo-Voigts of area 1, (k, f)."""
    scaled = np.multiply.outer((-np.pi * shapes.width_deg).astype(np.float32), frequency)
    lorentz = np.exp(scaled)
    gauss = np.square(scaled, out=scaled)
    gauss *= np.float32(-1 / _GAUSS)
    np.exp(gauss, out=gauss)
    # In place, because memory costs more than sums do.
    lorentz -= gauss
    lorentz *= shapes.eta.astype(np.float32)[:, None]
    lorentz += gauss
    return np.asarray(lorentz)
