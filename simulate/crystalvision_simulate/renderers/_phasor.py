"""exp(iφ) of real phases, the one elementwise step of multislice that costs as much as an FFT."""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float

_LARGEST = 2.0  # rad; a layer of light atoms stays below, and so far few terms are enough
_SINE_TERMS, _COSINE_TERMS = 6, 7  # what float32 needs up to there


class Phasor:
    """Computes exp(iφ) again and again for phases of one shape, in memory that it keeps."""

    def __init__(self, like: Complex[torch.Tensor, "*shape"]) -> None:
        """Prepare for results like this tensor."""
        self._out = torch.empty_like(like)
        self._real = torch.empty_like(like.real, memory_format=torch.contiguous_format)
        self._imaginary = torch.empty_like(self._real)
        self._square = torch.empty_like(self._real)

    def __call__(self, phase: Float[torch.Tensor, "m *shape"]) -> Complex[torch.Tensor, "m *shape"]:
        """exp(iφ) of the phases of the first m; overwritten by the next call."""
        count = len(phase)
        out, real, imaginary = self._out[:count], self._real[:count], self._imaginary[:count]
        if phase.is_cuda:
            return torch.polar(phase.new_ones(()).expand_as(phase), phase, out=out)
        # On a CPU, sine and cosine together take twice as long as their polynomials, and
        # `torch.polar` six times as long.
        if phase.dtype == torch.float32 and float(phase.abs().amax()) <= _LARGEST:
            sine, cosine = _polynomials()
            square = torch.mul(phase, phase, out=self._square[:count])
            _horner(sine, square, imaginary)
            imaginary *= phase
            _horner(cosine, square, real)
        else:
            torch.cos(phase, out=real)
            torch.sin(phase, out=imaginary)
        return torch.complex(real, imaginary, out=out)


def _horner(coefficients: list[float], x: torch.Tensor, out: torch.Tensor) -> None:
    """The polynomial with these coefficients, the highest power first, into `out`."""
    scalars = [torch.tensor(value, dtype=x.dtype) for value in coefficients]
    torch.add(scalars[1], x, alpha=coefficients[0], out=out)
    for scalar in scalars[2:]:
        torch.addcmul(scalar, out, x, out=out)


@lru_cache(maxsize=1)
def _polynomials() -> tuple[list[float], list[float]]:
    """sin(φ)/φ and cos(φ) as polynomials of φ², through their Chebyshev points in the range."""
    chebyshev = np.polynomial.chebyshev.Chebyshev
    domain = [0, _LARGEST**2]
    sine = chebyshev.interpolate(
        lambda square: np.sinc(np.sqrt(square) / np.pi), _SINE_TERMS - 1, domain
    )
    cosine = chebyshev.interpolate(
        lambda square: np.cos(np.sqrt(square)), _COSINE_TERMS - 1, domain
    )
    low_to_high = [
        series.convert(kind=np.polynomial.Polynomial).coef.tolist() for series in (sine, cosine)
    ]
    return low_to_high[0][::-1], low_to_high[1][::-1]
