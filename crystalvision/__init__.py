"""CrystalVision: diffraction images of crystals with defects, and the models that read them.

    import crystalvision as cv

    data = cv.simulate("si3n4-four-classes", "data.zarr", samples=800)
    run = cv.train("single", data, "runs/a")
    run.evaluate(data).metrics

This module stays light, because every plugin imports it: what is used from Python is imported when
it is first used. The contracts are in `crystalvision.contracts`, the extension points in
`crystalvision.hookspecs`.
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from crystalvision.api import (
        Benchmark,
        Dataset,
        Run,
        benchmark,
        list_plugins,
        register,
        simulate,
        train,
    )

hookimpl = pluggy.HookimplMarker("crystalvision")
"""Marks a function of a plugin as the implementation of one of `crystalvision.hookspecs`."""

__version__ = version("crystalvision")

_FROM_API = (
    "Benchmark",
    "Dataset",
    "Run",
    "benchmark",
    "list_plugins",
    "register",
    "simulate",
    "train",
)

__all__ = [
    "Benchmark",
    "Dataset",
    "Run",
    "__version__",
    "benchmark",
    "hookimpl",
    "list_plugins",
    "register",
    "simulate",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _FROM_API:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from crystalvision import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_FROM_API})
