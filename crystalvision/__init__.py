"""CrystalVision: diffraction images of crystals with defects, and the models that read them.

    import crystalvision as cv

    data = cv.simulate("si3n4-four-classes", "data.zarr", samples=800)
    run = cv.train("single", data, "runs/a")
    run.evaluate(data).metrics

This module stays light, because every plugin imports it: what is used from Python is imported when
it is first used. The contracts are in `crystalvision.contracts`, the extension points in
`crystalvision.hookspecs`.
"""

from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from crystalvision.api.benchmarks import Benchmark, benchmark, plan_benchmark
    from crystalvision.api.datasets import Dataset, plan_dataset, simulate
    from crystalvision.api.reports import write_report
    from crystalvision.api.runs import Run
    from crystalvision.api.session import list_plugins, register
    from crystalvision.api.training import train
    from crystalvision.explorer.start import explore

hookimpl = pluggy.HookimplMarker("crystalvision")
"""Marks a function of a plugin as the implementation of one of `crystalvision.hookspecs`."""

__version__ = version("crystalvision")

_HOMES = {
    "Benchmark": "api.benchmarks",
    "Dataset": "api.datasets",
    "Run": "api.runs",
    "benchmark": "api.benchmarks",
    "explore": "explorer.start",
    "list_plugins": "api.session",
    "plan_benchmark": "api.benchmarks",
    "plan_dataset": "api.datasets",
    "register": "api.session",
    "simulate": "api.datasets",
    "train": "api.training",
    "write_report": "api.reports",
}
"""Module in which a name is."""

__all__ = [
    "Benchmark",
    "Dataset",
    "Run",
    "__version__",
    "benchmark",
    "explore",
    "hookimpl",
    "list_plugins",
    "plan_benchmark",
    "plan_dataset",
    "register",
    "simulate",
    "train",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"crystalvision.{_HOMES[name]}"), name)
    # Imports of our own modules ask here first, and Python itself for names such as __path__.
    if not name.startswith("_") and find_spec(f"{__name__}.{name}") is None:
        offered = import_module("crystalvision.api.functions").offered_functions()
        if name in offered:
            return offered[name].load()
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    offered = import_module("crystalvision.api.functions").offered_functions()
    return sorted({*globals(), *_HOMES, *offered})
