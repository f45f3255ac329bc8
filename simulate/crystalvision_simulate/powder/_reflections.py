"""The reflections of an ideal crystal: every point of its reciprocal lattice within a band."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision_simulate.scattering import x_ray_scattering_factor

ScatteringFactor = Callable[[int, Float[np.ndarray, "m"]], Float[np.ndarray, "m"]]

_AT_ONCE = 2**22  # phases in memory
_MOST = 20_000_000  # lattice points: more take minutes


@dataclass(frozen=True, slots=True, eq=False)
class Reflections:
    """Points of a reciprocal lattice with what they scatter; one of each Friedel pair.

    Attributes:
        hkl: Indices, (m, 3).
        g: The reciprocal vectors [1/Å], (m, 3).
        length_inv_angstrom: |g| = 1/d, ascending [1/Å], (m,).
        intensity: |F|² of both of the pair, over the square of the cell's volume [electrons²/Å⁶],
            (m,): what one volume of crystal scatters, whatever cell describes it.
    """

    hkl: Int[np.ndarray, "m 3"]
    g: Float[np.ndarray, "m 3"]
    length_inv_angstrom: Float[np.ndarray, "m"]
    intensity: Float[np.ndarray, "m"]

    def where(self, chosen: Bool[np.ndarray, "m"]) -> "Reflections":
        """Some of them."""
        length = self.length_inv_angstrom
        return Reflections(self.hkl[chosen], self.g[chosen], length[chosen], self.intensity[chosen])


def reflections(
    crystal: Crystal,
    band_limit_inv_angstrom: float,
    *,
    occupancies: Float[np.ndarray, "n"] | None = None,
    displacement_rms_angstrom: float | Mapping[int, float] = 0.0,
    scattering_factor: ScatteringFactor = x_ray_scattering_factor,
) -> Reflections:
    """Reflections of a periodic crystal up to |g|, without g = 0.

    F(g) = Σⱼ fⱼ(g) exp(−2π² g² uⱼ²) exp(−2πi g·rⱼ); without anomalous scattering, so that those of
    a Friedel pair are equal.

    Args:
        crystal: Periodic along all three vectors.
        band_limit_inv_angstrom: Greatest |g| [1/Å].
        occupancies: Share of cells in which each atom is there, (n,), of a crystal whose sites are
            partly or variously occupied; by default all are.
        displacement_rms_angstrom: Thermal motion u along one axis, root mean square [Å]; one
            number, or one for each atomic number.
        scattering_factor: f(number, |g|) [electrons].

    Raises:
        InputError: A crystal that is not periodic, or a cell with too many reflections.
    """
    if not crystal.periodic.all():
        raise InputError("reflections are those of a crystal that repeats along all three vectors")
    volume = abs(float(np.linalg.det(crystal.cell)))
    points = 4 / 3 * np.pi * band_limit_inv_angstrom**3 * volume
    if points > _MOST:
        raise InputError(
            f"a cell of {volume:.4g} Å³ has {points:.2g} reflections up to "
            f"{band_limit_inv_angstrom:.4g} 1/Å; expected at most {_MOST:.0e}"
        )
    hkl, g, length = _half_of_lattice(crystal.cell, band_limit_inv_angstrom)
    factor = np.zeros(len(hkl), dtype=np.complex128)
    fractional = crystal.positions @ np.linalg.inv(crystal.cell)
    there = np.ones(len(crystal)) if occupancies is None else occupancies
    for number in np.unique(crystal.numbers).tolist():
        rms = (
            displacement_rms_angstrom
            if isinstance(displacement_rms_angstrom, int | float)
            else displacement_rms_angstrom.get(number, 0.0)
        )
        weight = scattering_factor(number, length) * np.exp(-2 * (np.pi * length * rms) ** 2)
        of_element = crystal.numbers == number
        factor += weight * _lattice_sum(hkl, fractional[of_element], there[of_element])
    intensity = 2 * (factor.real**2 + factor.imag**2) / volume**2
    return Reflections(hkl, g, length, intensity)


def _half_of_lattice(
    cell: Float[np.ndarray, "3 3"], band: float
) -> tuple[Int[np.ndarray, "m 3"], Float[np.ndarray, "m 3"], Float[np.ndarray, "m"]]:
    """Indices, vectors and lengths, by ascending length; one of each Friedel pair."""
    # |h| = |g · a| ≤ |g| |a|
    reach = [int(np.floor(band * np.linalg.norm(vector) + 1e-9)) for vector in cell]
    indices = [np.arange(-most, most + 1) for most in reach]
    grid = np.stack(np.meshgrid(indices[0][reach[0] :], *indices[1:], indexing="ij"), axis=-1)
    grid = grid.reshape(-1, 3)
    first, second, third = grid.T
    hkl = grid[(first > 0) | (first == 0) & ((second > 0) | (second == 0) & (third > 0))]
    g = hkl @ np.linalg.inv(cell).T
    length = np.linalg.norm(g, axis=1)
    inside = length <= band
    hkl, g, length = hkl[inside], g[inside], length[inside]
    order = np.argsort(length, kind="stable")
    return hkl[order], g[order], length[order]


def _lattice_sum(
    hkl: Int[np.ndarray, "m 3"],
    fractional: Float[np.ndarray, "n 3"],
    weights: Float[np.ndarray, "n"],
) -> Complex[np.ndarray, "m"]:
    """Σⱼ wⱼ exp(−2πi hkl·xⱼ), (m,), from a table of powers along each axis."""
    tables = []
    for axis in range(3):
        reach = int(abs(hkl[:, axis]).max(initial=0))
        steps = np.arange(-reach, reach + 1)
        tables.append((np.exp(-2j * np.pi * steps[:, None] * fractional[:, axis]), reach))
    total = np.empty(len(hkl), dtype=np.complex128)
    at_once = max(1, _AT_ONCE // len(fractional))
    for start in range(0, len(hkl), at_once):
        part = hkl[start : start + at_once]
        (x, i), (y, j), (z, k) = tables
        product = x[part[:, 0] + i] * y[part[:, 1] + j] * weights
        total[start : start + at_once] = np.einsum("mn,mn->m", product, z[part[:, 2] + k])
    return total


def march_dollase(
    crystal: Crystal, found: Reflections, axis_hkl: Sequence[float], parameter: float
) -> Float[np.ndarray, "m"]:
    """By how much texture makes each reflection stronger, (m,); a mean over its equivalents.

    W(α) = (r² cos² α + sin² α / r)^(−3/2) with the angle α between a reflection and the preferred
    axis (Dollase 1986, J. Appl. Cryst. 19, 267): r < 1 for plates that lie flat, 1 for none.
    Reflections of one length are summed anyway, so each has the factor of its own direction.

    Args:
        crystal: The crystal.
        found: Its reflections.
        axis_hkl: The planes that lie flat, (h, k, l).
        parameter: r.

    Raises:
        InputError: r is not positive, or the axis is zero.
    """
    if not parameter > 0:
        raise InputError(f"March-Dollase parameter {parameter:g}: expected a positive number")
    axis = np.asarray(axis_hkl, dtype=np.float64) @ np.linalg.inv(crystal.cell).T
    if not np.linalg.norm(axis) > 0:
        raise InputError(f"texture axis {list(axis_hkl)}: expected indices that are not all zero")
    cosine = found.g @ (axis / np.linalg.norm(axis)) / found.length_inv_angstrom
    return texture_factor(np.square(cosine), parameter)


def texture_factor(
    squared_cosine: Float[np.ndarray, "m"], parameter: float
) -> Float[np.ndarray, "m"]:
    """March and Dollase's W, (m,), from cos² of each reflection's angle with the axis."""
    squared = np.minimum(squared_cosine, 1.0)
    inside = squared * (parameter**2 - 1 / parameter) + 1 / parameter
    return np.asarray(1 / (inside * np.sqrt(inside)))
