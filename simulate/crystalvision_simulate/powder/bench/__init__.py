"""One powder on a bench: its phases, what wears them, the diffractometer, and the recipe."""

from crystalvision_simulate.powder.bench._bench import PowderBench, open_bench

__all__ = ["PowderBench", "open_bench"]
