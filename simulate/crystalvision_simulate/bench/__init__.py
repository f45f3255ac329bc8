"""One crystal with its defects on a bench: controls, patterns while they move, and the recipe."""

from crystalvision_simulate.bench._bench import CrystalBench, open_bench

__all__ = ["CrystalBench", "open_bench"]
