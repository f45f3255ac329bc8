"""Figures that are drawn once and then given new data."""

import numpy as np
import pytest

pytest.importorskip("panel", reason="the explorer needs the extra `explore`")

from crystalvision.contracts import Axis
from crystalvision.explorer.figures import CurvesFigure, DotMapFigure, PictureFigure
from crystalvision.samples import Curve, Curves, DotMap, Dots, Picture

AXES = tuple(Axis(name=name, size=4, scale=0.1, offset=-0.2) for name in ("q_y", "q_x"))


def picture(scale: float) -> Picture:
    return Picture("one", scale * np.ones((4, 4)), AXES, "counts", scale / 10, 10 * scale)


def curves(scale: float) -> Curves:
    values = scale * np.array([1.0, 0.0, 20.0])
    return Curves("one", "|q|", "counts", (Curve("a", np.arange(3.0), values),), logarithmic=True)


def dots(scale: float) -> DotMap:
    rings = Dots("vacant", np.zeros(1), np.ones(1), np.full(1, scale), "", marked=True)
    atoms = Dots("Si", np.arange(3.0), np.arange(3.0), np.full(3, scale), "#f0c8a0")
    return DotMap("one", "Å", 10 * scale, (atoms, rings))


def test_a_preview_brings_its_data_and_leaves_the_scales():
    for made, new in (
        (PictureFigure(picture(1.0)), picture(50.0)),
        (CurvesFigure(curves(1.0)), curves(50.0)),
        (DotMapFigure(dots(1.0)), dots(50.0)),
    ):
        before = scales(made.figure)
        made.show(new, rescale=False)
        assert scales(made.figure) == before
        made.show(new)
        assert scales(made.figure) != before
    image = PictureFigure(picture(1.0))
    image.show(picture(50.0), rescale=False)
    assert image.figure.renderers[0].data_source.data["image"][0].max() == 50


def scales(figure):
    mapper = getattr(figure.renderers[0].glyph, "color_mapper", None)
    ends = [(one.start, one.end) for one in (figure.x_range, figure.y_range)]
    return ends[-1] if mapper is None else (mapper.low, mapper.high)


def test_curves_lie_between_whole_decades():
    figure = CurvesFigure(curves(1.0)).figure
    assert (figure.y_range.start, figure.y_range.end) == (1.0, 100.0)
    nothing = Curves("none", "x", "y", (Curve("a", np.zeros(2), np.zeros(2)),), logarithmic=True)
    figure = CurvesFigure(nothing).figure
    assert 0 < figure.y_range.start < figure.y_range.end


def test_atoms_are_sent_as_bytes_with_one_row_of_the_legend_for_each_kind():
    atoms, kinds = (one.data_source.data for one in DotMapFigure(dots(1.0)).figure.renderers[:2])
    assert list(kinds["name"]) == ["Si", "vacant"]
    np.testing.assert_array_equal(atoms["colour"][:, 3], [255, 255, 255, 0])  # a ring has no face
    np.testing.assert_array_equal(atoms["colour"][0], [0xF0, 0xC8, 0xA0, 255])
    assert atoms["x"].dtype == np.float64
