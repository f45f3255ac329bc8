"""Controls of a bench as widgets."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any, ClassVar

import panel as pn
from bokeh.models import CustomJSTickFormatter
from panel.viewable import Viewable

from crystalvision.explorer._dropped import when_dropped
from crystalvision.samples import Control, ControlGroup

Changed = Callable[[str, Any], None]
"""Called with the name of a control and what it stands at."""

_STEPS = 200  # of a slider
_WIDTH = 300
# The name stands before its box, and once.
_BOX_CSS = """
.bk-input-group { flex-direction: row; align-items: center; gap: 6px; }
.bk-input-group > label { flex: 1; }
.bk-input-group > .bk-spin-wrapper, .bk-input-group > .bk-input-container { flex: 0 0 110px; }
"""
_SLIDER_CSS = """
.bk-slider-title { position: absolute; opacity: 0; height: 0; overflow: hidden; }
.noUi-target { background: var(--raised, #f4f6f9); border-color: var(--line, #d9dde5);
  box-shadow: none; }
.noUi-connect { background: var(--line, #d9dde5); }
"""
_LOG_TICK = "return (10 ** tick).toPrecision(3)"


class ControlPanel:
    """Controls in groups, which are made anew only when there are others.

    Attributes:
        view: What is shown.
    """

    def __init__(self, changed: Changed) -> None:
        """Begin without any.

        Args:
            changed: Called when the user changed one.
        """
        self.view = pn.Column(width=_WIDTH + 20, css_classes=["controls"])
        self._changed = changed
        self._groups: tuple[ControlGroup, ...] = ()
        self._boxes: dict[str, Viewable] = {}
        self._cards: dict[str, pn.Card] = {}
        self._setters: dict[str, Callable[[Any], None]] = {}

    def show(
        self, groups: Sequence[ControlGroup], settings: Mapping[str, Any], changed: Set[str]
    ) -> None:
        """Show these controls.

        Args:
            groups: The controls.
            settings: What new ones stand at.
            changed: Those that stand elsewhere than the user left them. All others are let be:
                they may be moved right now.
        """
        if tuple(groups) != self._groups:
            before = {one.title: one for one in self._groups}
            for group in groups:
                if before.get(group.title) != group:
                    made = [self._widget(one, settings.get(one.name)) for one in group.controls]
                    self._boxes[group.title] = pn.Column(*made)
            self._groups = tuple(groups)
            self.view.objects = self._arranged(groups)
        for name in changed & self._setters.keys():
            self._setters[name](settings[name])

    def _arranged(self, groups: Sequence[ControlGroup]) -> list[Viewable]:
        """The cards of all groups; those that are there stay as they are."""
        titles: dict[str, list[ControlGroup]] = {}
        for group in groups:
            titles.setdefault(group.under or group.title, []).append(group)
        for title, inside in titles.items():
            boxes = [self._boxes[group.title] for group in inside]
            if title not in self._cards:
                self._cards[title] = pn.Card(
                    title=title,
                    collapsed=not inside[0].open,
                    width=_WIDTH + 16,
                    margin=(0, 0, 8, 0),
                )
            if self._cards[title].objects != boxes:
                self._cards[title].objects = boxes
        return [self._cards[title] for title in titles]

    def _widget(self, control: Control, value: Any) -> Viewable:
        def tell(new: Any) -> None:
            self._changed(control.name, new)

        widget = _MAKERS[control.kind](control, value, tell)
        self._setters[control.name] = widget.set
        view: Viewable = widget.view
        return view


class _Plain:
    """A widget of Panel's, which is told from outside without telling of it itself."""

    def __init__(self, widget: Any, tell: Callable[[Any], None]) -> None:
        self.view: Viewable = widget
        self._widget = widget
        self._quiet = False
        self._tell = tell
        widget.param.watch(self._heard, "value")

    def _heard(self, event: Any) -> None:
        if not self._quiet:
            self._tell(event.new)

    def set(self, value: Any) -> None:
        """Show a value."""
        self._quiet = True
        try:
            self._widget.value = value
        finally:
            self._quiet = False


class _Slider(pn.widgets.FloatSlider):
    """A slider that tells at once where it is.

    Panel waits for 50 ms, so that not each step is answered; of previews, only the newest is made.
    """

    _debounce: ClassVar[int] = 0  # ms


class _Number:
    """A slider, and a box in which any number can be typed."""

    def __init__(self, control: Control, value: Any, tell: Callable[[Any], None]) -> None:
        self._control, self._tell, self._quiet = control, tell, False
        low, high = self._at(control.low), self._at(control.high)
        box = pn.widgets.IntInput if control.whole else pn.widgets.FloatInput
        self._box = box(
            label=_label(control),
            value=value,
            description=control.help or None,
            width=_WIDTH - 20,
            stylesheets=[_BOX_CSS],
            margin=(4, 10, 0, 10),
        )
        step = (high - low) / _STEPS
        if control.whole and not control.logarithmic:
            step = max(1.0, round(step))
        self._slider = _Slider(
            label=f"{control.label} slider",
            start=low,
            end=high,
            step=step,
            value=self._within(value),
            show_value=False,
            format=CustomJSTickFormatter(code=_LOG_TICK) if control.logarithmic else "0[.]0000",
            width=_WIDTH - 36,
            stylesheets=[_SLIDER_CSS],
            margin=(0, 18, 6, 18),
        )
        self.view: Viewable = pn.Column(self._box, self._slider, css_classes=["number"])
        self._box.param.watch(self._typed, "value")
        self._slider.param.watch(self._slid, "value")

    def set(self, value: Any) -> None:
        """Show a value."""
        with self._quietly():
            self._box.value = value
            self._slider.value = self._within(value)

    # What the user moves is left alone: it may be elsewhere by now.

    def _typed(self, event: Any) -> None:
        if not self._quiet and event.new is not None:
            with self._quietly():
                self._slider.value = self._within(event.new)
            self._tell(event.new)

    def _slid(self, event: Any) -> None:
        if not self._quiet:
            value = self._of(event.new)
            with self._quietly():
                self._box.value = value
            self._tell(value)

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Within it, nothing is told of what changes."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _at(self, value: float) -> float:
        """Where a value is on the slider."""
        return math.log10(value) if self._control.logarithmic else float(value)

    def _of(self, place: float) -> float:
        """The value at a place of the slider, with as many digits as a step tells apart."""
        if self._control.whole:
            return round(10**place if self._control.logarithmic else place)
        if self._control.logarithmic:
            return float(f"{10**place:.3g}")
        return float(f"{place:.6g}")

    def _within(self, value: Any) -> float:
        low, high = self._control.low, self._control.high
        return self._at(min(max(float(value if value is not None else low), low), high))


def _choice(control: Control, value: Any, tell: Callable[[Any], None]) -> _Plain:
    widget = pn.widgets.Select(
        label=_label(control),
        options=list(control.choices),
        value=value,
        description=control.help or None,
        width=_WIDTH - 20,
    )
    return _Plain(widget, tell)


def _switch(control: Control, value: Any, tell: Callable[[Any], None]) -> _Plain:
    return _Plain(pn.widgets.Checkbox(label=_label(control), value=bool(value)), tell)


def _text(control: Control, value: Any, tell: Callable[[Any], None]) -> _Plain:
    widget = pn.widgets.TextInput(
        label=_label(control), value=value, description=control.help or None, width=_WIDTH - 20
    )
    return _Plain(widget, tell)


class _File:
    """A place to drop a file; what is told is its name and its bytes."""

    def __init__(self, control: Control, value: Any, tell: Callable[[Any], None]) -> None:
        del value
        self._input = pn.widgets.FileInput(
            label=_label(control), accept=",".join(control.choices), width=_WIDTH - 20
        )
        self.view: Viewable = self._input
        when_dropped(self._input, lambda name, content: tell((name, content)))

    def set(self, value: Any) -> None:
        """A browser lets nobody else choose a file."""


def _label(control: Control) -> str:
    return f"{control.label} [{control.units}]" if control.units else control.label


_MAKERS: Mapping[str, Callable[[Control, Any, Callable[[Any], None]], Any]] = {
    "number": _Number,
    "choice": _choice,
    "switch": _switch,
    "text": _text,
    "file": _File,
}
