"""MRC and NumPy files, and files of any format that claim too much or are something else."""

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

from crystalvision.errors import InputError
from crystalvision.measured_files import (
    read_image_file,
)

from .image_files import BYTES, COUNTS, GREY, STACK, chunk, read, refused, save_pages


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
