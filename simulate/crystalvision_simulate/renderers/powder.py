"""Powder rings of a crystal with defects: what it scatters into each |g|, over all directions."""

from collections.abc import Sequence

import numpy as np
import torch

from crystalvision.contracts import Beam, Cost, Crystal, Pattern, Renderer, Specimen, SpecimenSize
from crystalvision.errors import InputError
from crystalvision_simulate.powder import ring_axis, rings_of_supercell
from crystalvision_simulate.renderers._ranges import check_range

_POINTS = 216.0  # of the grid, for each point of the reciprocal lattice up to the band, about
_SECONDS_A_POINT = 2.5e-7
_SECONDS_AN_ATOM = 2e-5
_BYTES_A_POINT = 48.0
_BYTES_AN_ATOM = 3000.0


class PowderRings(Renderer):
    """Kinematic powder diffraction of X-rays, with the exact position of every atom.

    |F(g)|² of the whole box at every point of its reciprocal lattice, summed into rings of |g|: a
    powder of boxes that repeat along all three axes, in all directions. What is not the same in all
    unit cells shows as diffuse scattering between the reflections. Lorentz and polarisation
    factors, shapes of peaks and wavelengths are the instrument's (`powder-diffractometer`).
    """

    quantity = "intensity"
    radiation = "x-rays"

    def __init__(self, band_limit_inv_angstrom: float = 0.98) -> None:
        """Make the renderer.

        Args:
            band_limit_inv_angstrom: Greatest |g| [1/Å]; 2 sin θ / λ, 0.98 for 2θ = 98° at Cu Kα.

        Raises:
            InputError: It is out of its range.
        """
        check_range("band_limit_inv_angstrom", band_limit_inv_angstrom, 0.05, 6)
        self.band_limit_inv_angstrom = band_limit_inv_angstrom
        self._axis = ring_axis(band_limit_inv_angstrom)

    def render(
        self,
        specimens: Sequence[Sequence[Specimen]],
        beams: Sequence[Beam],
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> list[Pattern]:
        """See `crystalvision.contracts.Renderer.render`; the beams are ignored.

        Raises:
            InputError: A specimen has an aperture, or an element without a scattering factor.
        """
        patterns = []
        for configurations, _ in zip(specimens, beams, strict=True):
            rings = np.mean([self._rings(one) for one in configurations], axis=0)
            intensity = torch.from_numpy(rings)[None].to(device, dtype)
            patterns.append(Pattern(intensity, (self._axis,), self.band_limit_inv_angstrom))
        return patterns

    def _rings(self, specimen: Specimen) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        if specimen.aperture is not None:
            raise InputError(
                "a powder is of boxes that repeat along all three axes; leave "
                "specimen.aperture_diameter_angstrom out"
            )
        box = Crystal(
            specimen.positions,
            specimen.numbers,
            np.diag(specimen.box_angstrom),
            np.ones(3, dtype=bool),
        )
        return rings_of_supercell(box, self.band_limit_inv_angstrom, self._axis)

    def cost(self, size: SpecimenSize) -> Cost:
        """See `crystalvision.contracts.Renderer.cost`: an FFT in three dimensions an element."""
        volume = float(np.prod(size.box_angstrom))
        points = _POINTS * volume * self.band_limit_inv_angstrom**3 / 8
        return Cost(
            points * _BYTES_A_POINT + size.atoms * _BYTES_AN_ATOM,
            points * size.elements * _SECONDS_A_POINT + size.atoms * _SECONDS_AN_ATOM,
        )
