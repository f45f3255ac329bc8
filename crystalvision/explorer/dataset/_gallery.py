"""A page of thumbnails, each of which is a button."""

from collections.abc import Callable, Sequence
from html import escape

import panel as pn
from panel.viewable import Viewable

SHOWN = 24
"""Thumbnails on a page: no more are read."""

_WIDTH, _HEIGHT = 104, 122
_CSS = """
:host {{ --shown: url("{picture}"); }}
.bk-btn {{ width: 100px; height: 118px; padding: 96px 2px 2px; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; font-size: 11px;
  border-radius: 4px; color: var(--ink, CanvasText);
  background: var(--raised, Canvas) var(--shown) center 2px / 94px 92px no-repeat;
  border: 2px solid {border}; image-rendering: pixelated; }}
.bk-btn:focus-visible {{ outline: 2px solid var(--accent, Highlight); outline-offset: 1px; }}
"""


class Gallery:
    """Thumbnails that tell when one is chosen.

    Attributes:
        view: What is shown.
    """

    def __init__(self, chosen: Callable[[int], None]) -> None:
        """Begin without any.

        Args:
            chosen: Called with the place of a thumbnail that was chosen.
        """
        self._pictures: list[str] = []
        self._chosen = -1
        self._tell = chosen
        self._buttons = [self._button(place) for place in range(SHOWN)]
        self.view: Viewable = pn.FlexBox(
            *self._buttons, sizing_mode="stretch_width", css_classes=["gallery"]
        )

    def show(self, pictures: Sequence[tuple[str, str]]) -> None:
        """Show pictures: what each is called, and the address of its PNG."""
        self._pictures, self._chosen = [address for _, address in pictures], -1
        for place, button in enumerate(self._buttons):
            there = place < len(pictures)
            if there:
                button.param.update(label=pictures[place][0], stylesheets=[self._css(place)])
            button.visible = there

    def mark(self, place: int) -> None:
        """Mark the thumbnail that was chosen."""
        before, self._chosen = self._chosen, place
        for one in (before, place):
            if 0 <= one < len(self._pictures):
                self._buttons[one].stylesheets = [self._css(one)]

    def _css(self, place: int) -> str:
        border = "var(--accent, Highlight)" if place == self._chosen else "transparent"
        return _CSS.format(picture=escape(self._pictures[place]), border=border)

    def _button(self, place: int) -> pn.widgets.Button:
        button = pn.widgets.Button(
            label="", width=_WIDTH, height=_HEIGHT, visible=False, margin=2,
            css_classes=["thumbnail"],
        )  # fmt: skip
        button.on_click(lambda _event: self._tell(place))
        return button
