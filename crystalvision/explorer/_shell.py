"""What stands about every page: the ways to the others, the theme, and the style."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import panel as pn
from bokeh.models import CustomJS
from bokeh.themes import Theme
from panel.io.resources import LOCAL_DIST
from panel.theme.native import Native

from crystalvision.explorer.page import Page
from crystalvision.explorer.workspace import Workspace

if TYPE_CHECKING:
    from panel.viewable import Viewable

_TEMPLATE = Path(__file__).parent / "templates" / "page.html"
_LINES = {"light": ("#1f2430", "#d9dde5"), "dark": ("#e4e7ee", "#3b424f")}


def _theme(ink: str, line: str) -> Theme:
    """How figures look: their ground is the page's."""
    text = {"text_color": ink}
    return Theme(
        json={
            "attrs": {
                "Plot": {
                    "background_fill_alpha": 0,
                    "border_fill_alpha": 0,
                    "outline_line_color": line,
                },
                "Grid": {"grid_line_color": line, "grid_line_alpha": 0.6},
                "Axis": {
                    "axis_line_color": line,
                    "major_tick_line_color": line,
                    "minor_tick_line_color": None,
                    "major_label_text_color": ink,
                    "axis_label_text_color": ink,
                    "axis_label_text_font_style": "normal",
                    "axis_label_text_font": "sans-serif",
                    "major_label_text_font": "sans-serif",
                },
                "Title": {**text, "text_font": "sans-serif", "text_font_size": "13px"},
                "Legend": {
                    "label_text_color": ink,
                    "background_fill_alpha": 0,
                    "border_line_alpha": 0,
                    "label_text_font": "sans-serif",
                },
                "BaseColorBar": {
                    "major_label_text_color": ink,
                    "title_text_color": ink,
                    "background_fill_alpha": 0,
                    "bar_line_color": line,
                    "title_text_font": "sans-serif",
                    "title_text_font_style": "normal",
                    "major_label_text_font": "sans-serif",
                },
            }
        }
    )


THEMES = {name: _theme(*colours) for name, colours in _LINES.items()}
"""Of Bokeh's figures."""


def page_document(page: Page, pages: Sequence[Page], workspace: Workspace) -> pn.Template:
    """A page as a document of its own, for the server.

    Raises:
        InputError: What was opened cannot be shown.
    """
    document = pn.Template(_TEMPLATE.read_text(encoding="utf-8"), design=Native)
    document.add_variable("page_title", page.title)
    document.add_variable("pages", [(one.slug, one.title, one is page) for one in pages])
    for icon in ("app_favicon", "apple_icon"):  # Panel has its own
        document.add_variable(icon, "")
    document.add_variable("summary", page.summary)
    document.add_panel("dark", _dark_mode())
    document.add_panel("main", page.view(workspace))
    return document


def _dark_mode() -> "Viewable":
    """What the page's script tells of the theme: figures are drawn in it."""
    dark = pn.widgets.Checkbox(label="dark", visible=False)
    document = pn.state.curdoc
    if document is not None:
        # Of a document that is made for a socket alone Panel would take styles from elsewhere.
        document.template_variables["dist_url"] = LOCAL_DIST
        document.theme = THEMES["light"]
        document.js_on_event("document_ready", CustomJS(code="window.applyTheme()"))

        def paint(event: object) -> None:
            del event
            document.theme = THEMES["dark" if dark.value else "light"]

        dark.param.watch(paint, "value")
    return dark
