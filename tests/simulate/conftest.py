"""A recipe that makes a sample in milliseconds, with everything that the shipped one has."""

import pytest
import torch

from crystalvision.plugins import Catalogue
from crystalvision_simulate.recipes import Recipe, load_recipe

SMALL = (
    "samples=40",
    "specimen.width_angstrom=16",
    "specimen.thickness_angstrom={uniform: [6, 12]}",
    "renderer.band_limit_inv_angstrom=0.9",
    "instrument.pixels=32",
    "instrument.pixel_size_inv_angstrom=0.045",
)
"""Settings, as for `--set`, that make the four-class recipe small."""


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """What is installed."""
    return Catalogue.load()


@pytest.fixture(scope="session")
def small_recipe(catalogue: Catalogue) -> Recipe:
    """The shipped recipe of four classes, small."""
    return load_recipe("si3n4-four-classes", catalogue, SMALL)


@pytest.fixture(scope="session")
def small_settings() -> list[str]:
    """The same as options of the command line."""
    return [word for setting in SMALL for word in ("--set", setting)]


@pytest.fixture(autouse=True)
def _one_thread():
    """Tiny transforms are slowed down by threads, and samples are defined on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
