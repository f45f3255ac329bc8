"""The projected potential of a batch of specimens, slice by slice, as the phase of the wave."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int

from crystalvision.contracts import Beam, Specimen
from crystalvision_simulate.gridding import Spreader
from crystalvision_simulate.renderers._plane import Plane, scattering_of_gridded
from crystalvision_simulate.renderers._slices import Slices
from crystalvision_simulate.scattering import (
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
)

_CHUNK_BYTES = 2**20  # potentials of this many bytes at a time stay in a core's share of the cache


def slice_phases(
    plane: Plane,
    specimens: Sequence[Specimen],
    beams: Sequence[Beam],
    slices: Sequence[Slices],
    *,
    device: torch.device,
    dtype: torch.dtype,
) -> Iterator[Float[torch.Tensor, "m h w"]]:
    """The phase [rad] that each slice gives the waves behind a batch of specimens.

    The phase has the Fourier coefficients γ λ f(q) S(q) / area, for the relativistic mass ratio γ,
    the wavelength λ, the scattering factor f and the structure factor S of each element.

    Args:
        plane: The grid of all the specimens.
        specimens: The specimens, those of most slices first.
        beams: The beam of each.
        slices: How each is sliced.
        device: Where to compute.
        dtype: `torch.float32` or `torch.float64`.

    Yields:
        One tensor a slice, (m, h, w), for the m specimens that still have it. It is overwritten
        when the next are made.
    """
    elements = np.unique(np.concatenate([specimen.numbers for specimen in specimens]))
    factors = scattering_of_gridded(plane, tuple(elements.tolist()), device, dtype)
    rows, columns = plane.shape
    chunk = max(1, _CHUNK_BYTES // (rows * columns * len(specimens) * dtype.itemsize))
    atoms = _Atoms(plane, specimens, beams, slices, elements, device, dtype)
    counts = np.array([one.count for one in slices])
    most = slices[0].count
    left = np.array([np.count_nonzero(counts > number) for number in range(most)])
    first = 0
    while first < most:
        active = int(left[first])
        last = min(first + chunk, most)
        # A chunk ends where a specimen does, so that it is a full stack of slices of each.
        last = first + int(np.count_nonzero(left[first:last] == active))
        # One element after the other, so that all use the same memory.
        grid = torch.empty((last - first, active, rows, columns), dtype=dtype, device=device)
        total: Float[torch.Tensor, "s m h w2 2"] = factors.new_zeros(())
        for element, factor in enumerate(factors):
            atoms.spread(element, first, last, active, grid)
            structure = _structure_factors(grid, plane)
            total = total.addcmul_(structure, factor) if element else structure.mul_(factor)
        yield from _from_band(total, plane)
        first = last


def _structure_factors(
    grid: Float[torch.Tensor, "s m h w"], plane: Plane
) -> Float[torch.Tensor, "s m h w2 2"]:
    """Fourier transform of what lies on the grid, for the columns of q_x ≥ 0 in the band."""
    half = torch.fft.rfft(grid, dim=-1)[..., : plane.columns_in_band]
    return torch.view_as_real(torch.fft.fft(half, dim=-2))


def _from_band(
    coefficients: Float[torch.Tensor, "s m h w2 2"], plane: Plane
) -> Float[torch.Tensor, "s m h w"]:
    """The real function with these Fourier coefficients, of which only those in the band are."""
    back = torch.fft.ifft(torch.view_as_complex(coefficients), dim=-2, norm="forward")
    function: Float[torch.Tensor, "s m h w"] = torch.fft.irfft(
        back, n=plane.shape[1], dim=-1, norm="forward"
    )
    return function


class _Atoms:
    """The atoms of a batch, sorted by element and slice, with what each adds to which layer."""

    def __init__(
        self,
        plane: Plane,
        specimens: Sequence[Specimen],
        beams: Sequence[Beam],
        slices: Sequence[Slices],
        elements: Int[np.ndarray, "e"],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        most = slices[0].count
        slice_of = np.concatenate([one.of_atoms for one in slices])
        numbers = np.concatenate([specimen.numbers for specimen in specimens])
        key = np.searchsorted(elements, numbers) * most + slice_of
        order = np.argsort(key, kind="stable")
        positions = np.concatenate([specimen.positions for specimen in specimens])[order]
        counts = [len(specimen.numbers) for specimen in specimens]
        specimen_of = np.repeat(np.arange(len(specimens)), counts)[order]
        rows, columns = plane.shape
        # Positions are reduced to the grid in float64: float32 would lose 1e-5 of a wide box.
        x_points = np.mod(positions[:, 0] / plane.width_angstrom, 1) * columns
        y_points = np.mod(positions[:, 1] / plane.height_angstrom, 1) * rows
        strength = np.array([_strength(plane, beam) for beam in beams])[specimen_of]
        self._num_slices = most
        self._slice = torch.from_numpy(slice_of[order]).to(device)
        self._specimen = torch.from_numpy(specimen_of).to(device)
        self._starts = np.searchsorted(key[order], np.arange(len(elements) * most + 1))
        self._spreader = Spreader(
            torch.from_numpy(x_points).to(device, dtype),
            torch.from_numpy(y_points).to(device, dtype),
            torch.from_numpy(strength).to(device, dtype),
            plane.shape,
        )

    def spread(
        self, element: int, first: int, last: int, active: int, out: Float[torch.Tensor, "s m h w"]
    ) -> None:
        """Spread the atoms of an element in slices `first` to `last` (exclusive).

        Those of the first `active` specimens, which are all that have these slices.
        """
        start = element * self._num_slices
        atoms = slice(int(self._starts[start + first]), int(self._starts[start + last]))
        layer = (self._slice[atoms] - first) * active + self._specimen[atoms]
        self._spreader.spread(atoms, layer, out)


def _strength(plane: Plane, beam: Beam) -> float:
    """γ λ / area: from a projected potential to the phase of the wave."""
    area = plane.width_angstrom * plane.height_angstrom
    wavelength = electron_wavelength_angstrom(beam.energy_kev)
    return relativistic_mass_ratio(beam.energy_kev) * wavelength / area
