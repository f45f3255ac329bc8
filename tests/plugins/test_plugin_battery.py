"""The battery that strangers run, over everything registered here."""

from crystalvision.testing.test_battery import test_battery  # noqa: F401
