"""Files of electron microscopes: what they hold, and what is wrong with those that lie."""

import os
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from crystalvision.errors import InputError
from crystalvision.measured_files import Readers
from crystalvision_readers._microscopy import Scale, image_axes

from .microscopy_files import (
    WRITERS,
    write_blo,
    write_dm,
    write_emd,
    write_hspy,
    write_mib,
    write_velox,
)

MEASURED = Path(os.environ.get("CRYSTALVISION_MEASURED", "shared/measured")) / "electron"
SINGLE = MEASURED / "ed-single-frames"


@pytest.fixture(scope="module")
def readers() -> Readers:
    return Readers()


@pytest.fixture
def scan() -> np.ndarray:
    """A scan of 2×3 patterns of 8×10 pixels, each different."""
    return np.arange(2 * 3 * 8 * 10, dtype=np.uint16).reshape(2, 3, 8, 10)


def frames_of(readers, path):
    with readers.open(path) as file:
        return file.frames, file.scan, [file.read(each).counts for each in range(len(file.frames))]


def axis_of(frame, number):
    axis = frame.axes[number]
    return axis.name, pytest.approx(axis.scale, rel=1e-6), axis.units


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_frame_has_its_numbers(readers, tmp_path, scan, suffix):
    write, arranged = WRITERS[suffix]
    data = arranged(scan)
    path = tmp_path / f"scan{suffix}"
    write(path, data)
    frames, found, counts = frames_of(readers, path)
    assert len(frames) == 6
    assert found == ((2, 3) if suffix != ".mib" else ())
    for one, image in zip(counts, data.reshape(-1, *data.shape[-2:]), strict=True):
        np.testing.assert_array_equal(one, image)


def test_velox(readers, tmp_path, scan):
    images = scan.reshape(6, 8, 10)
    write_velox(tmp_path / "velox.emd", images)
    frames, _, counts = frames_of(readers, tmp_path / "velox.emd")
    np.testing.assert_array_equal(counts, images)
    assert axis_of(frames[0], 0) == ("q_y", 0.0025, "1/angstrom")
    facts = frames[0].facts
    assert (facts.energy_kev, facts.time_s) == (200, 0.5)
    assert facts.camera_length_mm == pytest.approx(650)
    assert facts.assumed == ("the direct beam falls in the middle of the frame",)


def test_calibration_comes_along(readers, tmp_path, scan):
    write_emd(tmp_path / "scan.emd", scan)
    (frame, *_), _, _ = frames_of(readers, tmp_path / "scan.emd")
    assert axis_of(frame, 1) == ("q_x", 0.005, "1/angstrom")
    assert frame.axes[1].offset == pytest.approx(-0.025)
    assert frame.facts.energy_kev == 300
    assert not frame.facts.assumed
    write_hspy(tmp_path / "scan.hspy", scan)
    (frame, *_), _, _ = frames_of(readers, tmp_path / "scan.hspy")
    assert axis_of(frame, 0) == ("q_y", 0.01, "1/angstrom")
    assert frame.axes[0].offset == pytest.approx(-0.04)
    assert frame.facts.camera_length_mm == 300
    write_blo(tmp_path / "scan.blo", scan[..., :8])
    (frame, *_), _, _ = frames_of(readers, tmp_path / "scan.blo")
    # 0.2 mm over 200 mm, at 200 kV
    assert axis_of(frame, 0) == ("q_y", pytest.approx(1e-3 / 0.0250793, rel=1e-4), "1/angstrom")


def test_a_scan_beside_a_text_file(readers, tmp_path, scan):
    write_mib(tmp_path / "scan.mib", scan.reshape(6, 8, 10))
    (tmp_path / "scan.hdr").write_text("HDR,\nFrames per Trigger (Number):\t3\nEnd\t")
    frames, found, _ = frames_of(readers, tmp_path / "scan.mib")
    assert found == (2, 3)
    assert frames[0].facts.time_s == 0.0025


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "lzma", "packbits"])
def test_tiff_of_imagej(readers, tmp_path, scan, compression):
    path = tmp_path / "stack.tif"
    images = scan.reshape(6, 8, 10).astype(np.float32)
    if compression is None:
        tifffile.imwrite(
            path, images, imagej=True, resolution=(20, 20), metadata={"unit": "1/nm", "axes": "ZYX"}
        )
        (frame, *_), _, counts = frames_of(readers, path)
        assert axis_of(frame, 0) == ("q_y", 0.005, "1/angstrom")
    else:
        tifffile.imwrite(path, images, compression=compression, photometric="minisblack")
        (frame, *_), _, counts = frames_of(readers, path)
    np.testing.assert_array_equal(counts, images)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        *(
            dict.fromkeys(("1/nm", "nm^-1", "nm-1", "nm^{-1}", "[1/nm]", "nm⁻¹", "1 / nm"), 0.005)
        ).items(),
        *(dict.fromkeys(("1/Å", "A^-1", "Å-1", "$A^{-1}$"), 0.05)).items(),
        ("1/m", 5e-12),
    ],
)
def test_units_in_the_ways_that_programs_write_them(unit, expected):
    (axis, _), assumed = image_axes((4, 4), [Scale(0.05, unit), Scale(0.05, unit)])
    assert (axis.name, axis.units) == ("q_y", "1/angstrom")
    assert axis.scale == pytest.approx(expected)
    assert assumed == ("the direct beam falls in the middle of the frame",)


def test_angles_are_those_of_the_energy():
    scales = [Scale(0.5, "mrad"), Scale(0.5, "mrad")]
    (axis, _), _ = image_axes((4, 4), scales)
    assert (axis.name, axis.scale, axis.units) == ("theta_y", 0.5, "mrad")
    (axis, _), _ = image_axes((4, 4), scales, 0.0)  # as a file has it that was told none
    assert axis.units == "mrad"
    (axis, _), _ = image_axes((4, 4), scales, 200.0)
    assert (axis.name, axis.units) == ("q_y", "1/angstrom")
    assert axis.scale == pytest.approx(0.5e-3 / 0.0250793, rel=1e-4)


@pytest.mark.parametrize("unit", ["cm", "inch"])
def test_a_size_on_the_screen_calibrates_no_pattern(readers, tmp_path, scan, unit):
    path = tmp_path / "print.tif"
    images = scan.reshape(6, 8, 10)
    metadata = {"unit": unit, "axes": "ZYX"}
    tifffile.imwrite(path, images, imagej=True, resolution=(72, 72), metadata=metadata)
    with readers.open(path) as file:
        assert len(file.frames) == 6
        assert file.frames[0].axes is None
        assert f"states its pixels in {unit}" in " ".join(file.notes)


@pytest.mark.parametrize(("depth", "each"), [(6, 8), (12, 4)])
def test_raw_counters_of_a_merlin(readers, tmp_path, depth, each):
    frames = np.arange(3 * 4 * 16).reshape(3, 4, 16) % 2**depth
    path = tmp_path / "raw.mib"
    with path.open("wb") as file:
        for number, frame in enumerate(frames):
            head = (
                f"MQ1,{number + 1:06d},00384,01,0016,0004,R64,   1x1,01,2020-01-01 10:00:00,"
                f"0.01,0,0,0,1.0E+1,MQ1A,2020-01-01T10:00:00Z,10000000ns,{depth}"
            )
            words = frame[::-1].reshape(4, -1, each)[..., ::-1].reshape(4, 16)
            kind = "u1" if depth == 6 else ">u2"
            file.write(head.encode().ljust(384, b"\0") + words.astype(kind).tobytes())
    _, _, counts = frames_of(readers, path)
    np.testing.assert_array_equal(counts, frames)


def test_notes_in_a_blockfile_are_passed_over(readers, tmp_path, scan):
    path = tmp_path / "notes.blo"
    write_blo(path, scan[..., :8])
    content = bytearray(path.read_bytes())
    note = b"taken at night; MQ1, IMGBLO \xff\xfe"
    content[240 : 240 + len(note)] = note
    path.write_bytes(bytes(content))
    _, found, counts = frames_of(readers, path)
    assert found == (2, 3)
    np.testing.assert_array_equal(counts, scan[..., :8].reshape(6, 8, 8) % 256)


def test_a_scan_is_opened_without_its_numbers(readers, tmp_path):
    """A scan of 16 GB, which is sparse on disk: opening it and reading one pattern takes little."""
    path = tmp_path / "scan.emd"
    with h5py.File(path, "w") as file:
        group = file.create_group("data/scan")
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", (256, 256, 256, 512), "u2", chunks=(1, 1, 256, 512))
    tracemalloc.start()
    with readers.open(path) as file:
        assert (len(file.frames), file.scan) == (65536, (256, 256))
        assert file.read(65535).counts.shape == (256, 512)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6


def test_chunks_that_unpack_to_more_than_memory_are_refused(readers, tmp_path):
    path = tmp_path / "bomb.emd"
    with h5py.File(path, "w") as file:
        group = file.create_group("data/scan")
        group.attrs["emd_group_type"] = 1
        shape = (2**11, 2**10, 2**5, 2**5)
        group.create_dataset("data", shape, "u2", chunks=shape, compression="gzip")
    with pytest.raises(InputError, match="its data are packed in chunks of 4,294,967,296 bytes"):
        frames_of(readers, path)


def test_tiff_of_gatan(readers, tmp_path, scan):
    path = tmp_path / "gatan.tif"
    tags = [
        (65003, "s", 0, "1/nm", True),
        (65004, "s", 0, "1/nm", True),
        (65006, "f", 1, 5.0, True),
        (65007, "f", 1, 4.0, True),
        (65009, "f", 1, 0.02, True),
        (65010, "f", 1, 0.03, True),
    ]
    tifffile.imwrite(path, scan[0, 0], extratags=tags)
    (frame,), _, _ = frames_of(readers, path)
    assert axis_of(frame, 0) == ("q_y", 0.003, "1/angstrom")
    assert axis_of(frame, 1) == ("q_x", 0.002, "1/angstrom")
    assert frame.axes[0].offset == pytest.approx(-0.012)


@pytest.mark.parametrize("suffix", [".dm3", ".dm4"])
@pytest.mark.parametrize(("dtype", "kind"), [("int16", 1), ("uint16", 10), ("float32", 2)])
def test_digital_micrograph_of_every_version(readers, tmp_path, scan, suffix, dtype, kind):
    path = tmp_path / f"image{suffix}"
    image = scan[1, 2].astype(dtype) - np.array(200).astype(dtype)
    write_dm(path, image, kind)
    (frame,), _, (counts,) = frames_of(readers, path)
    assert counts.dtype == image.dtype
    np.testing.assert_array_equal(counts, image)
    assert axis_of(frame, 1) == ("q_x", 0.005, "1/angstrom")
    assert frame.axes[1].offset == pytest.approx(-0.02)


@pytest.mark.parametrize("suffix", [".dm3", ".dm4"])
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"kind": 3}, "DigitalMicrograph's type 3; expected real numbers"),  # complex
        ({"kind": 10, "sizes": (2**31 - 1, 2**31 - 1)}, "bytes of pixels, but it has"),
        ({"kind": 10, "sizes": (0, 8)}, "its header says 8×0 pixels"),
        ({"kind": 10, "offset": False}, "an image of it has no data"),
    ],
)
def test_lies_of_digital_micrograph(readers, tmp_path, scan, suffix, changes, text):
    path = tmp_path / f"lies{suffix}"
    write_dm(path, scan[0, 0], **changes)
    with pytest.raises(InputError, match=text):
        frames_of(readers, path)


@pytest.mark.parametrize("suffix", [*WRITERS, ".dm3", ".dm4", ".ser"])
@pytest.mark.parametrize("damage", ["cut", "empty", "noise"])
def test_damaged_files_are_told_in_one_line(readers, tmp_path, scan, suffix, damage):
    path = tmp_path / f"bad{suffix}"
    if suffix in WRITERS:
        write, arranged = WRITERS[suffix]
        write(path, arranged(scan))
        whole = path.read_bytes()
    else:
        whole = {".dm3": b"\0\0\0\x03", ".dm4": b"\0\0\0\x04", ".ser": b"II\x97\x01"}[suffix]
        whole += b"\0\x02" + bytes(range(256)) * 20
    noise = np.random.default_rng(1).bytes(len(whole))
    path.write_bytes({"cut": whole[: len(whole) * 3 // 5], "empty": b"", "noise": noise}[damage])
    with pytest.raises(InputError) as error:
        frames_of(readers, path)
    assert "\n" not in str(error.value)
    assert path.name in str(error.value)


@pytest.mark.parametrize(("place", "value"), [(18, b"\xff\xff\xff\x7f"), (18, b"\xff\xff\xff\xff")])
def test_a_series_that_counts_more_than_it_has(readers, tmp_path, place, value):
    content = bytearray(b"II\x97\x01\x20\x02" + bytes.fromhex("22410000 52410000") + bytes(200))
    content[place : place + 4] = value
    (tmp_path / "lies.ser").write_bytes(bytes(content))
    with pytest.raises(InputError, match="says"):
        frames_of(readers, tmp_path / "lies.ser")


@pytest.mark.skipif(not SINGLE.is_dir(), reason="the measured patterns are not here")
class TestMeasured:
    def test_digital_micrograph(self, readers):
        (frame,), _, (counts,) = frames_of(readers, SINGLE / "bismuth.dm3")
        assert frame.facts.energy_kev == 90
        assert (counts.shape, counts.dtype.name) == ((256, 256), "int8")
        assert counts.min() < 0

    @pytest.mark.compare
    @pytest.mark.parametrize(
        "name",
        [
            "bismuth.dm3",
            "nbed-dd020.dm3",
            "rosettasciio-test1.blo",
            "test.mib",
            "rosettasciio-64x64_diffraction_acquire_1.ser",
        ],
    )
    def test_the_numbers_are_those_of_rosettasciio(self, readers, name):
        rsciio = pytest.importorskip("rsciio")
        path = SINGLE / name
        module = {".dm3": "digitalmicrograph", ".blo": "blockfile"}
        module |= {".mib": "quantumdetector", ".ser": "tia"}
        reader = __import__(f"{rsciio.__name__}.{module[path.suffix]}", fromlist=["file_reader"])
        data = np.asarray(reader.file_reader(str(path))[0]["data"])
        _, _, counts = frames_of(readers, path)
        np.testing.assert_array_equal(np.array(counts).reshape(data.shape), data)


@pytest.mark.compare
@pytest.mark.parametrize("suffix", [".hspy", ".blo"])
def test_files_that_rosettasciio_wrote(readers, tmp_path, scan, suffix):
    hs = pytest.importorskip("hyperspy.api")
    data = (scan[..., :8] % 256).astype(np.uint8)
    signal = hs.signals.Signal2D(data)
    for axis in signal.axes_manager.signal_axes:
        axis.scale, axis.units, axis.offset = 0.02, "cm" if suffix == ".blo" else "1/nm", -0.08
    for axis in signal.axes_manager.navigation_axes:
        axis.units = "nm"
    signal.save(tmp_path / f"scan{suffix}")
    frames, found, counts = frames_of(readers, tmp_path / f"scan{suffix}")
    np.testing.assert_array_equal(np.array(counts).reshape(data.shape), data)
    assert found == (2, 3)
    if suffix == ".hspy":
        assert axis_of(frames[0], 0) == ("q_y", 0.002, "1/angstrom")
