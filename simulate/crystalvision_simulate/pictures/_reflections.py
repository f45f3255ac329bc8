"""The reflections that a crystal has near the Ewald sphere, from its reciprocal lattice alone.

What is found here owes nothing to the renderers, so that a label stands where a spot should be, not
where one is.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crystalvision.contracts import Beam, Parent
from crystalvision_simulate.pictures._phase_sums import phase_sums
from crystalvision_simulate.scattering import electron_scattering_factor

_ABSENT = 1e-6  # of the strongest |F|²: symmetry forbids it, but for the rounding of coordinates
_FAR = 3.0  # excitation error times thickness, beyond which a reflection is not excited
_ONE_PLACE = 1e-4  # 1/Å within which reflections lie at one place of the pattern
_BY_FFT = 10**8  # reflections times atoms, beyond which phases are summed by FFT
_CHUNK = 4096  # reflections whose phases are in memory at a time


@dataclass(frozen=True, slots=True, eq=False)
class Reflections:
    """Reflections that symmetry allows, one for each place of the pattern, the strongest first.

    Attributes:
        hkl: Indices, (n, 3).
        q_inv_angstrom: Where they lie across the beam, q_x and q_y, in the frame of the specimen
            [1/Å], (n, 2).
        strength: Expected intensity in kinematic theory, over that of the strongest, (n,).
    """

    hkl: Int[np.ndarray, "n 3"]
    q_inv_angstrom: Float[np.ndarray, "n 2"]
    strength: Float[np.ndarray, "n"]


def reflections(
    parent: Parent,
    beam: Beam,
    *,
    wavelength_angstrom: float,
    thickness_angstrom: float,
    reach_inv_angstrom: float,
) -> Reflections:
    """The reflections of a crystal slab up to some |q|.

    The excitation error of g is s = θ·q − g_z − λg²/2, to first order in the mistilt θ. A slab of
    thickness t is expected to reflect |F|² / (1 + (πst)²): the envelope of the thickness fringes
    sin²(πst)/(πst)², which has no zeros.

    Args:
        parent: The ideal crystal and how it lies.
        beam: The beam.
        wavelength_angstrom: Its wavelength [Å].
        thickness_angstrom: Thickness of the slab [Å].
        reach_inv_angstrom: Greatest |q| across the beam [1/Å].
    """
    tilt = np.array([beam.mistilt_x_mrad, beam.mistilt_y_mrad]) / 1e3
    farthest = _FAR / thickness_angstrom + float(np.linalg.norm(tilt)) * reach_inv_angstrom
    farthest += wavelength_angstrom * reach_inv_angstrom**2 / 2
    hkl, g = _lattice(parent, reach_inv_angstrom, farthest)
    error = g[:, :2] @ tilt - g[:, 2] - wavelength_angstrom * (g**2).sum(axis=1) / 2
    fringes = 1 / (1 + (np.pi * error * thickness_angstrom) ** 2)
    near = abs(error) * thickness_angstrom < _FAR
    near &= np.linalg.norm(g[:, :2], axis=1) > _ONE_PLACE  # not hidden by the direct beam
    hkl, g, fringes = hkl[near], g[near], fringes[near]
    power = abs(structure_factors(parent, hkl)) ** 2
    strength = power * fringes
    keep = power > _ABSENT * power.max(initial=0.0)
    order = np.argsort(-strength[keep], kind="stable")
    hkl, q, strength = hkl[keep][order], g[keep][order, :2], strength[keep][order]
    first = np.sort(np.unique(np.rint(q / _ONE_PLACE), axis=0, return_index=True)[1])
    return Reflections(hkl[first], q[first], strength[first] / strength.max(initial=1e-300))


def structure_factors(parent: Parent, hkl: Int[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
    """|F| of the unit cell for electrons, static atoms [Å], (n,)."""
    cell = parent.unit_cell
    by_fft = len(hkl) * len(cell) > _BY_FFT
    fractional = cell.positions @ np.linalg.inv(cell.cell)
    length = np.linalg.norm(hkl @ np.linalg.inv(parent.vectors).T, axis=1)
    total = np.zeros(len(hkl), dtype=np.complex128)
    for number in np.unique(cell.numbers):
        sites = fractional[cell.numbers == number]
        if by_fft:
            total += electron_scattering_factor(int(number), length) * phase_sums(sites, hkl)
            continue
        for start in range(0, len(hkl), _CHUNK):
            part = slice(start, start + _CHUNK)
            phases = np.exp(-2j * np.pi * (hkl[part] @ sites.T)).sum(axis=1)
            total[part] += electron_scattering_factor(int(number), length[part]) * phases
    return np.abs(total)


def _lattice(
    parent: Parent, reach_inv_angstrom: float, farthest_inv_angstrom: float
) -> tuple[Int[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
    """Indices and reciprocal vectors but 000, within a sphere and near the plane g_z = 0 [1/Å].

    Row by row along the reciprocal axis that is most along the beam: a large cell has a billion
    points within the sphere, but few near the plane.
    """
    # |h| = |g·a| is at most |g||a|.
    limits = np.floor(reach_inv_angstrom * np.linalg.norm(parent.vectors, axis=1)).astype(int)
    reciprocal = np.linalg.inv(parent.vectors).T
    along = int(np.abs(reciprocal[:, 2]).argmax())
    limits[along] = 0
    ranges = [np.arange(-limit, limit + 1) for limit in limits]
    rows = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    heights, step = rows @ reciprocal[:, 2], abs(float(reciprocal[along, 2]))
    direction = int(np.sign(reciprocal[along, 2]))
    first = np.ceil((-farthest_inv_angstrom - heights) / step).astype(int)
    counts = np.floor((farthest_inv_angstrom - heights) / step).astype(int) - first + 1
    row = np.repeat(np.arange(len(rows)), np.maximum(counts, 0))
    start = np.cumsum(np.maximum(counts, 0)) - np.maximum(counts, 0)
    hkl = rows[row]
    hkl[:, along] = direction * (np.arange(len(row)) - start[row] + first[row])
    g = hkl @ reciprocal
    length = np.linalg.norm(g, axis=1)
    within = (length > 0) & (length <= reach_inv_angstrom)
    hkl, g = hkl[within], g[within]
    order = np.lexsort(hkl.T[::-1])
    return hkl[order], g[order]
