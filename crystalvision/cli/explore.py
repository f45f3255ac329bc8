"""`crystalvision explore`."""

from typing import Annotated

import typer

from crystalvision.cli._state import State


def explore(
    ctx: typer.Context,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECIPE|DATA.zarr|RUN]...",
            help="Recipes by name or YAML file, datasets, and folders of runs or benchmarks.",
        ),
    ] = None,
    *,
    port: Annotated[
        int, typer.Option(help="Port of the page; by default any that is free.", min=0, max=65535)
    ] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Look at crystals with defects, datasets, runs and benchmarks on a local page.

    The page is served on this machine alone, to whoever has the address that is printed, and asks
    for nothing from elsewhere. It needs the extra `explore`: pip install 'crystalvision[explore]'.
    """
    from crystalvision.explorer.start import explore as start

    state: State = ctx.obj
    start(*(what or ()), session=state.session).serve(port=port, browser=browser)
