"""What is used from Python, in a script or a notebook: `import crystalvision as cv`.

Functions and words are those of the commands: what `--set KEY=VALUE` changes there is
`set={"KEY": value}` here. Datasets, runs and benchmarks show themselves as pictures and tables in a
notebook.
"""

from crystalvision.api._benchmark import Benchmark, benchmark
from crystalvision.api._dataset import Dataset, simulate
from crystalvision.api._run import Predicted, Run, train
from crystalvision.api._session import list_plugins, register

__all__ = [
    "Benchmark",
    "Dataset",
    "Predicted",
    "Run",
    "benchmark",
    "list_plugins",
    "register",
    "simulate",
    "train",
]
