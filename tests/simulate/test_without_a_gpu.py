"""Renderers and instruments on a GPU that is not there: they run on it, and wait for it seldom."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Aperture, Axis, Beam, Pattern, Specimen
from crystalvision.plugins import Catalogue
from crystalvision.testing.fake_gpu import GPU, fake_gpu
from crystalvision_simulate.bound._groups import draw_group, rates_of
from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.simulator import Simulator

CATALOGUE = Catalogue.load()
HERE = "crystalvision_simulate."
DETECTOR = f"{HERE}instruments.area_detector.AreaDetector.measure_together"
EXPOSED = f"{HERE}instruments.detector._expose.expose_batch"
INELASTIC = f"{HERE}instruments.detector._expected.expected_electrons"
POWDER = f"{HERE}instruments.powder_diffractometer._values"
NONE = f"{HERE}instruments.none.NoInstrument.measure"

APERTURES = {"multislice", "kinematic"}
"""Renderers of what an aperture lets through, too."""

SMALL = {"fingerprint": {"pixels": 8, "mask_radius_px": 1.0}}
"""Options: what is fake takes time, too."""

RECORDINGS = [
    ("none", {}, {NONE: 2}),
    ("area-detector", {}, {EXPOSED: 1}),
    ("area-detector", {"kind": "ideal"}, {DETECTOR: 1}),
    (
        "area-detector",
        {
            "kind": "integrating",
            "inelastic_fraction": 0.3,
            "mtf": [[0.0, 1.0], [1.0, 0.4]],
            "beam_stop_radius_inv_angstrom": 0.1,
            "mask_radius_inv_angstrom": 0.05,
            "mask_unseen": True,
        },
        {INELASTIC: 1, EXPOSED: 2, DETECTOR: 1},
    ),
    ("powder-diffractometer", {}, {POWDER: 4}),  # of project and of measure
]
"""Instruments with options, and where they wait for the GPU how often, for two patterns."""


def specimen(seed: int, aperture: Aperture | None = None) -> Specimen:
    rng = np.random.default_rng(seed)
    box = np.array([11.0, 12.0, 9.0])
    return Specimen(rng.random((60, 3)) * box, rng.choice([7, 14], 60), box, aperture)


RENDERERS = [
    *((name, SMALL.get(name, {})) for name in CATALOGUE.names("renderer")),
    ("multislice", {"order": 4, "band_of_nyquist": 0.98}),
]


@pytest.mark.parametrize(("name", "options"), RENDERERS)
def test_a_renderer_never_waits(name, options):
    renderer = CATALOGUE.create("renderer", name, options)
    apertures = [None, Aperture(6.0, 2.0)] if name in APERTURES else [None]
    for aperture in apertures:
        given = [[specimen(0, aperture)], [specimen(1, aperture), specimen(2, aperture)]]
        beams = [Beam(200.0), Beam(80.0, 3.0, -2.0)]
        expected = renderer.render(given, beams, device=torch.device("cpu"))
        with fake_gpu() as waits:
            found = renderer.render(given, beams, device=GPU)
        assert not waits
        for ours, theirs in zip(expected, found, strict=True):
            assert theirs.intensity.device == GPU
            assert theirs.intensity.shape == ours.intensity.shape
            assert theirs.intensity.dtype == ours.intensity.dtype == torch.float32
            assert theirs.axes == ours.axes


def pattern_for(name: str, device: torch.device) -> Pattern:
    """What an instrument can record."""
    if name == "powder-diffractometer":
        axis = Axis(name="g", size=9802, scale=1e-4, offset=0.0)
        rings = torch.ones((1, axis.size), device=device)
        return Pattern(rings, (axis,), 0.98)
    return Pattern.diffraction(
        intensity=torch.full((1, 201, 201), 1e-4, device=device),
        sampling_inv_angstrom=(0.025, 0.025),
        direct_beam=(100, 100),
        band_limit_inv_angstrom=2.5,
    )


def test_every_instrument_is_listed():
    assert {name for name, _, _ in RECORDINGS} == set(CATALOGUE.names("instrument"))


@pytest.mark.parametrize(("name", "options", "waits"), RECORDINGS)
def test_an_instrument_waits_only_for_what_it_draws_on_the_host(name, options, waits):
    instrument = CATALOGUE.create("instrument", name, options)
    rngs = [np.random.default_rng(seed) for seed in range(2)]
    with fake_gpu(waits) as found:
        patterns = [pattern_for(name, GPU) for _ in range(2)]
        projected = instrument.project_together([instrument] * 2, patterns)
        assert all(one.intensity.device == GPU for one in projected)
        recordings = instrument.measure_together([instrument] * 2, projected, rngs)
    assert found == waits
    for recording in recordings:
        assert isinstance(recording.counts, np.ndarray)


CHECKED = f"{HERE}returned.check_patterns"


def test_simulating_waits_to_check_what_was_rendered_and_for_what_is_drawn(small_recipe):
    """Each once a batch, however many patterns it has."""
    with fake_gpu([CHECKED, EXPOSED]) as waits:
        simulator = Simulator(small_recipe, CATALOGUE, device=GPU)
        scenes = [simulator.scene(index) for index in range(0, 40, 8)]
        samples = simulator.expose(simulator.render(scenes))
    assert waits == {CHECKED: 2, EXPOSED: 1}
    assert [sample.image.shape for sample in samples] == [(1, 32, 32)] * 5


def test_selected_areas_render_on_the_device():
    recipe = load_recipe("sadp-five-groups", CATALOGUE, ["specimen.thickness_angstrom=12"])
    with fake_gpu([CHECKED]) as waits:
        simulator = Simulator(recipe, CATALOGUE, device=GPU)
        (rendered,) = simulator.render([simulator.scene(0)])
    assert rendered.pattern.intensity.device == GPU
    assert waits == {CHECKED: 2}


def test_a_bound_waits_once_more_a_draw(small_recipe):
    place = f"{HERE}bound._groups.rates_of"
    with fake_gpu([CHECKED, place]) as waits:
        simulator = Simulator(small_recipe, CATALOGUE, device=GPU)
        group = draw_group(simulator, 0, seed=0, specimens=2)
        rates = rates_of(simulator, group)
    assert rates.shape[:2] == (4, 2)
    assert waits == {CHECKED: 2, place: 1}
