"""One line that says what a page is at, or what is wrong."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape

import panel as pn
from panel.viewable import Viewable

from crystalvision.errors import CrystalVisionError
from crystalvision.explorer._documents import in_document
from crystalvision.explorer._dropped import DroppedFiles
from crystalvision.explorer._turns import SupersededError
from crystalvision.text import message

_LOG = logging.getLogger(__name__)


class Status:
    """One line that says what a page is at, or what is wrong; screen readers say it aloud.

    Attributes:
        view: What is shown.
    """

    def __init__(
        self, files: DroppedFiles | None = None, words: Callable[[str], str] = str
    ) -> None:
        """Say nothing.

        Args:
            files: Files that were dropped onto the page, which are told by their own names.
            words: Puts a text in words of the page.
        """
        self._files, self._words = files or DroppedFiles(), words
        self._pane = pn.pane.HTML("", sizing_mode="stretch_width", min_height=26, margin=(0, 5))
        self.view: Viewable = self._pane
        self._said = 0
        self.say("ready", "")

    def say(self, state: str, text: str) -> None:
        """Say something.

        Args:
            state: One word: `ready`, `busy`, `error`, or the page's own.
            text: What is said.
        """
        in_document(lambda: self.put(state, text))

    def put(self, state: str, text: str) -> None:
        """Say something together with another change of the page: see `in_document`."""
        self._said += 1
        text = self._words(self._files.plain(text))
        role = "alert" if state == "error" else "status"
        colour = "var(--bad, #a3201d)" if state == "error" else "var(--soft, #596273)"
        line = (
            f'<p class="state" role="{role}" data-state="{escape(state, quote=True)}" '
            f'data-said="{self._said}" '
            f'style="margin:0;color:{colour}">{escape(text)}</p>'
        )
        self._pane.object = line

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Within it, an error becomes a line here, and what was shown stays."""
        try:
            yield
        except SupersededError:
            pass  # a newer request shows what it finds
        except CrystalVisionError as error:
            self.say("error", str(error))
        except Exception as error:  # a page goes on when a stranger's plugin fails
            _LOG.exception("the explorer failed")
            self.say("error", f"{type(error).__name__}: {message(str(error))}")
