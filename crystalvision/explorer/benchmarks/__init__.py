"""The page "Benchmarks": what suites found, in tables and figures that answer the pointer."""

from crystalvision.explorer.benchmarks._page import BENCHMARKS

__all__ = ["BENCHMARKS"]
