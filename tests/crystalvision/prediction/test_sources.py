"""Which patterns an argument of `predict` names; without any run."""

import os

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from crystalvision.errors import InputError
from crystalvision.prediction import open_source, read_image

SHAPE = (1, 24, 20)
STACK = np.random.default_rng(0).poisson(5, (4, 24, 20)).astype(np.uint16)


@pytest.fixture
def stack(tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, STACK, photometric="minisblack")
    return path


def read_all(argument):
    source = open_source(str(argument), SHAPE)
    return source.read(range(len(source)))


def refused(argument):
    with pytest.raises(InputError) as caught:
        read_all(argument)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 900
    return str(caught.value)


def test_every_page_of_a_file_is_a_pattern(stack):
    source = open_source(str(stack), SHAPE)
    assert list(source.names) == [f"{stack}[{number}]" for number in range(4)]
    assert np.array_equal(source.read([3, 0]), STACK[[3, 0]])
    chosen = open_source(f"{stack}[1:3]", SHAPE)
    assert list(chosen.names) == [f"{stack}[1]", f"{stack}[2]"]
    assert np.array_equal(chosen.read([0, 1]), STACK[1:3])
    assert np.array_equal(read_image(f"{stack}[2]"), STACK[2])
    assert np.array_equal(read_image(str(stack)), STACK)


def test_a_picture_of_four_channels_is_one_pattern(tmp_path):
    grey = STACK[0].astype(np.uint8)
    opaque = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    Image.fromarray(opaque).save(tmp_path / "screenshot.png")
    source = open_source(str(tmp_path / "screenshot.png"), SHAPE)
    assert list(source.names) == [str(tmp_path / "screenshot.png")]
    assert np.array_equal(source.read([0])[0], grey)
    assert "is a picture of 3 channels that are all alike; one is read" in source.notes
    Image.fromarray(STACK.astype(np.uint8).transpose(1, 2, 0)).save(tmp_path / "colours.png")
    assert "has pixels that are not opaque" in refused(tmp_path / "colours.png")


@pytest.mark.parametrize("text", ["²", "٤", "4", "-1", "1:²", "9" * 5000, "", "1.0"])
def test_an_index_that_is_none(stack, tmp_path, text):
    told = refused(f"{stack}[{text}]") if len(text) < 100 else None
    if told is None:
        with pytest.raises(InputError):
            open_source(f"{stack}[{text}]", SHAPE)
    else:
        assert "expected an index from 0 to 3, or FIRST:END within 0:4" in told
    zarr.save_array(str(tmp_path / "data.zarr"), STACK)
    with pytest.raises(InputError):
        open_source(f"{tmp_path / 'data.zarr'}[{text}]", SHAPE)


@pytest.mark.parametrize("name", ["x" * 5000, "x" * 300 + ".png", "x/" * 3000 + ".tif"])
def test_a_name_that_no_file_can_have(tmp_path, name):
    assert "cannot be looked for: file name too long" in refused(tmp_path / name)


def test_a_name_that_is_no_unicode_can_be_printed(stack, tmp_path):
    path = tmp_path / os.fsdecode(b"K\xf6rnung.tif")
    stack.rename(path)
    source = open_source(str(path), SHAPE)
    for name in source.names:
        assert name.encode().endswith(b"]")
    assert np.array_equal(source.read([1])[0], STACK[1])


def test_a_file_that_changes_between_header_and_pixels(stack):
    source = open_source(str(stack), SHAPE)
    tifffile.imwrite(stack, STACK[:2], photometric="minisblack")
    with pytest.raises(InputError, match="was changed while it was read; run again"):
        source.read([3])
