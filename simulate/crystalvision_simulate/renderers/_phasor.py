"""exp(iφ) of real phases, the one elementwise step of multislice that costs as much as an FFT."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float

# The greatest phase [rad] up to which so many terms of sine and cosine are exact in float32. Layers
# of light atoms stay below the first.
_RANGES = ((0.5, 3, 4), (1.0, 4, 5), (2.0, 6, 7))


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
        # On a CPU, sine and cosine together take two to three times as long as polynomials, and
        # `torch.polar` six times.
        polynomials = None
        if phase.dtype == torch.float32:
            polynomials = _polynomials_to(float(phase.abs().amax()))
        if polynomials is not None:
            sine, cosine = polynomials
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
