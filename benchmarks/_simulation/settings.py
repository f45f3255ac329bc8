"""What a run of the benchmark measures, and how much of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

Result = dict[str, Any]
"""What a section measured, ready for JSON."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        rounds: Interleaved rounds, from which medians and spreads are taken.
        width_angstrom: Width of the multislice specimen [Å].
        layers: Its atomic layers along the beam, each a slice.
        band_limit_inv_angstrom: Its band limit [1/Å], which sets the grid.
        accuracy_atoms: Atoms at random positions, for the error of structure factors.
        kinematic_width_angstrom: Width of the kinematic supercell [Å].
        kinematic_cells: Its unit cells along the beam.
        peer_seconds: A peer is given larger and larger supercells until one takes this long [s].
        recipe_samples: Samples whose stages are timed one by one.
        recipe_seconds: How long a recipe is run on all cores, about [s].
        recipe_repeats: How often.
        recipes: Which recipes; all that there are if empty.
        recipe_settings: Values set in them, `key=value`.
        growth: The greatest factor by which each size is made larger, a power of two.
        memory_samples: Numbers of samples whose peak memory is compared.
        gpu_batches: Numbers of patterns that are rendered together.
    """

    rounds: int
    width_angstrom: float
    layers: int
    band_limit_inv_angstrom: float
    accuracy_atoms: int
    kinematic_width_angstrom: float
    kinematic_cells: int
    peer_seconds: float
    recipe_samples: int
    recipe_seconds: float
    recipe_repeats: int
    recipes: tuple[str, ...]
    recipe_settings: tuple[str, ...]
    growth: int
    memory_samples: tuple[int, ...]
    gpu_batches: tuple[int, ...]


SMALL_RECIPE = (
    "specimen.width_angstrom=16",
    "specimen.thickness_angstrom={uniform: [6, 12]}",
    "renderer.band_limit_inv_angstrom=0.9",
    "instrument.pixels=64",
    "instrument.pixel_size_inv_angstrom=0.022",
)
"""Settings that make the four-class recipe small, as for `--set`."""

_FULL = Sizes(
    rounds=9,
    width_angstrom=53.0,  # 7 × 4 cells; with this band limit the grid has 512 × 512 points
    layers=80,
    band_limit_inv_angstrom=3.2,
    accuracy_atoms=1000,
    kinematic_width_angstrom=60.0,
    kinematic_cells=24,
    peer_seconds=60.0,
    recipe_samples=24,
    recipe_seconds=20.0,
    recipe_repeats=3,
    recipes=(),
    recipe_settings=(),
    growth=16,
    memory_samples=(100, 1000, 10_000),
    gpu_batches=(1, 8, 64, 256),
)

SIZES: Mapping[str, Sizes] = {
    "full": _FULL,
    "quick": replace(
        _FULL,
        rounds=3,
        layers=12,
        accuracy_atoms=300,
        peer_seconds=3.0,
        recipe_samples=3,
        recipe_seconds=3.0,
        recipe_repeats=1,
        growth=4,
        memory_samples=(50, 500),
        gpu_batches=(1, 8, 64),
    ),
    "tiny": replace(
        _FULL,
        rounds=1,
        width_angstrom=15.0,
        layers=2,
        band_limit_inv_angstrom=1.0,
        accuracy_atoms=50,
        kinematic_width_angstrom=15.0,
        kinematic_cells=2,
        peer_seconds=0.0,
        recipe_samples=1,
        recipe_seconds=0.0,
        recipe_repeats=1,
        recipes=("si3n4-four-classes",),
        recipe_settings=SMALL_RECIPE,
        growth=2,
        memory_samples=(5, 10),
        gpu_batches=(1, 2),
    ),
}
"""`full` is what is published, `quick` takes minutes, `tiny` only shows that everything runs."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the benchmark.

    Attributes:
        device: Where to render.
        threads: Threads that everything may use, ours and the peers'.
        size: Name of the sizes.
        seed: Seed of every specimen.
    """

    device: torch.device
    threads: int
    size: str
    seed: int

    @property
    def sizes(self) -> Sizes:
        """How much is measured."""
        return SIZES[self.size]

    def say(self, text: str) -> None:
        """Print progress."""
        print(text, flush=True)

    def described(self) -> Result:
        """The settings, as the JSON keeps them."""
        return {
            "device": self.device.type,
            "threads": self.threads,
            "size": self.size,
            "seed": self.seed,
            "sizes": asdict(self.sizes),
        }
