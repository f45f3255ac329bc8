"""What image files hold: every image of them, as it was measured, or a line that says why not."""

import gzip
import io
import os
import struct
import time
import zlib

import mrcfile
import numpy as np
import pytest
import tifffile
from PIL import Image

from crystalvision.errors import InputError
from crystalvision.measured_files import (
    as_counts,
    fill_gaps,
    open_pattern_file,
    parse_gap_values,
    read_image_file,
)

RNG = np.random.default_rng(5)
COUNTS = RNG.poisson(5, (24, 20)).astype(np.uint16)
STACK = np.stack([COUNTS, COUNTS + 1, COUNTS + 2])
BYTES = COUNTS.astype(np.uint8)
GREY = {"photometric": "minisblack"}


def read(path, channels=1, chosen=None):
    """All patterns of a file, and its notes."""
    with open_pattern_file(
        path, channels, None if chosen is None else lambda _count: chosen
    ) as file:
        images = [file.read(place) for place in range(len(file))]
        return images, " ".join(file.notes)


def refused(path, **settings):
    with pytest.raises(InputError) as caught:
        read(path, **settings)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def save_pages(path, images):
    with tifffile.TiffWriter(path) as writer:
        for image in images:
            kind = "rgb" if image.ndim == 3 else "minisblack"
            writer.write(image, photometric=kind, contiguous=False)


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


def picture(mode):
    channels = {"LA": 2, "RGB": 3, "RGBA": 4}[mode]
    image = np.dstack([BYTES] * channels)
    if mode[-1] == "A":
        image[..., -1] = 255
    return image


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_grey_picture_in_colours_is_read_as_grey_and_told(tmp_path, mode, suffix):
    path = tmp_path / f"picture{suffix}"
    Image.fromarray(picture(mode)).save(path)
    images, notes = read(path)
    assert len(images) == 1
    assert np.array_equal(images[0][0], BYTES)
    assert ("of 3 channels that are all alike; one is read" in notes) == ("RGB" in mode)
    assert ("opaque all over, which is left out" in notes) == (mode[-1] == "A")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_real_colours_and_transparency_are_refused(tmp_path, suffix):
    path = tmp_path / f"picture{suffix}"
    image = picture("RGBA")
    image[3, 4, 1] += 1
    Image.fromarray(image).save(path)
    told = refused(path)
    assert "has 3 channels, where 1 is expected, and is a picture in colours" in told
    assert "--channels 3" in told
    images, _ = read(path, channels=3)  # each channel is data: opacity alone is none
    assert np.array_equal(images[0], np.moveaxis(image[..., :3], -1, 0))
    image[0, 0, 3] = 0
    Image.fromarray(image).save(path)
    assert "has pixels that are not opaque" in refused(path)


def chunk(kind, body):
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def with_chunk(path, kind, body):
    content = path.read_bytes()
    path.write_bytes(content[:33] + chunk(kind, body) + content[33:])


def test_what_a_png_says_of_its_values(tmp_path):
    path = tmp_path / "grey.png"
    Image.fromarray(BYTES).save(path)
    with_chunk(path, b"gAMA", struct.pack(">I", 45455))
    images, notes = read(path)
    assert np.array_equal(images[0][0], BYTES)
    assert "names a gamma or a colour profile, which is not applied" in notes
    Image.fromarray(BYTES).save(path)
    with_chunk(path, b"tRNS", b"\0\5")
    assert "calls some values transparent" in refused(path)
    Image.fromarray(BYTES).save(path, save_all=True, append_images=[Image.fromarray(255 - BYTES)])
    assert "it is animated, of several images" in refused(path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(BYTES).save(path, exif=exif)
    assert "to be turned for viewing" in read(path)[1]
    Image.fromarray(BYTES > 4).save(path)
    assert "it has 1 bits a channel; expected 8 or 16" in refused(path)


def interlaced(image):
    """A PNG of eight bits in the seven passes of Adam7; PNG specification, 8.2."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)]
    passes += [(2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b""
    for row, column, down, right in passes:
        part = image[row::down, column::right]
        rows += b"".join(b"\0" + bytes(line) for line in part) if part.size else b""
    header = struct.pack(">IIBBBBB", *image.shape[::-1], 8, 0, 0, 0, 1)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("size", [(24, 20), (1, 1), (3, 2), (9, 5)])
def test_an_interlaced_png(tmp_path, size):
    image = RNG.integers(0, 255, size).astype(np.uint8)
    path = tmp_path / "passes.png"
    path.write_bytes(interlaced(image))
    assert np.array_equal(read(path)[0][0][0], image)


def bomb(suffix):
    """A small file that claims ten thousand million pixels, or unpacks to more than it says."""
    if suffix == ".png":
        header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    if suffix == ".npy":
        content = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            content, {"descr": "<u2", "fortran_order": False, "shape": (10**6, 10**6)}
        )
        return content.getvalue() + bytes(1000)
    header = np.zeros(256, np.int32)
    header[:4] = [50_000, 50_000, 2, 6]
    header[7:10] = [50_000, 50_000, 2]
    content = bytearray(header.tobytes())
    content[208:216] = b"MAP DD\0\0"
    return bytes(content) + bytes(1000)


@pytest.mark.parametrize("suffix", [".png", ".npy", ".mrc", ".gz.mrc", ".tif"])
def test_a_claim_of_huge_size_costs_nothing(tmp_path, suffix):
    path = tmp_path / f"bomb{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(path, shape=(100_000, 100_000), dtype=np.uint8)  # a file with holes
    else:
        content = bomb(suffix.removeprefix(".gz"))
        path.write_bytes(gzip.compress(content) if suffix == ".gz.mrc" else content)
    begun = time.monotonic()
    refused(path)
    assert time.monotonic() - begun < 2


def test_what_unpacks_to_more_than_it_says_is_refused(tmp_path):
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(path, np.zeros((64, 64), np.uint8), compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        place, tag = page.tags["StripOffsets"].valueoffset, page.tags["StripByteCounts"]
        counted = tag.valueoffset
    packed = zlib.compress(bytes(2**26))
    content = bytearray(path.read_bytes())
    content[counted : counted + 4] = struct.pack("<I", len(packed))
    content[place : place + 4] = struct.pack("<I", len(content))
    path.write_bytes(bytes(content) + packed)
    assert "unpacks to another size than it must" in refused(path)


def test_a_foreign_stamp_of_an_mrc_file_is_read_and_told(tmp_path):
    path = tmp_path / "stamp.mrc"
    for image in (COUNTS, COUNTS.astype(">u2")):
        with mrcfile.new(path, overwrite=True) as file:
            file.set_data(image)
        content = bytearray(path.read_bytes())
        content[212:216] = bytes(4)
        path.write_bytes(content)
        images, notes = read(path)
        assert np.array_equal(images[0][0], COUNTS)
        assert "does not keep to MRC2014 (Unrecognised machine stamp" in notes


def test_stacks_and_volumes_of_mrc(tmp_path):
    path = tmp_path / "stack.mrc"
    with mrcfile.new(path) as file:
        file.set_data(STACK)
        file.set_image_stack()
    images, notes = read(path)
    assert np.array_equal(np.concatenate(images), STACK)
    assert not notes
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(STACK)
        file.set_volume()
    images, notes = read(path)
    assert np.array_equal(np.concatenate(images), STACK)
    assert "says that it is a volume; its sections are read as images" in notes
    packed = tmp_path / "packed.mrc"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(np.concatenate(read(packed)[0]), STACK)


def test_arrays_of_three_and_four_axes(tmp_path):
    path = tmp_path / "array.npy"
    np.save(path, STACK)
    images, notes = read(path)
    assert np.array_equal(np.concatenate(images), STACK)
    assert "is 3×24×20, read as 3 patterns of one channel" in notes
    assert np.array_equal(read(path, channels=3)[0][0], STACK)
    assert "has 1 channel, where 2 are expected" in refused(path, channels=2)
    np.save(path, np.stack([STACK, STACK]))
    assert np.array_equal(read(path, channels=3)[0], [STACK, STACK])
    assert "has 3 channels, where 1 is expected" in refused(path)
    np.save(path, np.zeros((2, 2, 2, 2, 2)))
    assert "has shape (2, 2, 2, 2, 2); expected (rows, columns)" in refused(path)


def test_files_that_are_something_else(tmp_path):
    for suffix in (".png", ".tif", ".mrc", ".npy"):
        path = tmp_path / f"image{suffix}"
        path.write_bytes(b"")
        refused(path)
    path = tmp_path / "image.png"
    tifffile.imwrite(tmp_path / "image.tif", COUNTS)
    path.write_bytes((tmp_path / "image.tif").read_bytes())
    assert "is not a PNG file but TIFF: rename or convert it" in refused(path)
    np.savez(tmp_path / "several.npz", COUNTS, BYTES)
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    assert "but zip (or NPZ): rename or convert it" in refused(tmp_path / "several.npy")
    (tmp_path / "image.npz").write_bytes(b"")
    assert "save each of its arrays with numpy.save" in refused(tmp_path / "image.npz")
    (tmp_path / "link.png").symlink_to(tmp_path / "absent.png")
    assert "a link to a file that is not there" in refused(tmp_path / "link.png")


def test_a_pipe_is_refused_at_once(tmp_path):
    for suffix in (".png", ".tif", ".npy", ".mrc"):
        os.mkfifo(tmp_path / f"pipe{suffix}")
        assert "is a pipe; expected an ordinary file" in refused(tmp_path / f"pipe{suffix}")


def test_read_image_file_gives_all_of_a_file(tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", STACK, **GREY)
    assert np.array_equal(read_image_file(tmp_path / "stack.tif"), STACK)
    save_pages(tmp_path / "mixed.tif", [COUNTS, BYTES])
    with pytest.raises(InputError, match="holds images that differ"):
        read_image_file(tmp_path / "mixed.tif")


@pytest.mark.parametrize(
    ("mark", "dtype"),
    [
        (2**32 - 1, "uint32"),
        (2**32 - 2, "uint32"),
        (2**32 - 1, "float64"),
        (2**32 - 1, "float32"),
        (2**31 - 1, "int32"),
        (-1, "int32"),
        (-2, "int16"),
        (float("nan"), "float32"),
    ],
)
def test_marks_of_gaps_are_no_counts(mark, dtype):
    image = COUNTS.astype(dtype)
    image[5, 7] = mark
    with pytest.raises(InputError, match=r"x: 1 of 480 pixels are .*give --gap-value .* to set"):
        fill_gaps(image, "x", None)
    expected = np.where(np.arange(480).reshape(24, 20) == 5 * 20 + 7, 0, COUNTS)
    assert np.array_equal(fill_gaps(image, "x", (float(np.array(mark, dtype)),)), expected)
    assert fill_gaps(image, "x", ()) is image


@pytest.mark.parametrize(
    ("largest", "dtype"), [(65535, "uint16"), (65535, "uint32"), (255, "uint8")]
)
def test_a_gap_goes_from_edge_to_edge_and_saturation_does_not(largest, dtype):
    image = COUNTS.astype(dtype)
    image[10:13, 8:12] = largest
    assert fill_gaps(image, "x", None) is image  # the direct beam
    image[10] = largest
    with pytest.raises(InputError, match=rf"pixels are {largest}, which is how detectors mark"):
        fill_gaps(image, "x", None)


def test_a_point_of_a_curve_may_have_any_count():
    curve = np.arange(200, 400, dtype=np.uint32).reshape(1, 1, -1)
    assert 255 in curve
    assert np.array_equal(as_counts(curve[0], "curve", None), curve[0])


def test_values_of_gaps_as_they_are_given():
    assert parse_gap_values([]) is None
    assert parse_gap_values(["none"]) == ()
    assert parse_gap_values(["4294967295", "-1"]) == (4294967295, -1)
    assert np.isnan(parse_gap_values(["nan"])[0])
    for texts in (["x"], ["none", "3"]):
        with pytest.raises(InputError, match=f"--gap-value {texts[0]}"):
            parse_gap_values(texts)


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
