"""Draws what `crystalvision plugins` tells as tables that fit 80 columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.table import Table

from crystalvision.cli._describe import Row
from crystalvision.console import lines, out, styled
from crystalvision.text import command_line


def print_list(rows: Sequence[Row], failures: Sequence[Mapping[str, str]]) -> None:
    """Write the list of what there is, and below it the plugins that could not be loaded."""
    table = _table("kind", "name", "distribution", "version", "summary")
    kind = ""
    for row in rows:
        summary = styled(("broken, see below", "red")) if row.error else row.summary
        shown = "" if row.kind == kind else row.kind
        table.add_row(shown, row.name, row.distribution, row.version, summary)
        kind = row.kind
    out.print(table)
    _print_troubles("broken", [row.error for row in rows if row.error])
    _print_troubles(
        "not loaded",
        [
            f"{failed['plugin']} of {failed['distribution']} {failed['version']}: {failed['error']}"
            for failed in failures
        ],
    )


def _print_troubles(title: str, texts: Sequence[str]) -> None:
    if texts:
        out.print()
        out.print(title, style="bold red")
    for text in texts:
        out.print(Padding(text, (0, 0, 0, 2)))


def print_details(info: Mapping[str, Any]) -> None:
    """Write all that is known of one thing."""
    origin = f"{info['distribution']} {info['version']}".strip()
    out.print(styled((f"{info['kind']} '{info['name']}'", "bold"), f"  from {origin}"))
    if "path" in info:
        _print_file(info["path"])
        return
    out.print(lines(info["description"] or "It has no documentation."))
    if "options" in info:
        _print_options(info["options"])
    elif info["kind"] == "command":
        out.print()
        out.print(styled(f"run  crystalvision {info['name']} --help"))
    elif info["kind"] == "function":
        out.print()
        out.print(styled(f"in Python  import crystalvision as cv; help(cv.{info['name']})"))
    if "parameters" in info:
        _print_measures(info)


def print_project(kind: str, name: str, folder: Path, files: Sequence[Path]) -> None:
    """Write what a new project has, and what to type next."""
    out.print(styled((f"{kind} '{name}'", "bold"), f"  in {folder}"), soft_wrap=True)
    for file in files:
        out.print(f"  {file}", soft_wrap=True)
    out.print(
        lines(
            "\nIt works as it is. To install it, look at it and test it:\n"
            f"  {command_line('cd', folder)}\n"
            '  pip install -e ".[test]"\n'
            f"  crystalvision plugins show {kind} {name}\n"
            "  pytest"
        ),
        soft_wrap=True,
    )


def _print_file(path: Path) -> None:
    out.print(str(path), soft_wrap=True)
    out.print()
    out.print(lines(path.read_text(encoding="utf-8").rstrip()))


def _print_options(options: Sequence[Mapping[str, Any]]) -> None:
    if not options:
        out.print()
        out.print("It has no options.")
        return
    table = _table("option", "type", "default", "meaning")
    for option in options:
        default = styled(("required", "bold")) if option["required"] else repr(option["default"])
        table.add_row(option["name"], option["type"], default, lines(option["description"]))
    out.print()
    out.print(table)


def _print_measures(info: Mapping[str, Any]) -> None:
    size, channels = info["size"], info["in_channels"]
    stride = info["stride"]
    if not isinstance(stride, int):
        stride = "×".join(map(str, stride))
    sides = "×".join(map(str, [channels, *[size] * info["dimensions"]]))
    measured = info.get("measured", {})
    table = _table("measure", "value")
    for name, text in (
        ("parameters", f"{info['parameters']:,}"),
        ("features", f"{info['features']:,}"),
        ("stride", f"{stride} pixels"),
        (f"FLOPs, one image of {sides}", f"{info['flops']:,}"),
        *_speeds(measured),
    ):
        table.add_row(name, text)
    out.print()
    out.print(table)
    if measured:
        out.print()
        out.print(_how_measured(measured))


def _speeds(measured: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "peak_training_mib" not in measured:
        return []
    return [
        ("memory of a training step, at most", f"{measured['peak_training_mib']:,.0f} MiB"),
        ("training", f"{measured['training_images_per_s']:,.3g} images/s"),
        ("inference", f"{measured['inference_images_per_s']:,.3g} images/s"),
    ]


def _how_measured(measured: Mapping[str, Any]) -> str:
    """What the numbers of speed and memory stand for."""
    batch = measured["batch"]
    images = "1 image" if batch == 1 else f"{batch} images"
    if "not_measured" in measured:
        why = measured["not_measured"]
        return f"Speed and memory could not be measured with a batch of {images}: {why}"
    threads = "1 thread" if measured["threads"] == 1 else f"{measured['threads']} threads"
    place, counted = f"the CPU, {threads}", "the process itself and scratch space come on top"
    if measured["device"] == "cuda":
        place, counted = measured["device_name"], "as torch.cuda.max_memory_allocated counts it"
    return (
        f"Measured on {place}, in batches of {images}, float32. A training step is forward, "
        "backward, and SGD with momentum; its memory is that of all tensors, weights included "
        f"({counted})."
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
