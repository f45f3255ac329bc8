"""The curve of the answer: a number of the recipe moves, and runs are asked at each step."""

from collections.abc import Callable, Mapping
from typing import Any

import panel as pn
from panel.viewable import Viewable

from crystalvision.errors import InputError
from crystalvision.explorer._documents import in_document
from crystalvision.explorer._turns import Turns
from crystalvision.explorer.runs._answer import brought
from crystalvision.explorer.runs._card import figure_pane
from crystalvision.explorer.runs._degrees import (
    Degree,
    bench_of,
    degrees_of,
    rendered,
    values_of,
)
from crystalvision.explorer.runs._fields import in_fields
from crystalvision.explorer.runs._figures import course_figures
from crystalvision.explorer.runs._subject import Subject
from crystalvision.explorer.status import Status
from crystalvision.explorer.workspace import Workspace
from crystalvision.prediction import UNSEEN, Predictions, Predictor, Stated
from crystalvision.samples import Bench

Predictors = Callable[[], Mapping[str, Predictor]]
_STEPS = 9


class DegreePanel:
    """Draws the answer of runs against a degree, and hands on the pattern at each.

    Attributes:
        view: What is shown.
    """

    def __init__(
        self, workspace: Workspace, predictors: Predictors, show: Callable[[Subject], None]
    ) -> None:
        """Begin without a recipe.

        Args:
            workspace: Who computes.
            predictors: The runs that are asked, loaded in the calling thread.
            show: Called with the pattern of the degree that is chosen.
        """
        self._workspace, self._predictors, self._show = workspace, predictors, show
        self._recipes: dict[str, Mapping[str, Any]] = {}
        self._bench: Bench | None = None
        self._degrees: dict[str, Degree] = {}
        self._patterns: dict[float, Subject] = {}
        self._status, self._turns = Status(words=in_fields), Turns()
        self._recipe = _select("Recipe")
        self._degree = _select("What changes")
        self._low = pn.widgets.FloatInput(label="from", width=90)
        self._high = pn.widgets.FloatInput(label="to", width=90)
        self._steps = pn.widgets.IntInput(label="steps", value=_STEPS, start=3, end=41, width=80)
        self._go = pn.widgets.Button(label="Draw the curve", color="primary", width=150)
        self._at = pn.widgets.DiscreteSlider(
            label="Show the pattern at", options=[0.0], width=300, visible=False
        )
        self._figures = pn.FlexBox(sizing_mode="stretch_width", css_classes=["curves"])
        self._recipe.param.watch(lambda _: pn.state.execute(self._open), "value")
        self._degree.param.watch(lambda _: self._reach(), "value")
        self._go.on_click(lambda _: pn.state.execute(self._draw))
        self._at.param.watch(self._moved, "value")
        self.view: Viewable = pn.Column(
            pn.pane.HTML("<h2 style='font-size:1.05rem;margin:.6rem 0 0'>The answer against the "
                         "degree of a defect</h2>", sizing_mode="stretch_width"),
            pn.FlexBox(self._recipe, self._degree, self._low, self._high, self._steps, self._go,
                       align_items="flex-end", sizing_mode="stretch_width"),
            self._status.view, self._at, self._figures, sizing_mode="stretch_width",
        )  # fmt: skip

    def offer(self, recipes: Mapping[str, Mapping[str, Any]]) -> None:
        """Offer recipes to change a number of."""
        if dict(recipes) == self._recipes:
            return
        self._recipes = dict(recipes)
        names = list(recipes)
        self._recipe.param.update(options=names, value=names[0] if names else None)
        self.view.visible = bool(names)

    async def _open(self) -> None:
        """Open the bench of the recipe that was chosen."""
        name, turn = self._recipe.value, self._turns.next()
        if name not in self._recipes:
            return
        catalogue, recipe = self._workspace.session.catalogue, self._recipes[name]

        def work() -> tuple[Bench, dict[str, Degree]]:
            bench = bench_of(recipe, name, catalogue)
            return bench, {one.title: one for one in degrees_of(bench)}

        with self._status.errors():
            self._bench, self._degrees = await turn.run(self._workspace.slow, work)
            names = list(self._degrees)
            in_document(lambda: self._degree.param.update(options=names, value=names[0]))
            in_document(self._reach)
            self._status.say("ready", "Choose a number of the recipe, and draw the curve.")

    def _reach(self) -> None:
        """The ends that suit the number."""
        degree = self._degrees.get(self._degree.value or "")
        if degree is not None:
            self._low.value, self._high.value = degree.control.low, degree.control.high

    async def _draw(self) -> None:
        """Render the steps in the background, and ask runs at each."""
        bench, turn = self._bench, self._turns.next()
        degree = self._degrees.get(self._degree.value or "")
        if bench is None or degree is None:
            return
        with self._status.errors():
            low, high, count = self._low.value, self._high.value, self._steps.value
            if low is None or high is None or count is None:
                raise InputError("from, to or steps is empty; give a number for each")
            values = values_of(degree.control, low, high, count)
            predictors = await turn.run(self._workspace.slow, self._predictors)
            if not predictors:
                raise InputError("no run is chosen; choose one above")
            steps = rendered(bench, degree, values, {})
            told: dict[str, list[Predictions]] = {name: [] for name in predictors}
            patterns: dict[float, Subject] = {}
            for number in range(len(values)):
                self._status.say("busy", f"step {number + 1} of {len(values)}: {degree.title} …")

                def work() -> tuple[float, Subject, dict[str, Predictions]]:
                    value, subject = next(steps)
                    return value, subject, _asked(predictors, subject)

                value, subject, answers = await turn.run(self._workspace.long, work)
                patterns[value] = subject
                for name, one in answers.items():
                    told[name].append(one)
                self._redraw(degree, patterns, told)
            self._status.say("curve", f"{len(values)} patterns along {degree.title}")

    def _redraw(
        self, degree: Degree, patterns: dict[float, Subject], told: dict[str, list[Predictions]]
    ) -> None:
        values = list(patterns)
        figures = course_figures(
            degree.title,
            {name: (values, answers) for name, answers in told.items() if answers},
            logarithmic=degree.control.logarithmic,
        )
        self._patterns = dict(patterns)

        def change() -> None:
            self._figures.objects = [figure_pane(one) for one in figures]
            at = self._at.value if self._at.value in values else values[0]
            self._at.param.update(options=values, value=at, visible=len(values) > 1)

        in_document(change)

    def _moved(self, event: Any) -> None:
        if event.new in self._patterns and event.old in self._patterns:
            self._show(self._patterns[event.new])


def _asked(predictors: Mapping[str, Predictor], subject: Subject) -> dict[str, Predictions]:
    found = {}
    for name, predictor in predictors.items():
        image, _ = brought(predictor, subject, Stated())
        found[name] = predictor.predict(image[None], gap_values=UNSEEN)
    return found


def _select(label: str) -> pn.widgets.Select:
    return pn.widgets.Select(
        label=label, options=[], sizing_mode="stretch_width", max_width=360, min_width=200
    )
