"""What `crystalvision plugins` says of each thing, as plain data for a table or for JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crystalvision.cli._summary import summary_of
from crystalvision.errors import PluginError
from crystalvision.plugins import Catalogue, Entry, description, parameter_docs


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list: where a thing comes from and what it is.

    Attributes:
        kind: Its kind.
        name: Its name.
        distribution: The distribution that brought it, or the path of a single file.
        version: Version of the distribution, or "" for a single file.
        plugin: The plugin's entry-point name, or the path of a single file.
        summary: What it is, in a line.
        error: Why it cannot be used, or "".
    """

    kind: str
    name: str
    distribution: str
    version: str
    plugin: str
    summary: str = ""
    error: str = ""


def row(entry: Entry) -> Row:
    """The row of an entry, which is imported to see that it can be."""
    origin = entry.plugin
    place = (entry.kind.name, entry.name, origin.distribution, origin.version, origin.name)
    try:
        if entry.kind.name == "command":
            entry.load()
            return Row(*place, summary=summary_of(entry.target))
        return Row(*place, summary=entry.summary())
    except PluginError as error:
        return Row(*place, error=str(error))


def failure_rows(catalogue: Catalogue) -> list[dict[str, str]]:
    """The plugins that could not be loaded, and why."""
    return [
        {
            "plugin": failure.plugin.name,
            "distribution": failure.plugin.distribution,
            "version": failure.plugin.version,
            "error": failure.error,
        }
        for failure in catalogue.failures
    ]


def details(entry: Entry) -> dict[str, Any]:
    """Everything about one entry: its row, its documentation, and its options or its file.

    Raises:
        PluginError: It cannot be imported.
    """
    info: dict[str, Any] = asdict(row(entry))
    if isinstance(entry.target, Path):
        return info | {"path": entry.target}
    thing = entry.load()
    info["description"] = description(thing)
    if entry.kind.name not in {"command", "function"}:
        info["options"] = _options(entry, parameter_docs(thing))
    return info


def backbone_measures(
    catalogue: Catalogue, name: str, options: Mapping[str, object], in_channels: int, size: int
) -> dict[str, Any]:
    """Parameters, features, stride and FLOPs of a backbone for one image of equal sides.

    Args:
        catalogue: Where to find it.
        name: Its name.
        options: Its options; the rest are its defaults.
        in_channels: Channels of the image.
        size: Side of the image [pixels].

    Raises:
        InputError: An option is wrong or missing, or the image is too small.
    """
    from crystalvision.contracts import dimensions_of
    from crystalvision.models import count_parameters, flops

    backbone = catalogue.create("backbone", name, options, in_channels=in_channels)
    return {
        "in_channels": in_channels,
        "size": size,
        "parameters": count_parameters(backbone),
        "features": backbone.num_features,
        "stride": backbone.stride,
        "dimensions": min(dimensions_of(backbone)),
        "flops": flops(backbone, in_channels, size),
    }


def backbone_speed(
    catalogue: Catalogue,
    name: str,
    options: Mapping[str, object],
    *,
    in_channels: int,
    size: int,
    batch: int,
    device: str,
) -> dict[str, Any]:
    """What training with a backbone takes on this machine, or `not_measured`, the reason why not.

    Args:
        catalogue: Where to find it.
        name: Its name.
        options: Its options; the rest are its defaults.
        in_channels: Channels of the images.
        size: Side of the images [pixels].
        batch: Images in a batch.
        device: `cpu`, `cuda` or `auto`.

    Raises:
        InputError: An option is wrong or missing, or there is no such device.
    """
    from crystalvision.models import measure_speed
    from crystalvision.training import choose_device

    chosen = choose_device(device)
    backbone = catalogue.create("backbone", name, options, in_channels=in_channels)
    try:
        measured = measure_speed(
            backbone, in_channels=in_channels, size=size, batch=batch, device=chosen
        )
    except (RuntimeError, ValueError) as error:  # too few images, too little memory
        return {"batch": batch, "device": chosen.type, "not_measured": str(error).split("\n")[0]}
    return asdict(measured)


def _options(entry: Entry, documentation: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": option.name,
            "type": option.type_name,
            "required": option.required,
            "default": None if option.required else option.default,
            "description": documentation.get(option.name, ""),
        }
        for option in entry.options()
    ]
