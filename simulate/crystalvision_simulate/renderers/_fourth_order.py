"""What makes multislice fourth order: a potential in proportion to |∇φ|²."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Beam, Specimen
from crystalvision_simulate.renderers._plane import Plane
from crystalvision_simulate.renderers._slices import Slices
from crystalvision_simulate.scattering import electron_wavelength_angstrom


class FourthOrder:
    """Adds λ v |∇φ|² / 4πΔ to the phases φ of slices (see `Multislice`)."""

    def __init__(
        self,
        plane: Plane,
        specimens: Sequence[Specimen],
        beams: Sequence[Beam],
        slices: Sequence[Slices],
        *,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        """Prepare for a batch of specimens."""
        rows, columns = plane.shape
        factors = np.array(
            [
                electron_wavelength_angstrom(beam.energy_kev)
                * one.spread_angstrom2(specimen)
                / (4 * np.pi * one.step_angstrom)
                for specimen, beam, one in zip(specimens, beams, slices, strict=True)
            ]
        )
        # Half, because the square of each difference is given to both of its points.
        halves = [factors / 2 * (rows / plane.height_angstrom) ** 2]
        halves += [factors / 2 * (columns / plane.width_angstrom) ** 2]
        self._halves = [torch.from_numpy(half[:, None, None]).to(device, dtype) for half in halves]
        self._squares = torch.empty((2, len(specimens), rows, columns), dtype=dtype, device=device)

    def correct(self, phase: Float[torch.Tensor, "m h w"]) -> Float[torch.Tensor, "m h w"]:
        """The phase of a slice, corrected in place.

        |∇φ|² is the mean of the squares of the differences to both neighbours: exact enough for
        what is a correction, in a third of the time of transforms.
        """
        count = len(phase)
        for dim, half, squares in zip((1, 2), self._halves, self._squares, strict=True):
            _differences(phase, dim, out=squares[:count]).square_().mul_(half[:count])
        for dim, squares in zip((1, 2), self._squares, strict=True):
            phase += squares[:count]
            _add_later(squares[:count], dim, to=phase)
        return phase


def _differences(
    function: Float[torch.Tensor, "m h w"], dim: int, *, out: Float[torch.Tensor, "m h w"]
) -> Float[torch.Tensor, "m h w"]:
    """What each point of a periodic function has more than the one before it."""
    rest = function.shape[dim] - 1
    torch.sub(
        function.narrow(dim, 1, rest), function.narrow(dim, 0, rest), out=out.narrow(dim, 1, rest)
    )
    torch.sub(function.narrow(dim, 0, 1), function.narrow(dim, rest, 1), out=out.narrow(dim, 0, 1))
    return out


def _add_later(
    function: Float[torch.Tensor, "m h w"], dim: int, *, to: Float[torch.Tensor, "m h w"]
) -> None:
    """Add to each point what a periodic function has at the one behind it."""
    rest = function.shape[dim] - 1
    to.narrow(dim, 0, rest).add_(function.narrow(dim, 1, rest))
    to.narrow(dim, rest, 1).add_(function.narrow(dim, 0, 1))
