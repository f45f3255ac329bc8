"""The projected potential of a batch of specimens, slice by slice, as the phase of the wave."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int

from crystalvision.contracts import Beam, Specimen
from crystalvision_simulate.renderers._gridding import Spreader
from crystalvision_simulate.renderers._plane import Plane, scattering_of_gridded
from crystalvision_simulate.scattering import (
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
)

_CHUNK_BYTES = 2**21  # potentials of this many bytes at a time stay in a core's share of the cache


def slice_phases(
    plane: Plane,
    specimens: Sequence[Specimen],
    beams: Sequence[Beam],
    slices: Sequence[int],
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
        slices: Number of slices of each.
        device: Where to compute.
        dtype: `torch.float32` or `torch.float64`.

    Yields:
        One tensor a slice, (m, h, w), for the m specimens that still have it. It is overwritten
        when the next are made.
    """
    elements = np.unique(np.concatenate([specimen.numbers for specimen in specimens]))
    factors = scattering_of_gridded(plane, tuple(elements.tolist()), device, dtype)
    rows, columns = plane.shape
    layers = len(specimens) * len(elements)
    chunk = max(1, _CHUNK_BYTES // (rows * columns * layers * dtype.itemsize))
    atoms = _Atoms(plane, specimens, beams, slices, elements, device, dtype)
    left = np.array([np.count_nonzero(np.asarray(slices) > number) for number in range(slices[0])])
    first = 0
    while first < slices[0]:
        active = int(left[first])
        last = min(first + chunk, slices[0])
        # A chunk ends where a specimen does, so that it is a full stack of slices of each.
        last = first + int(np.count_nonzero(left[first:last] == active))
        stack = (len(elements), last - first, active, rows, columns)
        grid = torch.empty(stack, dtype=dtype, device=device)
        atoms.spread(first, last, active, grid)
        yield from _potential(grid, factors, plane)
        first = last


def _potential(
    grid: Float[torch.Tensor, "e s m h w"], factors: Float[torch.Tensor, "e h w2 2"], plane: Plane
) -> Float[torch.Tensor, "s m h w"]:
    """What the atoms on the grid give in real space: Σ over the elements of f · S.

    One axis after the other, and along y only for the columns that the band reaches.
    """
    kept = plane.columns_in_band
    structures = (
        torch.view_as_real(torch.fft.fft(torch.fft.rfft(layers, dim=-1)[..., :kept], dim=-2))
        for layers in grid
    )
    total = next(structures).mul_(factors[0])
    for structure, factor in zip(structures, factors[1:], strict=True):
        total.addcmul_(structure, factor)
    back = torch.fft.ifft(torch.view_as_complex(total), dim=-2, norm="forward")
    potential: Float[torch.Tensor, "s m h w"] = torch.fft.irfft(
        back, n=plane.shape[1], dim=-1, norm="forward"
    )
    return potential


class _Atoms:
    """The atoms of a batch, sorted by slice, with what each adds to which layer."""

    def __init__(
        self,
        plane: Plane,
        specimens: Sequence[Specimen],
        beams: Sequence[Beam],
        slices: Sequence[int],
        elements: Int[np.ndarray, "e"],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        slice_of = np.concatenate(
            [slice_of_atoms(one, count) for one, count in zip(specimens, slices, strict=True)]
        )
        order = np.argsort(slice_of, kind="stable")
        positions = np.concatenate([specimen.positions for specimen in specimens])[order]
        numbers = np.concatenate([specimen.numbers for specimen in specimens])[order]
        counts = [len(specimen.numbers) for specimen in specimens]
        specimen_of = np.repeat(np.arange(len(specimens)), counts)[order]
        area = plane.width_angstrom * plane.height_angstrom
        strength = [
            relativistic_mass_ratio(beam.energy_kev)
            * electron_wavelength_angstrom(beam.energy_kev)
            / area
            for beam in beams
        ]
        rows, columns = plane.shape
        # Positions are reduced to the grid in float64: float32 would lose 1e-5 of a wide box.
        x_points = np.mod(positions[:, 0] / plane.width_angstrom, 1) * columns
        y_points = np.mod(positions[:, 1] / plane.height_angstrom, 1) * rows
        self._slice = torch.from_numpy(slice_of[order]).to(device)
        self._specimen = torch.from_numpy(specimen_of).to(device)
        self._element = torch.from_numpy(np.searchsorted(elements, numbers)).to(device)
        self._weight = torch.tensor(strength, dtype=dtype, device=device)[self._specimen]
        self._spreader = Spreader(
            torch.from_numpy(x_points).to(device, dtype),
            torch.from_numpy(y_points).to(device, dtype),
            self._slice,
            slices[0],
            plane.shape,
        )

    def spread(
        self, first: int, last: int, active: int, out: Float[torch.Tensor, "e s m h w"]
    ) -> None:
        """Spread the atoms of slices `first` to `last` (exclusive), for the `active` specimens."""
        atoms = self._spreader.atoms(first, last)
        layer = self._element[atoms] * (last - first) + (self._slice[atoms] - first)
        layer = layer * active + self._specimen[atoms]
        self._spreader.spread(atoms, layer, self._weight[atoms], out)


def slice_of_atoms(specimen: Specimen, slices: int) -> Int[np.ndarray, "n"]:
    """The slice that each atom belongs to, (n,).

    Slices are shifted so that the mean atomic layer lies in the middle of a slice: thermal motion
    then moves few atoms over a boundary. Atoms beyond the ends belong to the outermost slices.
    """
    step = specimen.thickness_angstrom / slices
    turns = specimen.positions[:, 2] / step
    mean = np.exp(2j * np.pi * turns).mean()
    shift = 0.5 - np.angle(mean) / (2 * np.pi) % 1 if abs(mean) > 0.2 else 0.0
    return np.clip(np.floor(turns + shift), 0, slices - 1).astype(np.int64)
