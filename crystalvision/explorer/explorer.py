"""The explorer as a whole: in a notebook, or in the browser."""

import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn

from crystalvision.explorer._server import LocalServer
from crystalvision.explorer._shell import page_document
from crystalvision.explorer.page import Page
from crystalvision.explorer.pages import PAGES
from crystalvision.explorer.workspace import Workspace

if TYPE_CHECKING:
    from panel.viewable import Viewable


class Explorer:
    """Pages to look at crystals, datasets, runs and benchmarks.

    In a notebook it shows itself; `serve` opens it in the browser.

    Attributes:
        workspace: What its pages share.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Explore what a workspace has opened."""
        self.workspace = workspace

    def panel(self) -> "Viewable":
        """All pages, as tabs that are made when they are first looked at."""
        tabs = [(page.title, page.view(self.workspace)) for page in PAGES]
        return pn.Tabs(*tabs, dynamic=True)

    def server(self, port: int = 0) -> LocalServer:
        """A server of the pages that listens, and answers once it runs.

        Args:
            port: The port, 0 for one that is free.

        Raises:
            InputError: The port is taken.
        """
        pages = {f"/{page.slug}": self._document_of(page) for page in PAGES}
        return LocalServer(pages, home=PAGES[0].slug, port=port)

    def serve(self, *, port: int = 0, browser: bool = True) -> None:
        """Serve the pages until interrupted.

        Args:
            port: The port, 0 for one that is free.
            browser: Open the browser there.

        Raises:
            InputError: The port is taken.
        """
        from crystalvision.console import err

        server = self.server(port)
        err.print(f"exploring at {server.url}  (Ctrl-C ends it)", soft_wrap=True)
        if browser:
            webbrowser.open(server.url)
        try:
            server.run()
        finally:
            self.workspace.close()

    def _document_of(self, page: Page) -> Callable[[], pn.Template]:
        # A function of its own: Panel takes no partial for one.
        def document() -> pn.Template:
            return page_document(page, PAGES, self.workspace)

        return document

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        pn.extension()
        return self.panel()._repr_mimebundle_(include, exclude)
