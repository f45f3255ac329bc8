"""Factors exp(iφ), by whichever way."""

import pytest
import torch

from crystalvision_simulate.renderers._transmission import Transmission


@pytest.mark.parametrize("largest", [0.5, 1.0, 2.0, 2.1, 40.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-7), (torch.float64, 1e-15)])
def test_factors_are_exact_to_rounding(largest, dtype, tolerance):
    phase = torch.linspace(-largest, largest, 120_000, dtype=dtype).view(2, 300, 200)
    transmission = Transmission(phase.device, dtype)
    expected = torch.polar(torch.ones_like(phase, dtype=torch.float64), phase.double())
    for count in (2, 1):
        wave = torch.full((count, 300, 200), 1j, dtype=dtype.to_complex())
        transmission.apply(wave, phase[:count])
        assert (wave - 1j * expected[:count]).abs().max() < tolerance
