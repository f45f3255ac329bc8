"""`crystalvision dataset info`."""

from collections.abc import Mapping
from typing import Any

from crystalvision.cli.dataset._options import DataPath, Json
from crystalvision.console import out, print_json


def info(path: DataPath, *, json: Json = False) -> None:
    """Tell what a dataset holds, also while it is being written."""
    from crystalvision.datasets import Dataset, describe

    told = describe(Dataset.open(path, allow_incomplete=True))
    if json:
        print_json(told)
    else:
        _print_info(told)


def _print_info(told: Mapping[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(told):
        table.add_row(name, text)
    out.print(table)


def _lines(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is told, as lines for a person."""
    samples = f"{told['samples']:,}"
    if not told["complete"]:
        samples = (
            f"{told['samples_written']:,} of {samples}; "
            f"{len(told['missing_shards'])} of {told['shards']} shards are missing"
        )
    lines = [
        ("path", told["path"]),
        *_made_from(told),
        *_crystals(told),
        ("samples", samples),
        ("images", f"{'×'.join(map(str, told['image_shape']))} {told['dtype']}"),
    ]
    for name, each in told["classes"].items():
        lines.append(("", f"{name}: {each['samples']:,} (severity {each['severity']:g})"))
    if told["splits"]:
        lines.append(("splits", ", ".join(f"{n} {count:,}" for n, count in told["splits"].items())))
    lines += [
        (axis["name"], f"{axis['size']} pixels of {axis['scale']:g} {axis['units']}")
        for axis in told["axes"]
    ]
    lines += [
        ("columns", ", ".join(told["columns"])),
        ("size", f"{told['bytes_on_disk'] / 1e6:,.1f} MB"),
        ("made by", ", ".join(f"{name} {version}" for name, version in told["generator"].items())),
        *_made_elsewhere(told),
        ("identity", told["identity"]),
        *(("note", caveat) for caveat in told["caveats"]),
    ]
    return lines


def _crystals(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The ideal crystals that the data were simulated from, and what was assumed of them."""
    from crystalvision.contracts import CrystalFacts

    lines = []
    for facts in map(CrystalFacts.model_validate, told.get("crystals", ())):
        lines.append(("crystal", str(facts)))
        lines += [("", f"assumed: {assumed}") for assumed in facts.assumed]
    return lines


def _made_elsewhere(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What to say of data that other software made than what is here."""
    if not told["made_elsewhere"]:
        return []
    listing = ", ".join(
        f"{name} {there} there, {here} here"
        for name, (there, here) in told["made_elsewhere"].items()
    )
    return [("", f"{listing}: a sample made again here may differ in the last bits")]


def _made_from(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    name = told["recipe"] or "without a name"
    if not told["sources"]:
        return [("recipe", f"{name}, seed {told['seed']}")]
    sources = [
        ("", f"{source['name']}, seed {source['seed']}: {source['samples']:,}")
        for source in told["sources"]
    ]
    return [("merged", name), *sources]
