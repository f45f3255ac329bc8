"""List the plugins, show what one takes and gives, and begin one of your own."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from crystalvision.cli._state import State
from crystalvision.console import print_json, progress

app = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown", help=__doc__)

Json = Annotated[bool, typer.Option("--json", help="Write JSON instead.")]


@app.callback()
def list_plugins(ctx: typer.Context, *, json: Json = False) -> None:
    """List the plugins, show what one takes and gives, and begin one of your own."""
    if ctx.invoked_subcommand is not None:
        return
    from crystalvision.cli._describe import failure_rows, row
    from crystalvision.cli._tables import print_list

    state: State = ctx.obj
    rows = [row(entry) for entry in state.catalogue.entries]
    failures = failure_rows(state.catalogue)
    if json:
        print_json({"plugins": [asdict(each) for each in rows], "failures": failures})
    else:
        print_list(rows, failures)


@app.command()
def show(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="Its kind, for example backbone.")],
    name: Annotated[str, typer.Argument(help="Its name, for example dnsnet.")],
    *,
    size: Annotated[
        int,
        typer.Option(
            min=1, max=65_536, help="For a backbone's cost: side of the image, in pixels."
        ),
    ] = 256,
    channels: Annotated[
        int, typer.Option(min=1, max=65_536, help="For the same: channels of the image.")
    ] = 1,
    batch: Annotated[
        int, typer.Option(min=1, max=65_536, help="For the same: images in a batch.")
    ] = 1,
    device: Annotated[
        str, typer.Option(help="Where a backbone's speed is measured: cpu, cuda, or auto.")
    ] = "cpu",
    measure: Annotated[
        bool, typer.Option("--measure/--no-measure", help="Measure a backbone's memory and speed.")
    ] = True,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set an option. May be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Show the options of one thing, and what a backbone weighs and costs on this machine."""
    from crystalvision.cli._describe import backbone_measures, backbone_speed, details
    from crystalvision.cli._tables import print_details
    from crystalvision.config import apply_overrides

    state: State = ctx.obj
    entry = state.catalogue.entry(kind, name)
    info = details(entry)
    options = apply_overrides({}, settings or [])
    if kind == "backbone":
        info |= backbone_measures(state.catalogue, name, options, channels, size)
        if measure:
            with progress(f"Measuring {name}", None):
                info["measured"] = backbone_speed(
                    state.catalogue,
                    name,
                    options,
                    in_channels=channels,
                    size=size,
                    batch=batch,
                    device=device,
                )
    elif options:
        entry.check(options)
    if json:
        print_json(info)
    else:
        print_details(info)


@app.command()
def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is to be called, for example salt-net.")],
    *,
    kind: Annotated[
        str,
        typer.Option(
            help="reader, input, augmentation, backbone, head, fusion, task, feature, estimator, "
            "source, instrument, renderer, defect, or structure."
        ),
    ] = "backbone",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Its folder; by default its name.")
    ] = None,
    json: Json = False,
) -> None:
    """Write a plugin project of your own: one working thing, its tests, and what to type."""
    from crystalvision.cli._tables import print_project
    from crystalvision.errors import InputError
    from crystalvision.scaffold import KINDS, project_names, write_project

    state: State = ctx.obj
    if kind not in KINDS:
        raise InputError(f"--kind {kind}: expected one of {', '.join(KINDS)}")
    if state.catalogue.has(kind, name):
        taken = state.catalogue.entry(kind, name).plugin
        raise InputError(f"there is a {kind} '{name}' already, from {taken}; choose another name")
    names = project_names(name)
    folder = Path(names.distribution) if output is None else output
    files = write_project(names, kind, folder)
    if json:
        print_json({"folder": folder, "kind": kind, "name": names.distribution, "files": files})
    else:
        print_project(kind, names.distribution, folder, files)
