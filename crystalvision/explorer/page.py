"""What a page of the explorer is."""

from collections.abc import Callable
from dataclasses import dataclass

from panel.viewable import Viewable

from crystalvision.explorer.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the explorer.

    Attributes:
        slug: Its address: `/bench`.
        title: What the way to it is called.
        summary: What it is for, in a line.
        view: Makes it, anew for each tab of a browser: `view(workspace) -> Viewable`. It is called
            on the event loop, so what takes longer than a blink goes through a `Turns`.
    """

    slug: str
    title: str
    summary: str
    view: Callable[[Workspace], Viewable]
