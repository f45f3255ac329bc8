"""Files that are dropped onto a page: kept while it is there, and told by their own names."""

from pathlib import Path

import pytest

pytest.importorskip("panel", reason="the explorer needs the extra `explore`")

import panel as pn

from crystalvision.explorer._dropped import DroppedFiles, when_dropped


def test_a_file_is_told_by_its_own_name_wherever_its_copy_lies():
    files = DroppedFiles()
    path = files.keep("../../my crystal.cif", b"nothing")
    assert path.read_bytes() == b"nothing"
    assert files.plain(f"{path}: no crystal; see {path}") == (
        "my crystal.cif: no crystal; see my crystal.cif"
    )
    assert files.names({"path": str(path)}) == {"path": "my crystal.cif"}
    assert files.plain(f"{Path(__file__)}: left alone") == f"{Path(__file__)}: left alone"
    del files
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"the same"], ids=["empty", "with another's content"])
def test_a_file_that_the_field_does_not_tell_by_its_content_is_taken_all_the_same(content):
    field, taken = pn.widgets.FileInput(), []
    when_dropped(field, lambda *file: taken.append(file))
    field.param.update(filename="first.cif", value=b"the same")
    field.param.update(filename="second.cif", value=content or None)  # as the browser gives it
    assert taken == [("first.cif", b"the same"), ("second.cif", content)]
