"""The page "Bench": one sample, changed by hand, and the recipe that makes it."""

from contextlib import suppress
from time import perf_counter
from typing import Any

import panel as pn
from panel.viewable import Viewable

from crystalvision.errors import CrystalVisionError
from crystalvision.explorer._copied import CopiedRecipe
from crystalvision.explorer._documents import in_document, once_shown
from crystalvision.explorer._dropped import DroppedFiles
from crystalvision.explorer._shown import Shown
from crystalvision.explorer._starts import starts
from crystalvision.explorer._turns import SupersededError, Turn, Turns
from crystalvision.explorer.controls import ControlPanel
from crystalvision.explorer.page import Page
from crystalvision.explorer.status import Status
from crystalvision.explorer.workspace import HeldPattern, Workspace
from crystalvision.samples import Bench, BenchView

# Where there is no room beside them, the controls come after what they change.
_BESIDE = """
:host { gap: 0 1rem; }
@media (max-width: 760px) {
  :host { flex-direction: column-reverse !important; }
  :host > * { flex: none !important; width: 100% !important; }
}
"""
_PAUSE = 0.3  # s: while a slider moves, only previews are made, and the browser draws them


class BenchPage:
    """A bench in the browser.

    Whatever is changed, a preview comes first and the sample itself then; the newest change counts,
    and what was valid last stays until there is something new to show.

    Attributes:
        view: What is shown.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Begin with the recipe that was opened, or with what the first source begins with.

        Raises:
            InputError: The recipe that was opened has no bench.
        """
        self._workspace = workspace
        catalogue = workspace.session.catalogue
        self._starts = {one.name: one for one in starts(workspace.opened.recipes, catalogue)}
        self._bench: Bench | None = None
        self._opening: Turn | None = None
        self._settings: dict[str, Any] = {}
        self._turns, self._files = Turns(), DroppedFiles()
        self._status, self._shown, self._copied = Status(self._files), Shown(), CopiedRecipe()
        self._controls = ControlPanel(self._changed)
        self._start = pn.widgets.Select(label="Begin with", options=list(self._starts), width=300)
        self._start.param.watch(lambda _: pn.state.execute(self._open), "value")
        left = pn.Column(self._start, self._controls.view, self._copied.view)
        right = pn.Column(
            self._status.view,
            self._shown.view,
            sizing_mode="stretch_width",
            styles={"min-width": "0"},
        )
        self.view: Viewable = pn.Row(
            left, right, sizing_mode="stretch_width", stylesheets=[_BESIDE]
        )
        once_shown(self._open)

    async def _open(self) -> None:
        """Open the bench that was chosen."""
        turn, start = self._turns.next(), self._starts[self._start.value]
        with suppress(SupersededError), self._status.errors():
            self._status.say("busy", f"opening {start.name} …")
            self._opening = turn  # controls of the last bench change nothing of this one
            bench = await turn.run(self._workspace.slow, start.open)
            self._bench, self._settings = bench, bench.settings()
            self._opening = None
            await self._show(bench, self._settings, turn)
        if self._opening is turn:  # it cannot be opened: the last one stays
            self._opening = None

    def _changed(self, name: str, value: Any) -> None:
        """A control was changed."""
        if self._opening is not None:
            return
        if isinstance(value, tuple):  # a file: its name, and what is in it
            value = str(self._files.keep(*value))
        self._settings = {**self._settings, name: value}
        bench, settings, turn = self._bench, self._settings, self._turns.next()

        async def refresh() -> None:
            if bench is not None:
                with suppress(SupersededError), self._status.errors():
                    await self._show(bench, settings, turn)

        pn.state.execute(refresh)

    async def _show(self, bench: Bench, settings: dict[str, Any], turn: Turn) -> None:
        """Show what settings make, quickly and then exactly.

        Raises:
            InputError: They cannot be made.
            SupersededError: Something was changed meanwhile.
        """
        start, space = perf_counter(), self._workspace
        settled, groups = await turn.run(space.quick, lambda: bench.settle(settings))
        self._settings = settled
        changed = {name for name, value in settled.items() if settings.get(name) != value}
        in_document(lambda: self._controls.show(groups, settled, changed))
        with suppress(CrystalVisionError):  # what is wrong, the sample itself tells
            preview = await turn.run(space.quick, lambda: bench.preview(settled))
            if preview is not None:
                self._draw(preview, "preview", start)
                await turn.pause(_PAUSE)
        seen = await turn.run(space.slow, lambda: bench.view(settled))
        recipe = bench.recipe(settled)
        self._draw(seen, "exact", start)
        in_document(lambda: self._copied.show(recipe, self._files))
        held = HeldPattern("bench", seen.sample.image, seen.axes, recipe, seen.sample.columns)
        space.held = held

    def _draw(self, seen: BenchView, state: str, start: float) -> None:
        seconds = perf_counter() - start
        what = "preview, sharpening …" if state == "preview" else "sample 0 of the recipe"

        def draw() -> None:  # in one message: the browser draws once
            self._shown.show(seen, rescale=state == "exact")
            self._status.put(state, f"{what} ({seconds:.2f} s)")

        in_document(draw)


def _view(workspace: Workspace) -> Viewable:
    return BenchPage(workspace).view


BENCH = Page(
    "bench", "Bench", "One sample, changed by hand, and the recipe that makes exactly this.", _view
)
