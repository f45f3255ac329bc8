"""What one run says, as a card."""

from collections.abc import Sequence
from html import escape
from typing import Any

import panel as pn
from panel.viewable import Viewable

from crystalvision.explorer.patterns import thumbnail
from crystalvision.explorer.runs._answer import PASSES, Answer
from crystalvision.explorer.runs._figures import bars_figure, map_figure_of
from crystalvision.explorer.runs._neighbours import Nearest
from crystalvision.text import unit_text

_SIDE = 300  # pixels
_LIST = "margin:.2rem 0;display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;font-size:.9rem"


def answer_card(answer: Answer) -> Viewable:
    """A card of what a run says of a pattern."""
    drawn = [bars_figure(answer)]
    if answer.explanation is not None:
        drawn += [map_figure_of(answer, one) for one in answer.explanation.maps]
    figures = [figure_pane(one) for one in drawn if one is not None]
    return pn.Column(
        pn.pane.HTML(_text(answer), sizing_mode="stretch_width"),
        pn.FlexBox(*figures, sizing_mode="stretch_width", css_classes=["figures"]),
        sizing_mode="stretch_width",
        css_classes=["answer"],
    )


def figure_pane(figure: Any) -> Viewable:
    """A figure that fits on a phone, and several beside each other elsewhere."""
    height = figure.height if figure.aspect_ratio in {None, "auto"} else _SIDE
    figure.update(sizing_mode="fixed", width=_SIDE, height=height, aspect_ratio=None)
    return pn.pane.Bokeh(figure)


def numbers_of(answer: Answer) -> dict[str, str]:
    """What a run says, in words with units, by name."""
    found: dict[str, str] = {}
    undecided = answer.predictions.undecided_targets
    for name, each in answer.predictions.items():
        if each.target.shape:
            continue
        if each.target.classes:
            said = each.names[0]
            if each.probabilities is not None:
                said += f" ({float(each.probabilities[0].max()):.1%})"
            if name in undecided and undecided[name][0]:
                said += ", undecided: another may be right"
        else:
            unit = unit_text(each.target.units)
            said = f"{float(each.value[0]):.4g}{f' {unit}' if unit else ''}"
            if each.spread is not None:
                said += f" ± {float(each.spread[0]):.2g}"
        found[name] = said
    novelty = answer.predictions.novelty
    if novelty is not None:
        flag = "unlike the training data: believe nothing of it" if novelty[0] > 1 else "known"
        found["novelty"] = f"{float(novelty[0]):.2f} of its limit, {flag}"
    found |= _uncertainty(answer)
    return found


def _uncertainty(answer: Answer) -> dict[str, str]:
    if answer.several is None:
        return {}
    found = {}
    for name, each in answer.several.items():
        apart = each.answers
        if apart is None or each.target.shape:
            continue
        if apart.entropy is not None and apart.mutual_information is not None:
            found[f"{name}: entropy"] = (
                f"{float(apart.entropy[0]):.3f} nat, on {float(apart.mutual_information[0]):.3f} "
                f"of it {apart.samples} answers disagree"
            )
        elif apart.value_std is not None:
            found[f"{name}: answers differ by"] = f"{float(apart.value_std[0]):.3g}"
    return found


def _text(answer: Answer) -> str:
    pairs = "".join(
        f'<div style="display:flex;gap:.4rem"><dt style="opacity:.7">{escape(name)}</dt>'
        f'<dd style="margin:0;font-weight:600" data-name="{escape(name, quote=True)}">'
        f"{escape(value)}</dd></div>"
        for name, value in numbers_of(answer).items()
    )
    notes = "".join(
        f'<p style="margin:.1rem 0;opacity:.8">{escape(note)}</p>' for note in answer.notes
    )
    return (
        f'<h2 style="font-size:1.05rem;margin:.6rem 0 .1rem">{escape(answer.name)}</h2>'
        f'<dl class="numbers" style="{_LIST}">{pairs}</dl>{notes}'
    )


def nearest_text(run: str, found: Sequence[Nearest]) -> str:
    """Training patterns near to one, as a row of pictures of HTML."""
    tiles = "".join(
        f'<figure style="margin:0;width:100px"><img src="{thumbnail(one.image)}" alt="" '
        'style="width:96px;image-rendering:pixelated;display:block">'
        f'<figcaption style="font-size:11px;overflow-wrap:anywhere">{one.index} '
        f"{escape(one.label)}<br>{one.distance:.2f} away</figcaption></figure>"
        for one in found
    )
    return (
        f'<h3 style="font-size:.95rem;margin:.4rem 0">Nearest training patterns of {escape(run)}'
        f'</h3><div style="display:flex;flex-wrap:wrap;gap:.4rem">{tiles}</div>'
    )


DROPOUT_LABEL = f"Uncertainty by dropout ({PASSES} passes)"
