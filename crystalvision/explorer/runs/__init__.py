"""The page "Runs": what runs say of a pattern, and why."""

from crystalvision.explorer.runs._page import RUNS

__all__ = ["RUNS"]
