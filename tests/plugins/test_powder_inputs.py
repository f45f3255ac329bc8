"""Inputs of powder patterns: background, scale, and the Fourier filter of Wang et al."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.testing._export import Exported
from crystalvision_inputs.fft_filter import FftFilter
from crystalvision_inputs.max_scale import MaxScale
from crystalvision_inputs.power import Power
from crystalvision_inputs.snip import Snip

AXIS = (Axis(name="two_theta", size=1200, scale=0.05, offset=10.0, units="degree"),)
ANGLE = torch.from_numpy(AXIS[0].values()).float()


def peaks() -> torch.Tensor:
    """Twelve peaks of 0.2°, of 20 to 1000 counts, (1200,)."""
    places = torch.linspace(14, 66, 12)[:, None]
    heights = torch.logspace(np.log10(20), 3, 12)[:, None]
    return (heights * torch.exp(-4 * np.log(2) * ((ANGLE - places) / 0.2) ** 2)).sum(0)


def hump() -> torch.Tensor:
    """Air, a slope and an amorphous hump, (1200,)."""
    return 200 * (10 / ANGLE) ** 2 + 50 + ANGLE + 80 * torch.exp(-(((ANGLE - 28) / 9) ** 2))


def test_the_background_goes_and_the_peaks_stay():
    found, seen = Snip(AXIS, distance=1.0)((peaks() + hump())[None, None])
    assert seen is None
    inner = slice(20, -20)
    assert float((found[0, 0] - peaks())[inner].abs().max()) < 8  # the peaks have 20 to 1000
    assert float(found.min()) >= 0


def test_the_background_of_noise_is_not_its_lowest_points():
    level = torch.full((1, 1, 1200), 400.0)
    noisy = torch.poisson(level, generator=torch.Generator().manual_seed(0))
    found = Snip(AXIS, smooth=9).background(noisy)
    assert float(found[..., 50:-50].mean()) > 400 - 1.2 * 400**0.5


def test_what_was_not_seen_is_no_background_of_its_neighbours():
    pattern = (peaks() + hump())[None, None]
    seen = torch.ones(1, 1, 1200, dtype=torch.bool)
    seen[..., 500:620] = False
    seen[..., :90] = False
    found, still = Snip(AXIS, distance=1.0)(pattern.masked_fill(~seen, 0.0), seen)
    assert torch.equal(still, seen)
    for part in (slice(130, 480), slice(640, 1180)):
        assert float((found[0, 0] - peaks())[part].abs().max()) < 8
    odd = pattern.masked_fill(~seen, 1e6)
    again, _ = Snip(AXIS, distance=1.0)(odd, seen)
    assert torch.allclose(again[seen], found[seen])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distance": 0.01}, "is 0 points of two_theta"),
        ({"distance": 31}, "is 620 points of two_theta, which has 1200"),
        ({"smooth": 4}, "smooth=4; expected an odd number"),
    ],
)
def test_a_background_that_cannot_be_found_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        Snip(AXIS, **options)


def test_the_strongest_line_is_one():
    images = torch.tensor([[[2.0, 8.0, 4.0]], [[0.0, 0.0, 0.0]], [[1.0, 100.0, 5.0]]])
    seen = torch.tensor([[[True] * 3], [[True] * 3], [[True, False, True]]])
    found, _ = MaxScale()(images, seen)
    assert found[0, 0].tolist() == [0.25, 1, 0.5]
    assert found[1, 0].tolist() == [0, 0, 0]
    assert found[2, 0, ::2].tolist() == pytest.approx([0.2, 1])


def test_a_power_keeps_the_sign():
    found, _ = Power(0.5)(torch.tensor([[[-4.0, 0.0, 9.0]]]))
    assert found[0, 0].tolist() == [-2, 0, 3]


def test_noise_is_filtered_where_it_is_strong_and_only_there():
    """Wang et al.: bins from 0 to 200 are kept if the mean magnitude beyond exceeds 1."""
    clean = torch.zeros(1200)
    for k, size in ((0, 0.3), (3, 0.2), (40, 0.1), (200, 0.05)):
        clean += size * torch.cos(2 * np.pi * k * torch.arange(1200) / 1200 + k)
    noise = 0.1 * torch.randn(1200, generator=torch.Generator().manual_seed(0))
    spectrum = torch.fft.rfft(clean + noise)
    assert float(spectrum[201:].abs().mean()) > 1
    kept = torch.fft.irfft(torch.where(torch.arange(601) <= 200, spectrum, 0), 1200)
    found, _ = FftFilter(AXIS)(torch.stack([clean + noise, clean])[:, None])
    assert torch.allclose(found[0, 0], kept, atol=1e-5)
    assert torch.equal(found[1, 0], clean)
    assert torch.equal(
        FftFilter(AXIS, limit=1e6)((clean + noise)[None, None])[0][0, 0], clean + noise
    )


def test_a_pattern_without_bins_beyond_stays_as_it_is():
    images = torch.rand(2, 1, 300, generator=torch.Generator().manual_seed(0))
    assert torch.equal(FftFilter((AXIS[0].model_copy(update={"size": 300}),))(images)[0], images)


class _Images(torch.nn.Module):
    def __init__(self, step: torch.nn.Module) -> None:
        super().__init__()
        self.step = step

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        return self.step(counts)[0]


def test_the_filter_is_exported_with_its_criterion():
    """Noisy and smooth patterns in one batch; the battery's are too short to be filtered."""
    axes = (AXIS[0].model_copy(update={"size": 240}),)
    step = FftFilter(axes, bins=20)

    def batch(samples: int) -> tuple[torch.Tensor]:
        noise = torch.randn(samples, 1, 240, generator=torch.Generator().manual_seed(0))
        return (1 + noise * torch.arange(samples)[:, None, None],)

    (images,) = batch(3)
    assert torch.equal(step(images)[0][0], images[0])
    assert not torch.allclose(step(images)[0][2], images[2])
    exported = Exported(_Images(step), batch)
    exported.check()
    exported.check_onnx()
