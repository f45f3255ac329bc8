"""The battery itself, for `pytest --pyargs crystalvision.testing`."""

import pytest

from crystalvision.testing.battery import Check, NotTestableError, PluginUnderTest


def test_battery(crystalvision_subject: PluginUnderTest, crystalvision_check: Check) -> None:
    """Whatever plugins offer does what its kind must do."""
    try:
        crystalvision_check.run(crystalvision_subject)
    except NotTestableError as error:
        pytest.skip(str(error))
