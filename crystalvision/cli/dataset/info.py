"""`crystalvision dataset info`."""

from collections.abc import Mapping
from typing import Any

from crystalvision.cli.console import out, print_json
from crystalvision.cli.dataset._options import DataPath, Json


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
    from crystalvision.text import axis_symbol, quantity_text

    lines = [
        ("path", told["path"]),
        *_made_from(told),
        *_crystals(told),
        ("samples", samples),
        ("images", f"{'×'.join(map(str, told['image_shape']))} {told['dtype']}"),
    ]
    for name, each in told["classes"].items():
        severity = each["severity"]
        severe = "" if severity is None else f" (severity {severity:g})"
        lines.append(("", f"{name}: {each['samples']:,}{severe}"))
    if told["splits"]:
        lines.append(("splits", ", ".join(f"{n} {count:,}" for n, count in told["splits"].items())))
    point = "pixels" if len(told["axes"]) == 2 else "points"
    for axis in told["axes"]:
        step = quantity_text(axis["scale"], axis["units"])
        lines.append((axis_symbol(axis["name"]), f"{axis['size']} {point} of {step}"))
    lines += [
        *_seen(told),
        ("targets", "; ".join(_target(*each) for each in told["targets"].items()) or "none"),
        ("columns", ", ".join(told["columns"])),
        ("size", f"{told['bytes_on_disk'] / 1e6:,.1f} MB"),
        ("made by", ", ".join(f"{name} {version}" for name, version in told["generator"].items())),
        *_made_elsewhere(told),
        ("identity", told["identity"]),
        *(("note", caveat) for caveat in told["caveats"]),
    ]
    return lines


def _seen(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Which share of the points was measured."""
    if told["seen"] is None:
        return []
    which = "a mask for each sample" if told["seen"]["each_sample"] else "one mask for all samples"
    share = told["seen"]["share"]
    return [("seen", which if share is None else f"{which}, {share:.1%} of the points")]


def _target(name: str, target: Mapping[str, Any]) -> str:
    """A target in a few words, `orientation (4,): orientation, symmetry m-3m`."""
    from crystalvision.text import unit_text

    shape = f" {tuple(target['shape'])}" if target["shape"] else ""
    unit = unit_text(target["units"])
    symmetry = f", symmetry {target['symmetry']}" if target["symmetry"] else ""
    return f"{name}{shape}: {target['task']}{f' [{unit}]' if unit else ''}{symmetry}"


def _crystals(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The ideal crystals that the data were simulated from, and what was assumed of them."""
    from crystalvision.contracts import CrystalFacts

    lines = []
    for facts in map(CrystalFacts.model_validate, told["crystals"]):
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
