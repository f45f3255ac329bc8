"""The page "Benchmarks"."""

from pathlib import Path

import panel as pn
from panel.viewable import Viewable

from crystalvision.explorer._documents import in_document, once_shown
from crystalvision.explorer._turns import Turns
from crystalvision.explorer.benchmarks._figures import course_figure, points_figure
from crystalvision.explorer.benchmarks._found import Course, Found
from crystalvision.explorer.page import Page
from crystalvision.explorer.status import Status
from crystalvision.explorer.tables import sortable_table
from crystalvision.explorer.workspace import Workspace

_NOTHING = (
    "No benchmark was opened. Start with `crystalvision explore FOLDER`, where FOLDER is what "
    "`crystalvision benchmark` wrote, or a copy that was kept of it."
)


class BenchmarksPage:
    """Results of suites in the browser.

    Attributes:
        view: What is shown.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Begin with the first benchmark that was opened."""
        self._workspace = workspace
        self._folders = {str(path): path for path in workspace.opened.benchmarks}
        self._found: Found | None = None
        self._courses: dict[str, Course] = {}
        self._turns, self._status = Turns(), Status()
        self._folder = _select("Benchmark", list(self._folders))
        self._test = _select("Test", [])
        self._course = _select("Along", [])
        self._figures = pn.FlexBox(sizing_mode="stretch_width", css_classes=["figures"])
        self._table = pn.pane.HTML("", sizing_mode="stretch_width", css_classes=["results"])
        self._folder.param.watch(lambda _: pn.state.execute(self._open), "value")
        self._test.param.watch(lambda _: self._show(), "value")
        self._course.param.watch(lambda _: self._show(), "value")
        chosen = pn.FlexBox(self._folder, self._test, self._course, sizing_mode="stretch_width")
        self.view: Viewable = pn.Column(
            chosen, self._status.view, self._table, self._figures, sizing_mode="stretch_width"
        )
        if self._folders:
            once_shown(self._open)
        else:
            chosen.visible = False
            self._status.say("ready", _NOTHING)

    async def _open(self) -> None:
        """Read the benchmark that was chosen."""
        turn, folder = self._turns.next(), self._folders[self._folder.value]
        with self._status.errors():
            self._status.say("busy", f"reading {folder} …")
            found = await turn.run(self._workspace.slow, lambda: self._read(folder))
            in_document(lambda: self._begin(found))

    def _read(self, folder: Path) -> Found:
        catalogue = self._workspace.session.catalogue
        return self._workspace.once(("benchmark", folder), lambda: Found(folder, catalogue))

    def _begin(self, found: Found) -> None:
        """Show a benchmark from its first test on."""
        self._found = None  # what the two menus tell meanwhile is of no use
        self._courses = {f"{one.title}, by {one.along}": one for one in found.courses()}
        tests, courses = list(found.tests), list(self._courses)
        self._test.param.update(options=tests, value=tests[0])
        self._course.param.update(
            options=courses, value=courses[0] if courses else None, visible=bool(courses)
        )
        self._found = found
        self._show()

    def _show(self) -> None:
        """Show the test that is chosen."""
        found = self._found
        if found is None:
            return
        table = found.tests[self._test.value]
        caption = f"{found.title}: {table.comparison.name}"
        shown = [points_figure(found.points(table), found.score)]
        course = self._courses.get(self._course.value)
        if course is not None:
            shown.append(course_figure(course, found.score))
        self._table.object = sortable_table(caption, found.headings(table), found.rows(table))
        self._figures.objects = [
            pn.pane.Bokeh(
                one,
                sizing_mode="stretch_width",
                styles={"flex": "1 1 24rem", "min-width": "0", "max-width": "62rem"},
            )
            for one in shown
        ]
        failures = len(found.results.benchmark.failures)
        lost = f"; {failures} failed" if failures else ""
        self._status.say(
            "shown",
            f"{len(table.lines)} systems, {table.comparison.patterns} patterns tested{lost}. "
            "Headings put rows in order; point at a mark to read it.",
        )


def _select(name: str, options: list[str]) -> pn.widgets.Select:
    return pn.widgets.Select(
        label=name, options=options, sizing_mode="stretch_width", max_width=420, min_width=240
    )


def _view(workspace: Workspace) -> Viewable:
    return BenchmarksPage(workspace).view


BENCHMARKS = Page(
    "benchmarks", "Benchmarks", "What suites found: systems compared, with intervals.", _view
)
