"""Pictures, PNG above all: grey values as they were measured, or a line that says why not."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from crystalvision.measured_files import PatternFile, Readers

from .image_files import BYTES, RNG, chunk, read, refused


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
    image[::2, ::2, 1] += 50  # a quarter
    Image.fromarray(image).save(path)
    told = refused(path)
    assert "has 3 channels, where 1 is expected, and is a picture in colours" in told
    assert "--channels 3" in told
    images, _ = read(path, channels=3)  # each channel is data: opacity alone is none
    assert np.array_equal(images[0], np.moveaxis(image[..., :3], -1, 0))
    image[0, 0, 3] = 0
    Image.fromarray(image).save(path)
    assert "has pixels that are not opaque" in refused(path)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_label_in_colour_on_a_grey_picture_is_masked_and_told(tmp_path, suffix):
    path = tmp_path / f"picture{suffix}"
    grey = RNG.integers(0, 200, (24, 30)).astype(np.uint8)
    image = np.dstack([grey] * 3)
    image[20:22, 2:12] = (255, 255, 0)
    image[3, 4, 1] += 2  # what a change of colour space rounds
    Image.fromarray(image).save(path)
    with Readers().open(path) as opened:
        file = PatternFile(opened, 1)
        found = file.record(0)
        assert "with 20 pixels in colour (2.8 %)" in " ".join(file.notes)
    bar = np.zeros((24, 30), dtype=bool)
    bar[19:23, 1:13] = True  # with its edges, which may be smoothed
    assert np.array_equal(found.seen, ~bar)
    assert np.array_equal(found.counts[0][~bar], grey[~bar])


def test_channels_that_rounding_tells_apart_are_one(tmp_path):
    path = tmp_path / "picture.png"
    image = np.dstack([BYTES // 2] * 3)
    image[..., 2] += 1
    Image.fromarray(image).save(path)
    images, notes = read(path)
    assert np.array_equal(images[0][0], BYTES // 2)
    assert "of 3 channels that differ by up to 1; their median is read" in notes


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
