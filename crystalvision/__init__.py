"""CrystalVision: diffraction images of crystals with defects, and the models that read them.

This module stays light, because every plugin imports it: the plugin marker and the version.
The contracts are in `crystalvision.contracts`, the extension points in `crystalvision.hookspecs`.
"""

from importlib.metadata import version

import pluggy

hookimpl = pluggy.HookimplMarker("crystalvision")
"""Marks a function of a plugin as the implementation of one of `crystalvision.hookspecs`."""

__version__ = version("crystalvision")

__all__ = ["__version__", "hookimpl"]
