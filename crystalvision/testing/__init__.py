"""Tests that every backbone, head and fusion must pass, whoever brings it.

A plugin's author needs one line, once the plugin is installed::

    pytest --pyargs crystalvision.testing --crystalvision-only my-distribution

The same checks are plain functions, in `crystalvision.testing.battery`. This module stays light,
because pytest imports it wherever CrystalVision is installed.
"""
