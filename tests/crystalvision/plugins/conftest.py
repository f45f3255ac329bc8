"""A catalogue of strangers' plugins alone: ours are blocked."""

from collections.abc import Callable

import pytest

from crystalvision.plugins import Catalogue, PluginSelection

Strangers = Callable[..., Catalogue]


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> Strangers:
    """Loads a catalogue without our own plugins; takes further values of `-p`."""
    monkeypatch.delenv("CRYSTALVISION_PLUGINS", raising=False)

    def load(*values: str) -> Catalogue:
        return Catalogue.load(PluginSelection.parse(["no:crystalvision", *values]))

    return load
