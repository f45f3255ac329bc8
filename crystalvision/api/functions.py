"""What plugins offer from Python, as `cv.NAME`."""

from collections.abc import Mapping

from crystalvision.errors import PluginError
from crystalvision.plugins import Catalogue, Entry


def offered_functions() -> Mapping[str, Entry]:
    """Functions of installed plugins, by name.

    Raises:
        PluginError: Two distributions offer the same name.
    """
    found: dict[str, Entry] = {}
    for entry in Catalogue.load().of_kind("function"):
        if entry.name in found:
            raise PluginError(
                f"the function '{entry.name}' is offered by {found[entry.name].plugin} and "
                f"{entry.plugin}: leave one out, for example with CRYSTALVISION_PLUGINS="
                f"no:{entry.plugin.name}"
            )
        found[entry.name] = entry
    return found
