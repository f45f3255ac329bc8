"""The recipe of what a bench shows, and the command that makes it, to be copied."""

from collections.abc import Mapping
from typing import Any

import panel as pn
from panel.viewable import Viewable

from crystalvision.explorer._dropped import DroppedFiles
from crystalvision.text import command_line
from crystalvision.yaml_text import dump_yaml

_FILE = "bench.yaml"
_COPY = """
const text = source.value
navigator.clipboard.writeText(text).then(
  () => { button.label = 'Copied' }, () => { button.label = 'Select it and copy' })
setTimeout(() => { button.label = label }, 1500)
"""


class CopiedRecipe:
    """The recipe of what is shown, and the command that makes it.

    Attributes:
        view: What is shown.
    """

    def __init__(self) -> None:
        """Nothing to copy yet."""
        self._recipe = pn.widgets.TextAreaInput(
            label=f"Recipe, to be saved as {_FILE}", rows=12, width=290, css_classes=["recipe"]
        )
        self._command = pn.widgets.TextAreaInput(
            label="Command that makes exactly this pattern", rows=2, width=290,
            css_classes=["command"],
        )  # fmt: skip
        self._note = pn.pane.Str("", width=290)
        self.view: Viewable = pn.Card(
            self._recipe,
            _copy_button("Copy recipe", self._recipe),
            self._command,
            _copy_button("Copy command", self._command),
            self._note,
            title="Copy as recipe",
            collapsed=True,
            width=316,
        )

    def show(self, recipe: Mapping[str, Any], files: DroppedFiles) -> None:
        """Show what makes a sample."""
        named = files.names(dict(recipe))
        self._recipe.value = dump_yaml(named)
        self._command.value = command_line("crystalvision", "simulate", _FILE, "-o", "bench.zarr")
        dropped = [] if named == recipe else ["The dropped file must lie where the command runs."]
        self._note.object = " ".join(dropped)


def _copy_button(label: str, source: pn.widgets.TextAreaInput) -> Viewable:
    button = pn.widgets.Button(label=label)
    button.js_on_click(args={"source": source, "button": button, "label": label}, code=_COPY)
    return button
