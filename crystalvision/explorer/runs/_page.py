"""The page "Runs"."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import panel as pn
from panel.viewable import Viewable

from crystalvision.datasets import Dataset, Simulated
from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.explorer._documents import in_document, once_shown
from crystalvision.explorer._dropped import DroppedFiles, when_dropped
from crystalvision.explorer._turns import Turns
from crystalvision.explorer.figures import draw
from crystalvision.explorer.named_runs import named_runs
from crystalvision.explorer.page import Page
from crystalvision.explorer.patterns import figure_of
from crystalvision.explorer.runs._answer import Answer, ask, ask_together
from crystalvision.explorer.runs._card import (
    DROPOUT_LABEL,
    answer_card,
    figure_pane,
    nearest_text,
)
from crystalvision.explorer.runs._degree_panel import DegreePanel
from crystalvision.explorer.runs._fields import in_fields
from crystalvision.explorer.runs._figures import place_figure
from crystalvision.explorer.runs._neighbours import TrainingPatterns, training_data
from crystalvision.explorer.runs._subject import Subject, of_dataset, of_file, of_held
from crystalvision.explorer.status import Status
from crystalvision.explorer.workspace import Workspace
from crystalvision.measured_files import Readers
from crystalvision.prediction import Predictor, Stated

_NOTHING = "No run was opened. Start with `crystalvision explore RUN`, also with a DATA.zarr."
_HELD, _FILE = "what another page handed on", "a dropped file"
_NEAREST = 8


class RunsPage:
    """Runs in the browser, asked about one pattern.

    Attributes:
        view: What is shown.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Begin with the pattern that was handed on, or the first sample of a dataset."""
        self._workspace = workspace
        self._runs = named_runs(workspace.opened.runs)
        self._datasets = {str(path): path for path in workspace.opened.datasets}
        self._dropped: Path | None = None
        self._files = DroppedFiles()
        self._subject: Subject | None = None
        self._turns, self._near = Turns(), Turns()
        self._status, self._near_status = (Status(self._files, in_fields) for _ in range(2))
        self._answers: list[Answer] = []
        self._degree = DegreePanel(workspace, self._loaded, self._take)
        self._build()
        self._document = pn.state.curdoc
        watcher = workspace.param.watch(self._handed_on, "held")
        if self._document is not None:
            pn.state.on_session_destroyed(lambda _: workspace.param.unwatch(watcher))
        if self._runs:
            once_shown(self._begin)
        else:
            self._body.visible = False
            self._status.say("ready", _NOTHING)

    def _build(self) -> None:
        """Put the widgets together."""
        held = [_HELD] if self._workspace.held is not None else []
        origins = [*held, *self._datasets, _FILE]
        names = list(self._runs)
        self._asked = pn.widgets.CheckBoxGroup(label="Runs", options=names, value=names[:4])
        self._origin = pn.widgets.Select(label="Pattern from", options=origins, width=290)
        self._number = pn.widgets.IntInput(label="sample, or pattern of a file", start=0, width=290)
        self._file = pn.widgets.FileInput(label="Drop a pattern here", width=290)
        self._pixel = pn.widgets.FloatInput(
            label="pixel size [1/Å], if the file states none", value=None, start=0, width=290
        )
        self._dropout = pn.widgets.Checkbox(label=DROPOUT_LABEL)
        self._find = pn.widgets.Button(label="Nearest training patterns, and the map", width=290)
        self._picture = pn.Column(pn.Spacer(height=1), sizing_mode="stretch_width")
        self._cards = pn.Column(pn.Spacer(height=1), sizing_mode="stretch_width")
        self._around = pn.Column(pn.Spacer(height=1), sizing_mode="stretch_width")
        for widget in (self._asked, self._origin, self._number, self._pixel, self._dropout):
            widget.param.watch(lambda _: pn.state.execute(self._ask), "value")
        when_dropped(self._file, self._took_file)
        self._find.on_click(lambda _: pn.state.execute(self._look_around))
        left = pn.Column(
            pn.pane.HTML("<strong>Runs</strong>"), self._asked, self._origin, self._number,
            self._file, self._pixel, self._dropout, self._find, width=316,
        )  # fmt: skip
        right = pn.Column(
            self._picture, self._cards, self._near_status.view, self._around, self._degree.view,
            sizing_mode="stretch_width", styles={"flex": "1 1 22rem", "min-width": "0"},
        )  # fmt: skip
        self._body = pn.FlexBox(left, right, sizing_mode="stretch_width", styles={"gap": "0 1rem"})
        self.view: Viewable = pn.Column(self._status.view, self._body, sizing_mode="stretch_width")

    async def _begin(self) -> None:
        if self._origin.value == _FILE:
            self._status.say("ready", "Drop a pattern, or hand one on from another page.")
        else:
            await self._ask()

    def _took_file(self, name: str, content: bytes) -> None:
        self._dropped = self._files.keep(name, content)
        self._number.value = 0
        if self._origin.value == _FILE:
            pn.state.execute(self._ask)
        else:
            self._origin.value = _FILE

    def _handed_on(self, event: Any) -> None:
        """Another page, which may be in another tab of the browser, handed a pattern on."""
        del event
        if self._document is None:
            self._offer_held()
        else:
            self._document.add_next_tick_callback(self._offer_held)

    def _offer_held(self) -> None:
        if _HELD not in self._origin.options:
            self._origin.options = [_HELD, *self._origin.options]
        elif self._origin.value == _HELD:
            pn.state.execute(self._ask)

    def _take(self, subject: Subject) -> None:
        """Ask about a pattern of the curve."""
        pn.state.execute(partial(self._ask, subject))

    async def _ask(self, subject: Subject | None = None) -> None:
        """Ask the runs that are chosen about the pattern that is chosen."""
        turn, asked, dropout = self._turns.next(), list(self._asked.value), self._dropout.value
        stated = Stated(self._pixel.value or None)
        with self._status.errors():
            if not asked:
                raise InputError("no run is chosen; choose one")
            self._status.say("busy", f"asking {', '.join(asked)} …")

            def work() -> tuple[Subject, list[Answer]]:
                chosen = subject or self._chosen()
                return chosen, self._said(asked, chosen, stated, dropout)

            found, answers = await turn.run(self._workspace.slow, work)
            self._subject, self._answers = found, answers
            in_document(lambda: self._show(found, answers))
            if subject is None:  # one of the curve's patterns leaves the curve as it is
                in_document(lambda: self._degree.offer(self._recipes(found)))
            self._status.say("answered", f"{found.name}, asked {len(asked)} runs")

    def _chosen(self) -> Subject:
        """The pattern that is chosen.

        Raises:
            InputError: There is none, or it cannot be read.
        """
        origin, number = self._origin.value, self._number.value or 0
        held = self._workspace.held
        if origin == _HELD and held is not None:
            return of_held(held)
        if origin == _FILE:
            if self._dropped is None:
                raise InputError("no file was dropped yet; drop one")
            return of_file(self._dropped, number, Readers(self._workspace.session.catalogue))
        return of_dataset(self._dataset(self._datasets[origin]), number)

    def _dataset(self, path: Path) -> Dataset:
        return self._workspace.once(("dataset", path), lambda: Dataset.open(path))

    def _predictor(self, name: str) -> Predictor:
        path, catalogue = self._runs[name], self._workspace.session.catalogue
        return self._workspace.once(
            ("predictor", path), lambda: Predictor.load(path, catalogue=catalogue)
        )

    def _loaded(self) -> dict[str, Predictor]:
        return {name: self._predictor(name) for name in self._asked.value}

    def _said(
        self, names: list[str], subject: Subject, stated: Stated, dropout: bool
    ) -> list[Answer]:
        predictors = {name: self._predictor(name) for name in names}
        answers = [
            ask(name, each, subject, stated, dropout=dropout) for name, each in predictors.items()
        ]
        if len(predictors) > 1:
            with suppress(InputError):  # runs of different targets or axes make no ensemble
                answers.append(ask_together([*predictors.values()], subject, stated))
        return answers

    def _show(self, subject: Subject, answers: list[Answer]) -> None:
        """Show the pattern and the answers."""
        first = answers[0]
        picture = figure_of(subject.name, [(subject.name, first.image)], first.axes, "counts")
        known = "; ".join(f"{name}: {value}" for name, value in subject.known.items())
        self._picture.objects = [
            figure_pane(draw(picture).figure),
            pn.pane.HTML(f"<small>{escape(known)}</small>", sizing_mode="stretch_width"),
        ]
        self._cards.objects = [answer_card(one) for one in answers]

    def _recipes(self, subject: Subject) -> dict[str, Mapping[str, Any]]:
        """Recipes of which a number can be changed: the pattern's own, and those of the runs."""
        found: dict[str, Mapping[str, Any]] = {}
        if subject.recipe is not None:
            found["the recipe of this pattern"] = subject.recipe
        for name in self._asked.value:
            made = self._predictor(name).record.dataset.provenance
            if isinstance(made, Simulated) and made.source:
                found[f"what {name} was trained on"] = {**made.recipe, "source": made.source}
        return found

    async def _look_around(self) -> None:
        """Find the training patterns that are nearest, and the place on the map."""
        turn, answers = self._near.next(), [one for one in self._answers if one.name in self._runs]
        with self._near_status.errors():
            if not answers:
                raise InputError("no run was asked about a pattern yet; choose both above")
            shown: list[Viewable] = []
            for answer in answers:
                text = f"features of the training patterns of {answer.name} …"
                self._near_status.say("busy", text)
                shown += await turn.run(self._workspace.long, partial(self._surroundings, answer))
            in_document(lambda: self._around.param.update(objects=shown))
            self._near_status.say("near", "Distances are of standardised features.")

    def _surroundings(self, answer: Answer) -> list[Viewable]:
        try:
            training = self._training(answer.name)
            found = training.nearest(answer.image, _NEAREST)
        except CrystalVisionError as error:  # of this run alone
            return [pn.pane.HTML(f"<p>{escape(answer.name)}: {escape(str(error))}</p>")]
        place = training.place(answer.image)
        name = self._subject.name if self._subject is not None else "this"
        around: list[Viewable] = [
            pn.pane.HTML(nearest_text(answer.name, found), sizing_mode="stretch_width")
        ]
        if place is not None:
            around.append(figure_pane(place_figure(training, place, name)))
        return around

    def _training(self, name: str) -> TrainingPatterns:
        predictor = self._predictor(name)

        def advance(done: int, total: int) -> None:
            self._near_status.say("busy", f"{name}: features of {done:,} of {total:,} patterns")

        def make() -> TrainingPatterns:
            data = training_data(predictor, self._workspace.opened.datasets)
            return TrainingPatterns(predictor, data, advance)

        return self._workspace.once(("training", self._runs[name]), make)


def _view(workspace: Workspace) -> Viewable:
    return RunsPage(workspace).view


RUNS = Page(
    "runs", "Runs", "What runs say of a pattern, what speaks for it, and what is near.", _view
)
