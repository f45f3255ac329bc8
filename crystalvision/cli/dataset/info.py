"""`crystalvision dataset info`."""

from collections.abc import Mapping
from typing import Any

from crystalvision.cli.dataset._options import DataPath, Json
from crystalvision.console import out, print_json
from crystalvision.text import MOST_CLASSES


def info(path: DataPath, *, json: Json = False) -> None:
    """Tell what a dataset holds, also while it is being written."""
    from crystalvision.datasets import Dataset, describe

    summary = describe(Dataset.open(path, allow_incomplete=True))
    if json:
        print_json(summary)
    else:
        _print_info(summary)


def _print_info(summary: Mapping[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(summary):
        table.add_row(name, text)
    out.print(table)


def _lines(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is told, as lines for a person."""
    samples = f"{summary['samples']:,}"
    if not summary["complete"]:
        samples = (
            f"{summary['samples_written']:,} of {samples}; "
            f"{len(summary['missing_shards'])} of {summary['shards']} shards are missing"
        )
    from crystalvision.text import axis_symbol, quantity_text

    lines = [
        ("path", summary["path"]),
        *_made_from(summary),
        *_crystals(summary),
        ("samples", samples),
        (
            "images" if len(summary["axes"]) > 1 else "curves",
            f"{'×'.join(map(str, summary['image_shape']))} {summary['dtype']}",
        ),
    ]
    lines += [("", text) for text in _classes(summary["classes"])]
    if summary["splits"]:
        lines.append(
            ("splits", ", ".join(f"{n} {count:,}" for n, count in summary["splits"].items()))
        )
    point = "pixels" if len(summary["axes"]) == 2 else "points"
    for axis in summary["axes"]:
        step = quantity_text(axis["scale"], axis["units"])
        lines.append((axis_symbol(axis["name"]), f"{axis['size']} {point} of {step}"))
    lines += [
        *_seen(summary),
        ("targets", "; ".join(_target(*each) for each in summary["targets"].items()) or "none"),
        ("columns", ", ".join(summary["columns"])),
        ("size", f"{summary['bytes_on_disk'] / 1e6:,.1f} MB"),
        (
            "made by",
            ", ".join(f"{name} {version}" for name, version in summary["generator"].items()),
        ),
        *_made_elsewhere(summary),
        ("identity", summary["identity"]),
        *(("note", caveat) for caveat in summary["caveats"]),
    ]
    return lines


def _classes(classes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """How many samples each class has; of many the first, and how many the others have."""
    lines = []
    for name, each in list(classes.items())[:MOST_CLASSES]:
        severity = each["severity"]
        severe = "" if severity is None else f" (severity {severity:g})"
        lines.append(f"{name}: {each['samples']:,}{severe}")
    others = [each["samples"] for each in classes.values()][MOST_CLASSES:]
    if others:
        low, high = min(others), max(others)
        of = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        lines.append(f"and {len(others):,} more classes of {of} samples each; --json lists them")
    return lines


def _seen(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Which share of the points was measured."""
    if summary["seen"] is None:
        return []
    which = (
        "a mask for each sample" if summary["seen"]["each_sample"] else "one mask for all samples"
    )
    share = summary["seen"]["share"]
    return [("seen", which if share is None else f"{which}, {share:.1%} of the points")]


def _target(name: str, target: Mapping[str, Any]) -> str:
    """A target in a few words, `orientation (4,): orientation, symmetry m-3m`."""
    from crystalvision.text import unit_text

    shape = f" {tuple(target['shape'])}" if target["shape"] else ""
    unit = unit_text(target["units"])
    symmetry = f", symmetry {target['symmetry']}" if target["symmetry"] else ""
    return f"{name}{shape}: {target['task']}{f' [{unit}]' if unit else ''}{symmetry}"


def _crystals(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The ideal crystals that the data were simulated from, and what was assumed of them."""
    from crystalvision.contracts import CrystalFacts

    lines = []
    for facts in map(CrystalFacts.model_validate, summary.get("crystals", ())):
        lines.append(("crystal", str(facts)))
        lines += [("", f"assumed: {assumed}") for assumed in facts.assumed]
    return lines


def _made_elsewhere(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What to say of data that other software made than what is here."""
    if not summary["made_elsewhere"]:
        return []
    listing = ", ".join(
        f"{name} {there} there, {here} here"
        for name, (there, here) in summary["made_elsewhere"].items()
    )
    return [("", f"{listing}: a sample made again here may differ in the last bits")]


def _made_from(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    name = summary["recipe"] or "without a name"
    if not summary["sources"]:
        return [("recipe", f"{name}, seed {summary['seed']}")]
    sources = [
        ("", f"{source['name']}, seed {source['seed']}: {source['samples']:,}")
        for source in summary["sources"]
    ]
    return [("merged", name), *sources]
