"""The plugin door: loading plugins, and finding what they offer by kind and name."""

from crystalvision.plugins._callables import documentation, unwrapped
from crystalvision.plugins._catalogue import Catalogue
from crystalvision.plugins._docs import description, parameter_docs
from crystalvision.plugins._entry import Entry
from crystalvision.plugins._kinds import KINDS, FactoryKind, Kind
from crystalvision.plugins._manager import SESSION, PluginFailure, PluginInfo, PluginSelection
from crystalvision.plugins._options import Option

__all__ = [
    "KINDS",
    "SESSION",
    "Catalogue",
    "Entry",
    "FactoryKind",
    "Kind",
    "Option",
    "PluginFailure",
    "PluginInfo",
    "PluginSelection",
    "description",
    "documentation",
    "parameter_docs",
    "unwrapped",
]
