"""Error of structure factors against a direct sum in float64, ring by ring of |g|."""

from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Complex, Float

from _simulation.peers import Abtem, missing
from _simulation.settings import Result, Run
from _simulation.specimens import ENERGY_KEV, defective_slab, random_crystal
from crystalvision.contracts import Crystal
from crystalvision_simulate.renderers._plane import Plane
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.scattering import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
)
from crystalvision_simulate.specimens import specimen_of

_SLICE_ANGSTROM = 2.0
_EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.67)  # of Nyquist; the band ends within the last


def measure(run: Run) -> Result:
    """Atoms at random positions on the grid of the multislice section; all slices summed.

    Every engine has the same atoms, grid and parametrisation. The error of a ring is
    |found − exact|/|exact|, with norms over the ring. The taper that abTEM puts on its wave within
    the last 3 % of the band is not counted here.
    """
    sizes = run.sizes
    slab = defective_slab(sizes.width_angstrom, 1, seed=run.seed)
    box = np.array([*np.diag(slab.cell)[:2], 2 * _SLICE_ANGSTROM])
    crystal = random_crystal(sizes.accuracy_atoms, box, seed=run.seed)
    plane = Plane.of(specimen_of(crystal), sizes.band_limit_inv_angstrom)
    found = {
        "ours, float32": _ours(crystal, plane, run.device, torch.float32),
        "ours, float64": _ours(crystal, plane, run.device, torch.float64),
    }
    peer_missing = missing("abtem")
    if peer_missing is None:
        for projection in ("infinite", "finite"):
            found[f"abTEM, {projection}"] = _abtem(crystal, plane, projection)
    exact = _direct_sum(crystal, plane)
    errors = {name: _errors(values, exact, plane) for name, values in found.items()}
    for name, rings in errors.items():
        run.say(f"  {name}: relative error at most {max(rings):.2g}")
    return {
        "atoms": len(crystal),
        "grid": list(plane.shape),
        "box_angstrom": box.tolist(),
        "band_limit_inv_angstrom": plane.band_limit_inv_angstrom,
        "ring_edges_of_nyquist": list(_EDGES),
        "relative_error": errors,
        "greatest_relative_error": {name: max(rings) for name, rings in errors.items()},
        "peer_missing": peer_missing,
    }


def _ours(
    crystal: Crystal, plane: Plane, device: torch.device, dtype: torch.dtype
) -> Complex[np.ndarray, "h w"]:
    renderer = Multislice(_SLICE_ANGSTROM, plane.band_limit_inv_angstrom)
    phases = renderer.phases(specimen_of(crystal), ENERGY_KEV, device=device, dtype=dtype)
    total = sum(phase.double().cpu().numpy() for phase in phases)
    factors: Complex[np.ndarray, "h w"] = np.fft.fft2(total, norm="forward")
    strength = relativistic_mass_ratio(ENERGY_KEV) * electron_wavelength_angstrom(ENERGY_KEV)
    return factors * plane.width_angstrom * plane.height_angstrom / strength


def _abtem(crystal: Crystal, plane: Plane, projection: str) -> Complex[np.ndarray, "h w"]:
    return Abtem(
        crystal,
        projection=projection,
        grid=plane.shape,
        slice_thickness_angstrom=_SLICE_ANGSTROM,
        energy_kev=ENERGY_KEV,
    ).structure_factors()


def _direct_sum(crystal: Crystal, plane: Plane) -> Complex[np.ndarray, "h w"]:
    """F(q) = Σ f(|q|) exp(−2πi q·r) [Å], atom by atom in float64, FFT order, (h, w)."""
    q_y, q_x = plane.frequencies()
    length = np.hypot(q_y, q_x)
    x, y, _ = crystal.positions.T
    total = np.zeros(plane.shape, dtype=np.complex128)
    for number in np.unique(crystal.numbers):
        mine = crystal.numbers == number
        along_y = np.exp(-2j * np.pi * q_y * y[mine])
        along_x = np.exp(-2j * np.pi * q_x.T * x[mine])
        total += electron_scattering_factor(int(number), length) * (along_y @ along_x.T)
    return total


def _errors(
    found: Complex[np.ndarray, "h w"], exact: Complex[np.ndarray, "h w"], plane: Plane
) -> list[float]:
    """Relative error of every ring, as far as the band reaches."""
    length = _length_of_nyquist(plane)
    rings = []
    for low, high in pairwise(_EDGES):
        ring = (length >= low) & (length < high) & _band(plane)
        difference = np.linalg.norm((found - exact)[ring])
        rings.append(float(difference / np.linalg.norm(exact[ring])))
    return rings


def _band(plane: Plane) -> np.ndarray:
    q_y, q_x = plane.frequencies()
    inside: np.ndarray = np.hypot(q_y, q_x) <= plane.band_limit_inv_angstrom
    return inside


def _length_of_nyquist(plane: Plane) -> Float[np.ndarray, "h w"]:
    """|q| over the Nyquist frequency of the axis that is sampled more coarsely."""
    rows, columns = plane.shape
    nyquist = min(rows / plane.height_angstrom, columns / plane.width_angstrom) / 2
    length: Float[np.ndarray, "h w"] = np.hypot(*plane.frequencies()) / nyquist
    return length
