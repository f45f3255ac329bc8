"""The pages, in the order in which they are offered: one line for each."""

from collections.abc import Sequence

from crystalvision.explorer.bench import BENCH
from crystalvision.explorer.benchmarks import BENCHMARKS
from crystalvision.explorer.dataset import DATASET
from crystalvision.explorer.page import Page
from crystalvision.explorer.runs import RUNS

PAGES: Sequence[Page] = (BENCH, DATASET, RUNS, BENCHMARKS)
