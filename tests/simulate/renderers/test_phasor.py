"""exp(iφ), by whichever way."""

import pytest
import torch

from crystalvision_simulate.renderers._phasor import Phasor


@pytest.mark.parametrize("largest", [0.5, 1.0, 2.0, 2.1, 40.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-7), (torch.float64, 1e-15)])
def test_phasors_are_exact_to_rounding(largest, dtype, tolerance):
    phase = torch.linspace(-largest, largest, 60_000, dtype=dtype).view(3, 100, 200)
    phasor = Phasor(torch.empty(3, 100, 200, dtype=dtype.to_complex()))
    expected = torch.polar(torch.ones_like(phase, dtype=torch.float64), phase.double())
    for count in (3, 2):
        found = phasor(phase[:count])
        assert found.dtype == dtype.to_complex()
        assert (found - expected[:count]).abs().max() < tolerance
