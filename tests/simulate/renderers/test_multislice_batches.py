"""Batches give what single calls give, and fit into memory by themselves."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Aperture, Beam, Specimen
from crystalvision_simulate.renderers import _batches
from crystalvision_simulate.renderers._batches import in_batches
from crystalvision_simulate.renderers._plane import Plane
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.scattering import (
    electron_scattering_factor,
    electron_wavelength_angstrom,
    relativistic_mass_ratio,
)

CPU = torch.device("cpu")


def random_specimen(seed, thickness, box=(13.0, 11.0), numbers=(7, 14), aperture=None):
    rng = np.random.default_rng(seed)
    lengths = np.array([*box, thickness])
    positions = rng.random((int(10 * thickness), 3)) * lengths
    return Specimen(positions, rng.choice(np.array(numbers), len(positions)), lengths, aperture)


PATTERNS = [
    ([random_specimen(0, 5.0)], Beam(200.0)),
    ([random_specimen(1, 9.0), random_specimen(2, 9.0)], Beam(80.0, 5.0, -3.0)),
    ([random_specimen(3, 7.0, box=(9.0, 14.0))], Beam(200.0)),
    ([random_specimen(4, 2.0, numbers=(13,))], Beam(300.0, 0.0, 9.0)),
    ([random_specimen(5, 6.0, aperture=Aperture(7.0, 2.0))], Beam(200.0)),
]


@pytest.mark.parametrize(("size", "order"), [(2, 2), (256, 2), (256, 4)])
def test_a_batch_gives_what_single_calls_give(size, order, monkeypatch):
    """Of different thickness, energy, mistilt, elements, apertures and boxes."""
    renderer = Multislice(1.1, band_limit_inv_angstrom=1.4, order=order)
    single = [
        renderer.render([configurations], [beam], device=CPU, dtype=torch.float64)[0]
        for configurations, beam in PATTERNS
    ]
    monkeypatch.setattr(_batches, "batch_size", lambda *_: size)
    specimens, beams = zip(*PATTERNS, strict=True)
    together = renderer.render(specimens, beams, device=CPU, dtype=torch.float64)
    for one, other in zip(single, together, strict=True):
        assert one.sampling_inv_angstrom == other.sampling_inv_angstrom
        torch.testing.assert_close(one.intensity, other.intensity, rtol=1e-10, atol=1e-14)


def test_a_batch_that_memory_cannot_hold_is_halved(monkeypatch):
    monkeypatch.setattr(_batches, "batch_size", lambda *_: 8)
    tried = []

    def compute(batch):
        tried.append(len(batch))
        if len(batch) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [item * 2 for item in batch]

    found = [
        result
        for _, results in in_batches(range(10), compute, device=CPU, bytes_each=1)
        for result in results
    ]
    assert found == [item * 2 for item in range(10)]
    assert tried == [8, 4, 2, 2, 2, 2, 2]


def test_one_item_that_memory_cannot_hold_is_an_error(monkeypatch):
    monkeypatch.setattr(_batches, "batch_size", lambda *_: 2)

    def compute(_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        list(in_batches([1, 2], compute, device=CPU, bytes_each=1))


def test_an_aperture_weights_the_atoms_and_keeps_the_beam():
    """In the weak limit: the sum over atoms, each with the aperture's amplitude where it stands."""
    aperture = Aperture(9.0, 4.0)
    box = np.array([24.0, 20.0, 1.0])
    rng = np.random.default_rng(7)
    positions = rng.random((30, 3)) * box
    specimen = Specimen(positions, np.ones(30, dtype=int), box, aperture)
    renderer = Multislice(slice_thickness_angstrom=2.0, band_limit_inv_angstrom=2.0)
    (pattern,) = renderer.render([[specimen]], [Beam(300.0)], device=CPU, dtype=torch.float64)
    plane = Plane.of(specimen, 2.0)
    q_y, q_x = plane.frequencies()
    rows, columns = plane.shape
    y, x = (np.arange(rows) / rows - 0.5) * box[1], (np.arange(columns) / columns - 0.5) * box[0]
    amplitude = aperture.transmission(np.hypot(y[:, None], x))
    scale = np.sqrt((amplitude**2).mean())
    strength = relativistic_mass_ratio(300.0) * electron_wavelength_angstrom(300.0)
    factor = electron_scattering_factor(1, np.hypot(q_y, q_x)) * strength / (box[0] * box[1])
    factor *= np.hypot(q_y, q_x) <= 2.0
    scattered = np.zeros(plane.shape, dtype=complex)
    for position in positions:
        scattered += factor * np.exp(-2j * np.pi * (q_x * position[0] + q_y * position[1]))
    wavelength = electron_wavelength_angstrom(300.0)
    scattered *= np.exp(-1j * np.pi * wavelength * (q_x**2 + q_y**2) * box[2])  # to the aperture
    phase = np.fft.ifft2(scattered, norm="forward")
    passed = np.pad((1 + 1j * phase) * amplitude / scale, ((0, rows), (0, columns)))
    expected = abs(np.fft.fft2(passed, norm="forward") * 2) ** 2  # in a space twice as wide
    assert pattern.sampling_inv_angstrom == pytest.approx((0.5 / box[1], 0.5 / box[0]))
    found = pattern.intensity[0].numpy()
    y, x = (
        np.arange(size) - origin
        for size, origin in zip(found.shape, pattern.direct_beam, strict=True)
    )
    expected = expected[y[:, None], x[None, :]]
    # Beyond the aperture's own transform, where only scattering reaches.
    length = np.hypot(0.5 / box[1] * y[:, None], 0.5 / box[0] * x)
    far = (length > 0.7) & (length < 1.9)
    error = abs(found - expected)[far]
    assert np.linalg.norm(error) < 0.01 * np.linalg.norm(expected[far])
    assert found.sum() == pytest.approx(1, abs=0.02)
