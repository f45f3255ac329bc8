"""Ranges that recipes and command lines have in common; light to import."""

MAX_SAMPLES = 20_000_000
MAX_SEED = 2**128 - 1
