"""`cv.explore`: opens the explorer, if what it needs is installed."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.errors import InputError

if TYPE_CHECKING:
    from crystalvision.api.session import Session
    from crystalvision.explorer.explorer import Explorer

_NEEDED = ("panel", "bokeh")


def explore(*what: str | Path, session: "Session | None" = None) -> "Explorer":
    """Look at crystals, datasets, runs and benchmarks, as `crystalvision explore` does.

    In a notebook the explorer shows itself; in a script, `cv.explore(...).serve()` opens the
    browser.

    Args:
        *what: Recipes by name or YAML file, datasets, folders of runs and of benchmarks.
        session: Who asks; by default this Python session.

    Returns:
        The explorer.

    Raises:
        InputError: Panel is not installed, one of them is none of that, or the source of a recipe
            has no bench.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"explore needs {' and '.join(missing)}; install with: "
            "pip install 'crystalvision[explore]'"
        )
    from crystalvision.api.session import Session
    from crystalvision.explorer._opened import opened
    from crystalvision.explorer._starts import starts_of
    from crystalvision.explorer.explorer import Explorer
    from crystalvision.explorer.workspace import Workspace

    session = session or Session.here()
    found = opened(what, session.catalogue)
    starts_of(found.recipes, session.catalogue)  # told now, and not by a page that stays empty
    return Explorer(Workspace(session, found))
