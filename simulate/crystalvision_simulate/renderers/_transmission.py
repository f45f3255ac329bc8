"""What a slice does to the wave: a factor exp(iφ), which would cost as much as an FFT."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float

# The greatest phase [rad] up to which so many terms of sine and cosine are exact in float32. Layers
# of light atoms stay below the first.
_RANGES = ((0.5, 3, 4), (1.0, 4, 5), (2.0, 6, 7))


_BLOCK = 2**16  # points at a time: what they need stays in the cache beside the wave


class Transmission:
    """Multiplies waves by exp(iφ), again and again, with little memory beside them."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        """Prepare for phases of this type on this device."""
        self._real, self._imaginary, self._square = torch.empty(
            (3, _BLOCK if device.type == "cpu" else 0), dtype=dtype, device=device
        )
        self._phasor = torch.empty(len(self._real), dtype=dtype.to_complex(), device=device)

    def apply(
        self, wave: Complex[torch.Tensor, "*shape"], phase: Float[torch.Tensor, "*shape"]
    ) -> None:
        """Multiply a contiguous wave by exp(iφ), in place."""
        if phase.is_cuda:
            wave *= torch.polar(phase.new_ones(()).expand_as(phase), phase)
            return
        polynomials = None
        if phase.dtype == torch.float32:
            least, greatest = phase.aminmax()
            polynomials = _polynomials_to(max(float(greatest), -float(least)))
        waves, phases = wave.view(-1), phase.reshape(-1)
        for start in range(0, len(phases), _BLOCK):
            block = slice(start, start + _BLOCK)
            waves[block] *= self._exponential(phases[block], polynomials)

    def _exponential(
        self, phase: Float[torch.Tensor, "n"], polynomials: tuple[list[float], list[float]] | None
    ) -> Complex[torch.Tensor, "n"]:
        """exp(iφ), overwritten by the next call.

        On a CPU sine and cosine take two to three times as long as polynomials do, and
        `torch.polar` six times.
        """
        count = len(phase)
        real, imaginary, out = self._real[:count], self._imaginary[:count], self._phasor[:count]
        if polynomials is None:
            torch.cos(phase, out=real)
            torch.sin(phase, out=imaginary)
        else:
            sine, cosine = polynomials
            square = torch.mul(phase, phase, out=self._square[:count])
            _horner(sine, square, imaginary)
            imaginary *= phase
            _horner(cosine, square, real)
        return torch.complex(real, imaginary, out=out)


def _horner(coefficients: list[float], x: torch.Tensor, out: torch.Tensor) -> None:
    """The polynomial with these coefficients, the highest power first, into `out`."""
    scalars = [torch.tensor(value, dtype=x.dtype) for value in coefficients]
    torch.add(scalars[1], x, alpha=coefficients[0], out=out)
    for scalar in scalars[2:]:
        torch.addcmul(scalar, out, x, out=out)


def _polynomials_to(largest: float) -> tuple[list[float], list[float]] | None:
    """Those that are exact up to this phase [rad], if there are any."""
    for limit, sine_terms, cosine_terms in _RANGES:
        if largest <= limit:
            return _polynomials(limit, sine_terms, cosine_terms)
    return None


@lru_cache
def _polynomials(
    limit: float, sine_terms: int, cosine_terms: int
) -> tuple[list[float], list[float]]:
    """sin(φ)/φ and cos(φ) as polynomials of φ², through their Chebyshev points up to a limit."""

    def fit(function: Callable[[np.ndarray], np.ndarray], terms: int) -> list[float]:
        series = np.polynomial.chebyshev.Chebyshev.interpolate(
            lambda square: function(np.sqrt(square)), terms - 1, [0, limit**2]
        )
        coefficients: list[float] = series.convert(kind=np.polynomial.Polynomial).coef.tolist()
        return coefficients[::-1]

    return fit(lambda phase: np.sinc(phase / np.pi), sine_terms), fit(np.cos, cosine_terms)
