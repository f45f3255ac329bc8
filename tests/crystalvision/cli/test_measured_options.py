"""What is stated of measured files is stated alike, whatever command reads them."""

import inspect

import pytest

from crystalvision.cli import _recorded
from crystalvision.cli.adapt import adapt
from crystalvision.cli.dataset.import_ import import_
from crystalvision.cli.evaluate import evaluate
from crystalvision.cli.predict import predict

OPTIONS = {
    "gap_value": _recorded.GapValueOption,
    "pixel_size": _recorded.PixelSizeOption,
    "centre": _recorded.CentreOption,
    "energy_kev": _recorded.EnergyOption,
    "wavelength_angstrom": _recorded.WavelengthOption,
    "anode": _recorded.AnodeOption,
    "reader": _recorded.ReaderOption,
}


@pytest.mark.parametrize("command", [predict, evaluate, adapt, import_])
def test_commands_take_the_same_options(command):
    parameters = inspect.signature(command).parameters
    assert {name: parameters[name].annotation for name in OPTIONS} == OPTIONS
    assert all(parameters[name].default is None for name in OPTIONS)
