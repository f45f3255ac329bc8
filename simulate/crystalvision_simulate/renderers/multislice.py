"""Multislice: dynamical electron diffraction (Cowley and Moodie, Acta Cryst. 10, 609 (1957))."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from jaxtyping import Complex, Float

from crystalvision.contracts import Aperture, Beam, Cost, Pattern, Renderer, Specimen, SpecimenSize
from crystalvision.errors import InputError
from crystalvision_simulate.renderers._aperture import behind_aperture
from crystalvision_simulate.renderers._batches import in_batches
from crystalvision_simulate.renderers._fourth_order import FourthOrder
from crystalvision_simulate.renderers._plane import ALIAS_FREE, Plane, propagators
from crystalvision_simulate.renderers._potential import slice_phases
from crystalvision_simulate.renderers._ranges import check_range
from crystalvision_simulate.renderers._slices import Slices
from crystalvision_simulate.renderers._transmission import Transmission

_SECONDS_A_POINT = 24e-9  # and slice: two FFTs, transmission, potential
_FOURTH_ORDER = 1.1  # times the time of a slice in second order
_LARGEST_BAND = 0.99  # of Nyquist; there the gridding kernel's transform is 0
_SECONDS_AN_ATOM = 1.5e-6
_BYTES_AN_ATOM = 250
_BYTES_A_POINT = 160  # of the grid, for one wave in float32: what a batch holds at its fullest


@dataclass(frozen=True, slots=True)
class _Entry:
    """One configuration of one pattern."""

    pattern: int
    specimen: Specimen
    beam: Beam
    slices: Slices


class Multislice(Renderer):
    """Dynamical electron diffraction, with the exact position of every atom.

    The specimen is cut into slices across the beam. In each, the wave takes up the phase of the
    projected potential of its atoms (neutral, Lobato and Van Dyck), then it propagates to the next.
    Wave and potential are kept to one band, by default 2/3 of the grid's Nyquist frequency, so that
    their product does not alias into it (Kirkland, Advanced Computing in Electron Microscopy,
    2010, chapter 6).

    From a plane wave to intensities far away that is second order in the thickness of a slice:
    half a propagation before the first slice or behind the last changes no intensity. In fourth
    order the phase φ of a slice becomes φ + λ v |∇φ|² / 4πΔ (λ: wavelength, Δ: thickness of a
    slice, v: variance of the atoms' distance from the plane that they are projected on, Δ²/12 in a
    thick slice). That is the correction of Takahashi and Imada, J. Phys. Soc. Jpn. 53, 3765 (1984)
    and of Chin's forward algorithms (Phys. Lett. A 226, 344 (1997)): what it leaves in fourth order
    but for the two surfaces, where the error does not grow with the thickness.
    """

    def __init__(
        self,
        slice_thickness_angstrom: float = 1.46,
        band_limit_inv_angstrom: float = 2.5,
        order: Literal[2, 4] = 2,
        band_of_nyquist: float = ALIAS_FREE,
    ) -> None:
        """Make the renderer.

        Args:
            slice_thickness_angstrom: In second order the greatest thickness of a slice [Å], and a
                whole number of equal slices fills the specimen: take it just above the distance of
                atomic layers, or of a whole number of them. The default is one layer of β-Si₃N₄
                along [001]. In fourth order each slice is just as thick, but for the last: take an
                odd number of layers, such as 4.3665 Å for three of β-Si₃N₄ along [001].
            band_limit_inv_angstrom: Wave and potential reach this |q| [1/Å]. It must be well above
                what is looked at, because electrons are scattered out and back: 120 Å of β-Si₃N₄
                along [001] at 200 kV, limited to 1.66, 2.5 and 3.5 1/Å, gives beams that are wrong
                by up to 3.6, 0.7 and 0.02 % of the incident beam.
            order: Of the error in the thickness of a slice: 2, or 4, with which slices may be three
                times as thick for a tenth more time each.
            band_of_nyquist: Share of the grid's Nyquist frequency that the band takes. Above 2/3
                products alias into the band, and structure factors near its edge are not exact; but
                the grid is smaller for the same band, and cutting the band costs more than that:
                on one grid, 0.98 leaves a fifth of the error of 2/3.

        Raises:
            InputError: A number is out of its range.
        """
        if order not in {2, 4}:
            raise InputError(f"order is {order}; expected 2 or 4")
        check_range("band_of_nyquist", band_of_nyquist, 0.1, _LARGEST_BAND)
        check_range("slice_thickness_angstrom", slice_thickness_angstrom, 0.05, 1000)
        check_range("band_limit_inv_angstrom", band_limit_inv_angstrom, 0.01, 50)
        self.slice_thickness_angstrom = slice_thickness_angstrom
        self.band_limit_inv_angstrom = band_limit_inv_angstrom
        self.order = order
        self.band_of_nyquist = band_of_nyquist

    def render(
        self,
        specimens: Sequence[Sequence[Specimen]],
        beams: Sequence[Beam],
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> list[Pattern]:
        """See `crystalvision.contracts.Renderer.render`.

        Specimens of one box size are computed together, as many as the device's memory takes; on a
        CPU one after the other, because the cache takes no more.

        Raises:
            InputError: The configurations of one pattern differ in their box or aperture, or an
                element has no scattering factor.
        """
        planes = [self._plane(configurations) for configurations in specimens]
        groups: dict[tuple[Plane, Aperture | None], list[_Entry]] = defaultdict(list)
        for number, (configurations, beam) in enumerate(zip(specimens, beams, strict=True)):
            groups[planes[number], configurations[0].aperture] += [
                _Entry(number, specimen, beam, self._slices(specimen))
                for specimen in configurations
            ]
        intensities: dict[int, Float[torch.Tensor, "h w"]] = {}
        for (plane, aperture), entries in groups.items():
            entries.sort(key=lambda entry: -entry.slices.count)
            entry_bytes = int(np.prod(plane.shape)) * _BYTES_A_POINT * dtype.itemsize // 4
            compute = partial(self._waves, plane, aperture, device=device, dtype=dtype)
            for batch, waves in in_batches(entries, compute, device=device, bytes_each=entry_bytes):
                for entry, wave in zip(batch, waves, strict=True):
                    intensity = wave.abs().square() / len(specimens[entry.pattern])
                    known = intensities.get(entry.pattern)
                    intensities[entry.pattern] = intensity if known is None else known + intensity
        return [plane.pattern(intensities[number]) for number, plane in enumerate(planes)]

    def cost(self, size: SpecimenSize) -> Cost:
        """See `crystalvision.contracts.Renderer.cost`: FFTs of the grid for every slice."""
        width, height, thickness = size.box_angstrom
        # Not `Plane.shape`: looking for a fast length of 10^9 points would take long.
        sampling = 2 * self.band_limit_inv_angstrom / self.band_of_nyquist
        points = max(1.0, width * height * sampling**2) * 1.05
        slices = max(1.0, thickness / self.slice_thickness_angstrom)
        seconds = slices * points * _SECONDS_A_POINT * (1 if self.order == 2 else _FOURTH_ORDER)
        seconds += size.atoms * _SECONDS_AN_ATOM
        return Cost(points * _BYTES_A_POINT + size.atoms * _BYTES_AN_ATOM, seconds)

    def exit_wave(
        self, specimen: Specimen, beam: Beam, *, device: torch.device, dtype: torch.dtype
    ) -> Complex[torch.Tensor, "h w"]:
        """The wave behind the specimen, before any aperture, in reciprocal space, (h, w).

        It is in FFT order. The incident wave has the intensity 1; what leaves the band is lost.
        """
        entry = _Entry(0, specimen, beam, self._slices(specimen))
        return self._exit_waves(self._plane([specimen]), [entry], device=device, dtype=dtype)[0]

    def slice_count(self, specimen: Specimen) -> int:
        """The number of slices of a specimen."""
        return self._slices(specimen).count

    def phases(
        self,
        specimen: Specimen,
        energy_kev: float,
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> Iterator[Float[torch.Tensor, "h w"]]:
        """The phase [rad] that each slice gives the wave, one (h, w) after the other."""
        entry = _Entry(0, specimen, Beam(energy_kev), self._slices(specimen))
        for phase in self._phases(self._plane([specimen]), [entry], device=device, dtype=dtype):
            yield phase[0]

    def _phases(
        self,
        plane: Plane,
        batch: Sequence[_Entry],
        *,
        device: torch.device,
        dtype: torch.dtype,
    ) -> Iterator[Float[torch.Tensor, "m h w"]]:
        """The phase that each slice gives the waves behind a batch that still have it."""
        specimens = [entry.specimen for entry in batch]
        beams = [entry.beam for entry in batch]
        slices = [entry.slices for entry in batch]
        phases = slice_phases(plane, specimens, beams, slices, device=device, dtype=dtype)
        if self.order == 2:
            return phases
        fourth = FourthOrder(plane, specimens, beams, slices, device=device, dtype=dtype)
        return map(fourth.correct, phases)

    def _slices(self, specimen: Specimen) -> Slices:
        if self.order == 2:
            return Slices.filling(specimen, self.slice_thickness_angstrom)
        return Slices.of_layers(specimen, self.slice_thickness_angstrom)

    def _plane(self, configurations: Sequence[Specimen]) -> Plane:
        boxes = {(*one.box_angstrom.tolist(), one.aperture) for one in configurations}
        if len(boxes) != 1:
            raise InputError(
                "the configurations of a pattern must share one box and aperture; found "
                f"{sorted(map(str, boxes))}"
            )
        return Plane.of(configurations[0], self.band_limit_inv_angstrom, self.band_of_nyquist)

    def _waves(
        self,
        plane: Plane,
        aperture: Aperture | None,
        batch: Sequence[_Entry],
        *,
        device: torch.device,
        dtype: torch.dtype,
    ) -> Complex[torch.Tensor, "b h w"]:
        """The waves behind a batch, and behind its aperture if there is one."""
        waves = self._exit_waves(plane, batch, device=device, dtype=dtype)
        return waves if aperture is None else behind_aperture(plane, aperture, waves)

    def _exit_waves(
        self,
        plane: Plane,
        batch: Sequence[_Entry],
        *,
        device: torch.device,
        dtype: torch.dtype,
    ) -> Complex[torch.Tensor, "b h w"]:
        """The waves behind a batch, in reciprocal space; entries of most slices come first."""
        beams = [entry.beam for entry in batch]
        steps = [entry.slices.step_angstrom for entry in batch]
        propagate = propagators(plane, beams, steps, device=device, dtype=dtype)
        diffracted = torch.zeros(
            (len(batch), *plane.shape), dtype=dtype.to_complex(), device=device
        )
        diffracted[:, 0, 0] = 1
        transmission = Transmission(device, dtype)
        finished = []
        for phase in self._phases(plane, batch, device=device, dtype=dtype):
            active = len(phase)
            if active < len(diffracted):
                finished.append(diffracted[active:])
            wave = torch.fft.ifft2(diffracted[:active], norm="forward")
            transmission.apply(wave, phase)
            diffracted = torch.fft.fft2(wave, norm="forward")
            diffracted *= propagate[:active]
        return torch.cat([diffracted, *reversed(finished)]) if finished else diffracted
