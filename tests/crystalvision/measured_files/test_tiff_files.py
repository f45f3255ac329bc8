"""TIFF: every image of a file, as it was measured, or a line that says why not."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from .image_files import BYTES, COUNTS, GREY, STACK, read, refused, save_pages


@pytest.mark.parametrize(
    "settings",
    [
        GREY,
        {"imagej": True, **GREY},
        {"ome": True, "metadata": {"axes": "TYX"}, **GREY},
        {"bigtiff": True, **GREY},
        {"byteorder": ">", **GREY},
        {"compression": "zlib", "predictor": True, **GREY},
        {"metadata": None, **GREY},
        {"tile": (16, 16), **GREY},
        {"rowsperstrip": 7, **GREY},
    ],
)
def test_every_page_of_a_tiff(tmp_path, settings):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, STACK, **settings)
    images, _ = read(path)
    assert np.array_equal(np.concatenate(images), STACK)
    images, _ = read(path, chosen=[2])
    assert np.array_equal(images[0][0], STACK[2])


def test_every_series_of_a_tiff(tmp_path):
    path = tmp_path / "series.tif"
    save_pages(path, STACK)
    images, _ = read(path)
    assert np.array_equal(np.concatenate(images), STACK)


def test_an_imagej_stack_of_one_directory(tmp_path):
    path = tmp_path / "one.tif"
    description = f"ImageJ=1.54\nimages={len(STACK)}\nslices={len(STACK)}\n"
    tifffile.imwrite(path, STACK[0], description=description, metadata=None, **GREY)
    path.write_bytes(path.read_bytes()[: -STACK[0].nbytes] + STACK.astype("<u2").tobytes())
    images, _ = read(path)
    assert np.array_equal(np.concatenate(images), STACK)


def test_images_that_differ_must_be_chosen(tmp_path):
    path = tmp_path / "thumbnail.tif"
    save_pages(path, [np.dstack([BYTES[::2, ::2]] * 3), COUNTS])
    told = refused(path)
    assert "holds images that differ: [0] is 3×12×10 uint8, [1] is 24×20 uint16" in told
    assert "choose one, such as thumbnail.tif[1]" in told
    images, _ = read(path, chosen=[1])
    assert np.array_equal(images[0][0], COUNTS)


def test_smaller_copies_are_left_out_and_told(tmp_path):
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(COUNTS[::2, ::2], subfiletype=1, metadata=None)
        writer.write(COUNTS, metadata=None)
    images, notes = read(path)
    assert np.array_equal(np.concatenate(images), COUNTS[None])
    assert "holds smaller copies of its images, which are left out" in notes


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_tiffs_packed_without_loss(tmp_path, compression, dtype):
    path = tmp_path / "packed.tif"
    pages = [Image.fromarray(image.astype(dtype)) for image in STACK]
    pages[0].save(path, compression=compression, save_all=True, append_images=pages[1:])
    images, _ = read(path)
    assert images[0].dtype == dtype
    assert np.array_equal(np.concatenate(images), STACK.astype(dtype))


def test_tiffs_that_would_not_be_read_as_measured(tmp_path):
    path = tmp_path / "image.tif"
    Image.fromarray(BYTES).save(path, compression="jpeg")
    assert "it is compressed by JPEG, which changes counts" in refused(path)
    tifffile.imwrite(path, COUNTS, photometric="miniswhite")
    assert "it says that 0 is white" in refused(path)
    palette = np.zeros((3, 256), np.uint16)
    tifffile.imwrite(path, BYTES, photometric="palette", colormap=palette)
    assert "is a picture in colours (palette)" in refused(path)
    Image.fromarray(np.dstack([BYTES] * 4), mode="CMYK").save(path)
    assert "is a picture in colours (separated)" in refused(path)


@pytest.mark.parametrize("dtype", ["float16", "float64", "complex64", "int8", "uint32", "int32"])
def test_types_of_a_tiff(tmp_path, dtype):
    path = tmp_path / "typed.tif"
    tifffile.imwrite(path, COUNTS.astype(dtype))
    images, _ = read(path)
    assert images[0].dtype == dtype
    assert np.array_equal(images[0][0], COUNTS)


def test_an_orientation_is_told(tmp_path):
    path = tmp_path / "turned.tif"
    tifffile.imwrite(path, COUNTS, extratags=[(274, 3, 1, 6, True)])
    images, notes = read(path)
    assert np.array_equal(images[0][0], COUNTS)
    assert "says that it is to be turned for viewing; pixels are read as they are stored" in notes


@pytest.mark.parametrize("count", [3, 4])
def test_a_stack_that_tifffile_took_for_colours_is_read_as_patterns(tmp_path, count):
    stack = np.stack([COUNTS + np.uint16(number) for number in range(count)])
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, stack, photometric="rgb", planarconfig="separate")
    images, notes = read(path)
    assert np.array_equal(np.concatenate(images), stack)
    assert f"is {count}×24×20, read as {count} patterns of one channel" in notes
    (whole,), _ = read(path, channels=count)
    assert np.array_equal(whole, stack)
    (second,), _ = read(path, chosen=[1])
    assert np.array_equal(second[0], stack[1])


def test_an_image_without_a_value_above_zero_is_said(tmp_path):
    for name, lowered in (("dark", 200), ("bright", 1)):
        tifffile.imwrite(tmp_path / f"{name}.tif", COUNTS.astype(np.int16) - lowered)
    images, notes = read(tmp_path / "dark.tif")
    assert images[0].max() < 0
    assert "has an image without a value above 0" in notes
    assert not read(tmp_path / "bright.tif")[1]
