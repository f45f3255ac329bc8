"""From rings of |g| to peaks over 2θ, as a powder diffractometer records them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from crystalvision.contracts import Axis
from crystalvision.errors import InputError

_FINE_DEG = 0.005  # places within a step of this are kept by sharing
_IN_A_WIDTH = 5  # steps within the narrowest width are fine enough, too
_NODE = 0.12  # widths that are drawn, one wider by so much than another; in between, a mean of two
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
    powers = (1.0, 2.69269, 2.42843, 4.47163, 0.07842, 1.0)
    fifth = sum(c * gauss ** (5 - n) * lorentz**n for n, c in enumerate(powers))
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
    length = ring_axis.values()
    some = np.flatnonzero((rings > 0) & (length > 0))
    lines = []
    for wavelength, share in wavelengths_angstrom:
        sine = wavelength * length[some] / 2
        reached = some[sine < 1]
        angle = np.rad2deg(2 * np.arcsin(sine[sine < 1]))
        moved = np.rad2deg(2 * displacement_mm / radius_mm * np.cos(np.deg2rad(angle / 2)))
        strength = share * rings[reached] * lorentz_polarisation(angle, monochromator_deg)
        width, eta = widths.of(angle, wavelength)
        lines.append(np.stack([angle + zero_shift_deg - moved, strength, width, eta]))
    place, strength, width, eta = np.concatenate(lines, axis=1)
    return _spread(place, strength, width, eta, two_theta)


def _spread(
    place_deg: Float[np.ndarray, "m"],
    strength: Float[np.ndarray, "m"],
    width_deg: Float[np.ndarray, "m"],
    eta: Float[np.ndarray, "m"],
    axis: Axis,
) -> Float[np.ndarray, "t"]:
    """Pseudo-Voigts on an axis: each is shared between the two nearest of some widths."""
    if not width_deg.size:
        return np.zeros(axis.size)
    narrowest, widest = (max(float(end), 1e-6) for end in (width_deg.min(), width_deg.max()))
    parts = max(1, int(np.ceil(axis.scale / max(_FINE_DEG, narrowest / _IN_A_WIDTH) - 1e-9)))
    fine = axis.scale / parts
    margin = int(np.ceil(_MARGIN_DEG / axis.scale)) * parts
    size = axis.size * parts + 2 * margin
    # Fine points lie evenly within each step of the axis, about its middle.
    origin = axis.offset - (parts - 1) / 2 * fine - margin * fine
    where = (place_deg - origin) / fine
    inside = (where >= 0) & (where < size - 1) & (strength > 0)
    if not inside.any():
        return np.zeros(axis.size)
    where, strength, width_deg, eta = (each[inside] for each in (where, strength, width_deg, eta))
    ratio = np.log(widest / narrowest)
    nodes = np.exp(np.log(narrowest) + ratio * np.linspace(0, 1, 2 + int(ratio / _NODE)))
    node = np.log(width_deg.clip(1e-6) / narrowest) / max(ratio, 1e-12) * (len(nodes) - 1)
    lower = node.astype(np.int64).clip(0, len(nodes) - 2)
    upper_part = node - lower
    first = where.astype(np.int64)
    later = where - first
    index, added = [], []  # of Gauss and Lorentz, of the two nearest widths and places
    for kind, of_kind in enumerate((1 - eta, eta)):
        for step, of_step in ((0, 1 - later), (1, later)):
            for up, of_node in ((0, 1 - upper_part), (1, upper_part)):
                index.append(((kind * len(nodes)) + lower + up) * size + first + step)
                added.append(strength * of_kind * of_step * of_node)
    stack = np.bincount(np.concatenate(index), np.concatenate(added), 2 * len(nodes) * size)
    scale = stack.max()
    length = next_fast_len(size + margin, real=True)
    # Relative to the strongest, float32 is exact enough, and takes half the time.
    relative = (stack / scale).astype(np.float32).reshape(2, len(nodes), size)
    frequency = rfftfreq(length, fine)
    waves = rfft(relative, length, axis=-1) * _transforms(nodes, frequency)
    # What is shared by two points is broader by a triangle, on the mean.
    waves = waves.sum(axis=(0, 1)) / np.sinc(frequency * fine) ** 2
    drawn = irfft(waves, length)[margin : margin + axis.size * parts]
    summed = drawn.astype(np.float64).reshape(axis.size, parts).sum(axis=1)
    return np.asarray(scale * summed.clip(min=0))


def _transforms(
    widths: Float[np.ndarray, "w"], frequency: Float[np.ndarray, "f"]
) -> Float[np.ndarray, "2 w f"]:
    """Fourier transforms of Gaussians and Lorentzians of area 1 and these widths, (2, w, f)."""
    scaled = np.multiply.outer(widths, frequency).astype(np.float32)
    gauss = np.exp(-((np.pi * scaled) ** 2) / _GAUSS)
    lorentz = np.exp(-np.pi * scaled)
    return np.stack([gauss, lorentz])
