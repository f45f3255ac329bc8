"""Arrays are checked against the shapes that annotations tell, while tests run."""

import importlib
import sys
from textwrap import dedent

import pytest
import torch
from jaxtyping import TypeCheckError

from crystalvision.testing.shapes import check_shapes

SOURCE = """
    from dataclasses import dataclass
    from typing import TYPE_CHECKING

    import torch
    from jaxtyping import Float

    if TYPE_CHECKING:
        from nowhere import Unknown


    def product(a: Float[torch.Tensor, "n k"], b: Float[torch.Tensor, "k m"], why: "Unknown" = 0):
        return a @ b


    @dataclass(frozen=True, slots=True)
    class Pair:
        first: Float[torch.Tensor, "n"]
        second: Float[torch.Tensor, "n"] | None


    class Thing:
        @staticmethod
        def wrong(a: Float[torch.Tensor, "n"]) -> Float[torch.Tensor, "n"]:
            return a[:-1]
"""


@pytest.fixture
def shaped(tmp_path, monkeypatch):
    (tmp_path / "shaped.py").write_text(dedent(SOURCE))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    check_shapes(["shaped"])
    yield importlib.import_module("shaped")
    del sys.modules["shaped"]


def test_arrays_of_other_shapes_are_refused(shaped):
    assert shaped.product(torch.ones(2, 3), torch.ones(3, 4)).shape == (2, 4)
    with pytest.raises(TypeCheckError):
        shaped.product(torch.ones(2, 3), torch.ones(2, 4))
    assert shaped.Pair(torch.ones(2), None).second is None
    with pytest.raises(TypeCheckError):
        shaped.Pair(torch.ones(2), torch.ones(3))
    with pytest.raises(TypeCheckError):
        shaped.Thing.wrong(torch.ones(3))


def test_annotations_stay_as_they_are(shaped):
    assert set(shaped.product.__annotations__) == {"a", "b", "why"}
    assert shaped.product.__annotations__["why"] == "Unknown"
