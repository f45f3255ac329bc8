"""The page "Dataset"."""

from functools import partial
from pathlib import Path

import numpy as np
import panel as pn
from jaxtyping import Int
from panel.viewable import Viewable

from crystalvision.datasets import Dataset
from crystalvision.errors import CrystalVisionError
from crystalvision.explorer._documents import in_document, once_shown
from crystalvision.explorer._turns import Turns
from crystalvision.explorer.dataset._answers import Answers, ask, kept_answers
from crystalvision.explorer.dataset._facets import Facet, facets_of
from crystalvision.explorer.dataset._filters import Filters
from crystalvision.explorer.dataset._gallery import SHOWN, Gallery
from crystalvision.explorer.dataset._orders import ordered, orders_of
from crystalvision.explorer.dataset._sample import LargeSample
from crystalvision.explorer.dataset._twin import Twin, twin_of
from crystalvision.explorer.named_runs import named_runs
from crystalvision.explorer.page import Page
from crystalvision.explorer.patterns import hidden, thumbnail
from crystalvision.explorer.status import Status
from crystalvision.explorer.workspace import HeldPattern, Workspace
from crystalvision.prediction import Predictor

_NOTHING = "No dataset was opened. Start with `crystalvision explore DATA.zarr`."
_HERE = "asked here"
_FIRST = ("label", "severity", "split")
_FIRST_SHOWN = 4


class DatasetPage:
    """A dataset in the browser.

    Images are read a page at a time; of all samples, only columns are in memory.

    Attributes:
        view: What is shown.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Begin with the first dataset that was opened."""
        self._workspace = workspace
        self._paths = {str(path): path for path in workspace.opened.datasets}
        self._dataset: Dataset | None = None
        self._facets: dict[str, Facet] = {}
        self._answers: dict[str, Answers] = {}
        self._order: Int[np.ndarray, "m"] = np.zeros(0, dtype=np.int64)
        self._first, self._index = 0, -1
        self._turns, self._pages, self._samples = Turns(), Turns(), Turns()
        self._asking = Turns()
        self._status, self._twin_status = Status(), Status()
        self._filters = Filters(self._reorder)
        self._gallery, self._large = Gallery(self._choose), LargeSample()
        self._build()
        if self._paths:
            once_shown(self._open)
        else:
            self._body.visible = False
            self._status.say("ready", _NOTHING)

    def _build(self) -> None:
        """Put the widgets together."""
        self._path = _select("Dataset", list(self._paths))
        self._path.param.watch(lambda _: pn.state.execute(self._open), "value")
        self._run = _select("By what a run says", [], 300)
        self._run.param.watch(lambda _: self._said(), "value")
        self._sort = _select("Order", orders_of(None), 300)
        self._sort.param.watch(lambda _: self._reorder(), "value")
        self._ask = pn.widgets.Button(label="Ask it about these samples", width=220)
        self._ask.on_click(lambda _: pn.state.execute(self._ask_now))
        self._before = pn.widgets.Button(label="◀ previous", width=110)
        self._after = pn.widgets.Button(label="next ▶", width=110)
        self._before.on_click(lambda _: self._turn_page(-SHOWN))
        self._after.on_click(lambda _: self._turn_page(SHOWN))
        self._hand = pn.widgets.Button(label="Hand this sample to Runs", width=220)
        self._hand.on_click(lambda _: self._hand_on())
        wide = {"flex": "1 1 22rem", "min-width": "0"}
        self._chosen = pn.Column(
            self._twin_status.view, self._large.view, self._hand,
            sizing_mode="stretch_width", styles=wide, visible=False,
        )  # fmt: skip
        middle = pn.Column(
            pn.FlexBox(self._run, self._sort, self._ask, align_items="flex-end"),
            self._gallery.view,
            pn.FlexBox(self._before, self._after),
            sizing_mode="stretch_width",
            styles=wide,
        )
        self._body = pn.FlexBox(
            self._filters.view, middle, self._chosen,
            sizing_mode="stretch_width", styles={"gap": "0 1rem"},
        )  # fmt: skip
        self.view: Viewable = pn.Column(
            self._path, self._status.view, self._body, sizing_mode="stretch_width"
        )

    async def _open(self) -> None:
        """Open the dataset that was chosen."""
        turn, path = self._turns.next(), self._paths[self._path.value]
        with self._status.errors():
            self._status.say("busy", f"reading the columns of {path} …")
            dataset, facets, answers = await turn.run(
                self._workspace.slow, lambda: self._read(path)
            )
            self._dataset, self._answers = dataset, dict(answers)
            in_document(lambda: self._begin(facets))

    def _read(self, path: Path) -> tuple[Dataset, dict[str, Facet], dict[str, Answers]]:
        opened = self._workspace.opened

        def read() -> tuple[Dataset, dict[str, Facet], dict[str, Answers]]:
            dataset = Dataset.open(path)
            facets = {one.name: one for one in facets_of(dataset)}
            runs = named_runs(opened.runs)
            answers = {one.name: one for one in kept_answers(runs, dataset)}
            for run in runs:
                name = f"{run}, {_HERE}"
                answers[name] = Answers.none(name, len(dataset))
            return dataset, facets, answers

        return self._workspace.once(("dataset table", path), read)

    def _begin(self, facets: dict[str, Facet]) -> None:
        """Show a dataset from its first sample on."""
        self._facets = facets
        self._chosen.visible = False
        runs = list(self._answers)
        names = [name for name in _FIRST if name in facets]
        rest = [name for name in facets if name not in names]
        self._dataset, dataset = None, self._dataset  # what menus tell meanwhile is of no use
        self._run.param.update(options=runs, value=runs[0] if runs else None, visible=bool(runs))
        self._ask.visible = bool(runs)
        self._dataset = dataset
        self._said([*names, *rest][:_FIRST_SHOWN])

    def _all_facets(self) -> dict[str, Facet]:
        found = dict(self._facets)
        answers = self._answers.get(self._run.value or "")
        classes = self._dataset.header.class_names if self._dataset is not None else ()
        if answers is not None:
            found |= {one.name: one for one in answers.facets(classes)}
        return found

    def _said(self, first: list[str] | None = None) -> None:
        """Another run was chosen, or has said more; or a dataset begins with some histograms."""
        if self._dataset is None:
            return
        answers = self._answers.get(self._run.value or "")
        orders = orders_of(answers)
        order = self._sort.value if self._sort.value in orders else orders[0]
        self._sort.param.update(options=orders, value=order)
        self._filters.show(self._all_facets(), first)
        self._ask.disabled = not (self._run.value or "").endswith(_HERE)
        self._reorder()

    def _reorder(self) -> None:
        """Filters or the order were changed."""
        if self._dataset is None:
            return
        answers = self._answers.get(self._run.value or "")
        self._order = ordered(self._sort.value, self._filters.chosen, answers, self._facets)
        self._first = 0
        pn.state.execute(self._show_page)

    def _turn_page(self, step: int) -> None:
        if 0 <= self._first + step < len(self._order):
            self._first += step
            pn.state.execute(self._show_page)

    async def _show_page(self) -> None:
        """Read and show the thumbnails of a page."""
        dataset, turn = self._dataset, self._pages.next()
        if dataset is None:
            return
        some = self._order[self._first : self._first + SHOWN]
        with self._status.errors():
            pictures = await turn.run(
                self._workspace.quick, lambda: self._thumbnails(dataset, some)
            )
            in_document(lambda: self._gallery.show(pictures))
            last = self._first + len(some)
            self._before.disabled = self._first == 0
            self._after.disabled = last >= len(self._order)
            where = f"{self._first + 1:,} to {last:,} of " if len(some) else ""
            text = f"{where}{len(self._order):,} samples that are chosen, of {len(dataset):,}"
            self._status.say("shown", text)

    def _thumbnails(self, dataset: Dataset, some: Int[np.ndarray, "k"]) -> list[tuple[str, str]]:
        images, seen = dataset.images(some), dataset.seen(some)
        label = self._facets.get("label")
        return [
            (
                f"{index} {label.text(index)}" if label is not None else str(index),
                thumbnail(hidden(image, None if seen is None else seen[place])),
            )
            for place, (index, image) in enumerate(zip(some.tolist(), images, strict=True))
        ]

    def _choose(self, place: int) -> None:
        """A thumbnail was chosen."""
        if self._first + place < len(self._order):
            self._index = int(self._order[self._first + place])
            self._gallery.mark(place)
            pn.state.execute(self._show_sample)

    async def _show_sample(self) -> None:
        """Show a sample large: at once as it is, and with its twin when that is made."""
        dataset, index, turn = self._dataset, self._index, self._samples.next()
        if dataset is None:
            return
        facets, space = self._all_facets(), self._workspace
        with self._twin_status.errors():
            first = Twin(None, "")
            in_document(lambda: self._large.show(dataset, index, facets, first))
            in_document(lambda: self._chosen.param.update(visible=True))
            self._twin_status.say("busy", f"sample {index}; making its ideal twin …")
            try:
                twin = await turn.run(space.slow, lambda: twin_of(space, dataset, index))
            except CrystalVisionError as error:
                twin = Twin(None, str(error))
            in_document(lambda: self._large.show(dataset, index, facets, twin))
            self._twin_status.say("sample", f"sample {index}")

    def _hand_on(self) -> None:
        """Hand the sample to other pages."""
        dataset, index = self._dataset, self._index
        if dataset is None or index < 0:
            return
        with self._twin_status.errors():
            seen = dataset.seen([index])
            image = hidden(dataset.images([index])[0], None if seen is None else seen[0])
            known = {one.label: one.text(index) for one in self._facets.values()}
            name = f"{dataset.path.name}[{index}]"
            self._workspace.held = HeldPattern(name, image, dataset.header.axes, None, known)
            self._twin_status.say("sample", f"sample {index}: open the page Runs to ask about it")

    async def _ask_now(self) -> None:
        """Ask the run that was chosen about the samples that are chosen."""
        dataset, name, turn = self._dataset, self._run.value, self._asking.next()
        if dataset is None:
            return
        space, samples = self._workspace, np.flatnonzero(self._filters.chosen)
        path = named_runs(space.opened.runs)[name.removesuffix(f", {_HERE}")]
        answers = self._answers[name]

        def advance(done: int) -> bool:
            text = f"asking {path.name}: {done:,} of {len(samples):,} samples"
            self._status.say("busy", text)
            return self._asking.is_newest(turn.number)

        def work() -> None:
            predictor = space.once(
                ("predictor", path),
                partial(Predictor.load, path, catalogue=space.session.catalogue),
            )
            ask(predictor, dataset, samples, answers, advance)

        with self._status.errors():
            await turn.run(space.long, work)
            in_document(self._said)


def _select(label: str, options: list[str], width: int = 420) -> pn.widgets.Select:
    return pn.widgets.Select(
        label=label, options=options, sizing_mode="stretch_width", max_width=width, min_width=220
    )


def _view(workspace: Workspace) -> Viewable:
    return DatasetPage(workspace).view


DATASET = Page(
    "dataset", "Dataset", "Samples of a dataset: filtered, in order, and one of them large.", _view
)
